"""Puts the face analyzer together from its settings. OpenCV and JAX are imported only when that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from mien_face.labels import DEFAULT_MEANINGS
from mien_face.settings import SEARCH_SIDE, DetectorName, FaceSettings, merged

if TYPE_CHECKING:
    from mien_face.analyzer import EmotionTables, FaceAnalyzer
    from mien_face.detection.base import Detector
    from mien_face.inference import ExpressionNetwork

_WEIGHTS: Final = Path(__file__).parent / "weights"

DETECTOR_MANIFEST: Final = _WEIGHTS / "detector.json"
"""The detector's weights that ship with the plugin."""

EXPRESSION_MANIFEST: Final = _WEIGHTS / "expression.json"
"""Those of the expression network."""


def expression_manifest(settings: FaceSettings) -> Path:
    """Of the expression network's weights: the settings', or those that ship."""
    return settings.weights or EXPRESSION_MANIFEST


def build_analyzer(settings: FaceSettings) -> FaceAnalyzer:
    """Load the face analyzer.

    Raises:
        ConfigError: An override names no emotion, or YuNet's file is wrong.
        MissingDependencyError: The backend that the settings name is not installed.
        PluginError: It does not run the network as it should.
        WeightsError: The weights are missing, damaged, or of another network.
    """
    from mien_face.analyzer import FaceAnalyzer

    return FaceAnalyzer(build_detector(settings), build_network(settings), build_tables(settings), settings)


def build_network(settings: FaceSettings) -> ExpressionNetwork:
    """Load the expression network.

    Raises:
        MissingDependencyError: The backend that the settings name is not installed.
        PluginError: It does not run the network as it should.
        WeightsError: The weights are missing, damaged, or of another network.
    """
    from mien_face.inference import ExpressionNetwork

    manifest = expression_manifest(settings)
    return ExpressionNetwork.load(manifest, backend=settings.backend, precision=settings.precision)


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


def build_detector(settings: FaceSettings) -> Detector:
    """Load the detector that the settings name.

    Raises:
        ConfigError: YuNet's file is missing, or is not YuNet.
        PluginError: OpenCV came without its cascades.
        WeightsError: The detector's weights are missing, damaged, or of another network.
    """
    if settings.detector is DetectorName.MIEN:
        from mien_face.detection.inference import DetectionNetwork
        from mien_face.detection.own import OwnDetector

        network = DetectionNetwork.load(settings.detector_weights or DETECTOR_MANIFEST)
        return OwnDetector(
            network,
            search_side=settings.search_side or network.config.long_side,
            min_face_pixels=settings.min_face_pixels,
            min_face_fraction=settings.min_face_fraction,
            min_score=settings.min_detection_score,
        )
    if settings.detector is DetectorName.YUNET and settings.yunet_path is not None:
        from mien_face.detection.yunet import YuNetDetector

        return YuNetDetector(
            settings.yunet_path,
            search_side=settings.search_side or SEARCH_SIDE[settings.detector],
            min_face_pixels=settings.min_face_pixels,
            min_face_fraction=settings.min_face_fraction,
            min_score=settings.min_detection_score,
        )
    from mien_face.detection.haar import HaarDetector

    return HaarDetector(
        search_side=settings.search_side or SEARCH_SIDE[settings.detector],
        min_face_pixels=settings.min_face_pixels,
        min_face_fraction=settings.min_face_fraction,
    )
