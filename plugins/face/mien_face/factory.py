"""Puts the face analyzer together from its settings. OpenCV and JAX are imported only when that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from mien import AnalyzerNotFoundError, ConfigError, DetectorFactory, DetectorSettings, FaceDetector, PluginContext
from mien_face.backends.names import built_in_backend
from mien_face.labels import DEFAULT_MEANINGS
from mien_face.settings import DetectorName, FaceSettings, WeightsName, merged

if TYPE_CHECKING:
    from mien_face.analyzer import EmotionTables, FaceAnalyzer
    from mien_face.inference import ExpressionNetwork

_WEIGHTS: Final = Path(__file__).parent / "weights"

DETECTOR_MANIFEST: Final = _WEIGHTS / "detector.json"
"""The detector's weights that ship with the plugin."""

EXPRESSION_MANIFEST: Final = _WEIGHTS / "expression.json"
"""Those of the expression network that is taken where nothing else is said: the small one."""

SHIPPED: Final[Mapping[str, Path]] = MappingProxyType(
    {WeightsName.SMALL: EXPRESSION_MANIFEST, WeightsName.LARGE: _WEIGHTS / "expression-large.json"}
)
"""Name -> manifest of an expression network's weights that ship."""


def expression_manifest(settings: FaceSettings) -> Path:
    """Of the expression network's weights: the settings', or those that ship."""
    return EXPRESSION_MANIFEST if settings.weights is None else manifest_at(settings.weights)


def manifest_at(weights: WeightsName | Path) -> Path:
    """Where weights are: of those that ship under this name, or a path as it was given."""
    return SHIPPED.get(str(weights), Path(weights))


def build_analyzer(settings: FaceSettings, parts: PluginContext | None = None) -> FaceAnalyzer:
    """Load the face analyzer.

    Args:
        settings: What it is made of.
        parts: Where detector and backend are taken from by their names; None knows the plugin's own only.

    Raises:
        ConfigError: An override names no emotion, or a detector or backend of that name is not registered.
        MissingDependencyError: The backend that the settings name is not installed.
        PluginError: It does not run the network as it should.
        WeightsError: The weights are missing, damaged, or of another network.
    """
    from mien_face.analyzer import FaceAnalyzer

    detector, network = build_detector(settings, parts), build_network(settings, parts)
    return FaceAnalyzer(detector, network, build_tables(settings), settings)


def build_network(settings: FaceSettings, parts: PluginContext | None = None) -> ExpressionNetwork:
    """Load the expression network.

    Raises:
        ConfigError: A backend of the name is not registered.
        MissingDependencyError: The backend that the settings name is not installed.
        PluginError: It does not run the network as it should.
        WeightsError: The weights are missing, damaged, or of another network.
    """
    from mien_face.inference import ExpressionNetwork

    with _naming("backend"):
        return ExpressionNetwork.load(
            expression_manifest(settings),
            backend=settings.backend,
            precision=settings.precision,
            mirror=settings.mirror,
            make=built_in_backend if parts is None else parts.backend,
        )


def build_tables(settings: FaceSettings) -> EmotionTables:
    """What each emotion says: the built-in judgement, with the settings' values in their places.

    Raises:
        ConfigError: The settings name an emotion that does not exist.
    """
    from mien_face.analyzer import EmotionTables

    valence = {emotion: meaning.valence for emotion, meaning in DEFAULT_MEANINGS.items()}
    satisfaction = {emotion: meaning.satisfaction for emotion, meaning in DEFAULT_MEANINGS.items()}
    return EmotionTables(
        valence=merged(valence, settings.valence, key="valence"),
        satisfaction=merged(satisfaction, settings.satisfaction, key="satisfaction"),
    )


def build_detector(settings: FaceSettings, parts: PluginContext | None = None) -> FaceDetector:
    """Load the detector that the settings name.

    Raises:
        ConfigError: A detector of the name is not registered, or its own settings are wrong.
        PluginError: OpenCV came without its cascades.
        WeightsError: The detector's weights are missing, damaged, or of another network.
    """
    with _naming("detector"):
        if parts is not None:
            return parts.detector(settings.detector, settings.for_detector())
        own = detector_factories(settings)
        if settings.detector not in own:
            raise AnalyzerNotFoundError(
                f"there is no detector {settings.detector!r}; known are: {', '.join(sorted(own))}"
            )
        return own[settings.detector](settings.for_detector())


def detector_factories(settings: FaceSettings) -> Mapping[str, DetectorFactory]:
    """The plugin's own detectors by name."""
    return {
        DetectorName.MIEN.value: partial(_build_own, settings.detector_weights or DETECTOR_MANIFEST),
        DetectorName.HAAR.value: _build_haar,
    }


def _build_own(manifest: Path, order: DetectorSettings) -> FaceDetector:
    from mien_face.detection.inference import DetectionNetwork
    from mien_face.detection.own import OwnDetector

    network = DetectionNetwork.load(manifest)
    return OwnDetector(
        network,
        search_side=order.search_side,
        min_face_pixels=order.min_face_pixels,
        min_face_fraction=order.min_face_fraction,
        min_score=order.min_score,
    )


def _build_haar(order: DetectorSettings) -> FaceDetector:
    from mien_face.detection.haar import SEARCH_SIDE, HaarDetector

    return HaarDetector(
        search_side=order.search_side or SEARCH_SIDE,
        min_face_pixels=order.min_face_pixels,
        min_face_fraction=order.min_face_fraction,
        min_score=order.min_score,
    )


@contextmanager
def _naming(key: str) -> Iterator[None]:
    """Say which setting names what is not registered."""
    try:
        yield
    except AnalyzerNotFoundError as error:
        raise ConfigError(f"[plugins.face] {key}: {error}") from error
