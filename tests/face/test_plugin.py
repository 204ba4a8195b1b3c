"""The plugin through the host: registered, light, configured, and held to the contract of every analyzer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
import numpy.typing as npt
import pytest

from mien import (
    Analyzer,
    AnalyzerInfo,
    BackendInfo,
    Box,
    Detection,
    DetectorInfo,
    DetectorSettings,
    ExecutableNetwork,
    ExecutionBackend,
    FaceDetector,
    FaceRegion,
    ImageFrame,
    PluginError,
    PluginHost,
    PluginState,
    Precision,
    RegisterBackend,
    RegisterDetector,
    Sample,
    Settings,
    hookimpl,
)
from mien.testing import AnalyzerConformance
from mien_face import plugin
from mien_face.labels import FER2013_LABELS

Pixels = npt.NDArray[np.uint8]


def host_with(**table: object) -> PluginHost:
    return PluginHost.from_plugins({"face": plugin}, Settings(plugins={"face": table}))


@pytest.fixture(scope="module")
def shipped() -> Analyzer:
    return host_with().analyzer("face")


def test_the_analyzer_is_registered_with_what_the_manifest_says() -> None:
    registered = host_with().analyzers["face"]
    assert registered.info.labels == FER2013_LABELS
    assert registered.info.modality == "face"
    assert registered.info.weights_license not in ("", "none")


def test_listing_the_plugin_loads_no_jax_and_no_opencv() -> None:
    code = (
        "import sys; from mien.config import Settings; from mien.plugins.host import PluginHost;"
        "from mien_face import plugin;"
        "assert 'face' in PluginHost.from_plugins({'face': plugin}, Settings()).analyzers;"
        "print(sorted({'jax', 'flax', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_wrong_setting_costs_the_plugin_and_names_the_key() -> None:
    (described,) = host_with(detectr="haar").plugins()
    assert described.state is PluginState.FAILED
    assert "detectr" in described.reason


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("detector", r"\[plugins.face\] detector: there is no detector 'nobody'; registered are: haar, mien"),
        (
            "backend",
            r"\[plugins.face\] backend: there is no backend 'nobody'; registered are: jax, onnxruntime, openvino",
        ),
    ],
)
def test_a_part_that_nobody_registered_is_named_with_those_that_are(key: str, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        host_with(**{key: "nobody"}).analyzer("face")


class FixedDetector(FaceDetector):
    """Sees one face in the middle of every picture."""

    margin = 0.0
    threshold = 0.5

    def __init__(self, settings: DetectorSettings) -> None:
        self.settings = settings

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        return [[Detection(Box(16, 16, 64, 64), 0.75)] for _ in pictures]


class LoudBackend(ExecutionBackend):
    """Runs the network as NumPy does, by the file that any runtime can read; counts its calls."""

    precision = "float32"

    def __init__(self, network: ExecutableNetwork) -> None:
        self.calls = 0
        self._run = jax.jit(network.traceable()[0])
        self._arrays = network.traceable()[1]
        assert network.onnx().startswith(b"\x08")
        assert (network.input_shape, network.batch_sizes) == ((48, 48, 1), (1, 2, 4, 8, 16))

    def run(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.calls += 1
        return np.asarray(self._run(self._arrays, inputs))


class Stranger:
    """A plugin of a third party with a detector and a backend."""

    def __init__(self) -> None:
        self.detectors: list[FixedDetector] = []
        self.backends: list[LoudBackend] = []

    @hookimpl
    def mien_register_detectors(self, register: RegisterDetector) -> None:
        def make(settings: DetectorSettings) -> FaceDetector:
            self.detectors.append(FixedDetector(settings))
            return self.detectors[-1]

        register("fixed", DetectorInfo(version="1"), make)

    @hookimpl
    def mien_register_backends(self, register: RegisterBackend) -> None:
        def make(network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
            self.backends.append(LoudBackend(network))
            return self.backends[-1]

        register("loud", BackendInfo(version="1"), make)


def test_another_plugins_detector_and_backend_are_used_by_name(astronaut: Pixels) -> None:
    stranger = Stranger()
    table = {"detector": "fixed", "backend": "loud", "search_side": 100, "min_detection_score": 0.7}
    host = PluginHost.from_plugins({"face": plugin, "stranger": stranger}, Settings(plugins={"face": table}))
    ((face,),) = host.analyzer("face").analyze([ImageFrame(astronaut)])
    assert isinstance(face.evidence, FaceRegion)
    assert (face.evidence.box, face.evidence.detection_score) == (Box(16, 16, 64, 64), 0.75)
    assert stranger.detectors[0].settings == DetectorSettings(search_side=100, min_score=0.7)
    assert stranger.backends[0].calls > 0
    assert list(host.detectors) == ["fixed", "haar", "mien"]
    assert list(host.backends) == ["jax", "loud", "onnxruntime", "openvino"]


def test_missing_weights_cost_the_plugin_and_name_the_file(tmp_path: Path) -> None:
    (described,) = host_with(weights=str(tmp_path / "no.json")).plugins()
    assert described.state is PluginState.FAILED
    assert "no.json" in described.reason


def test_the_astronaut_smiles(shipped: Analyzer, astronaut: Pixels) -> None:
    ((face,),) = shipped.analyze([ImageFrame(astronaut)])
    assert face.top_emotion == "happy"
    assert face.satisfaction > 0.7
    assert face.valence > 0.4
    assert face.confidence > 0.5


@pytest.fixture(scope="class")
def conforming() -> Analyzer:
    return host_with().analyzer("face")


class TestConformance(AnalyzerConformance):
    @pytest.fixture
    def analyzer(self, conforming: Analyzer) -> Analyzer:
        return conforming

    @pytest.fixture
    def info(self) -> AnalyzerInfo:
        return host_with().analyzers["face"].info

    @pytest.fixture
    def samples(self, astronaut: Pixels) -> Sequence[Sample]:
        flipped = np.ascontiguousarray(astronaut[:, ::-1])
        nobody = np.full((120, 160, 3), 120, np.uint8)
        return [ImageFrame(astronaut), ImageFrame(nobody, captured_at=1.0), ImageFrame(flipped, captured_at=2.0)]
