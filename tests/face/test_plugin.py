"""The plugin through the host: registered, light, configured, and held to the contract of every analyzer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from mien import Analyzer, AnalyzerInfo, ImageFrame, Sample
from mien.config import Settings
from mien.plugins.host import PluginHost, PluginState
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
