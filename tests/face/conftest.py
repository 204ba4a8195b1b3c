"""Pictures, a classifier that is not a network for tests of what lies around it, and the commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import skimage.data
import typer

from mien import FaceDetector
from mien.cli.run_context import RunContext
from mien.cli.state import CliState
from mien_face import commands
from mien_face.analyzer import EmotionTables, FaceAnalyzer
from mien_face.factory import build_detector
from mien_face.settings import FaceSettings
from mien_face_lab import commands as lab_commands

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
TABLES = EmotionTables(
    valence=dict(zip(LABELS, (-0.8, -0.7, -0.6, 0.9, -0.7, 0.2, 0.0), strict=True)),
    satisfaction=dict(zip(LABELS, (0.05, 0.1, 0.15, 0.95, 0.15, 0.6, 0.5), strict=True)),
)


@dataclass
class BrightnessClassifier:
    """Brighter faces are happier; it remembers how many crops each call brought."""

    calls: list[int] = field(default_factory=list)
    labels: tuple[str, ...] = LABELS

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        assert crops.dtype == np.uint8
        assert crops.shape[1:] == (48, 48)
        self.calls.append(len(crops))
        rows = np.full((len(crops), len(LABELS)), 0.05, np.float32)
        rows[:, LABELS.index("happy")] += crops.mean(axis=(1, 2)) / 255.0
        return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float32)

    def warm_up(self) -> None:
        self.calls.append(0)


@pytest.fixture
def app() -> typer.Typer:
    """The commands of the plugin and its laboratory, and the global option that they may read."""
    made, run = typer.Typer(), RunContext()

    @made.callback()
    def global_options(context: typer.Context, config: Path | None = None) -> None:
        context.obj = CliState(config=config)
        run.begin(context.obj)

    commands.register(made, run)
    lab_commands.register(made, run)
    return made


@pytest.fixture(scope="session")
def astronaut() -> npt.NDArray[np.uint8]:
    """One smiling woman, face about 110 pixels wide at (170, 70), 512 x 512."""
    return np.asarray(skimage.data.astronaut(), np.uint8)


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    return build_detector(FaceSettings())


@pytest.fixture
def classifier() -> BrightnessClassifier:
    return BrightnessClassifier()


@pytest.fixture
def analyzer(detector: FaceDetector, classifier: BrightnessClassifier) -> FaceAnalyzer:
    return FaceAnalyzer(detector, classifier, TABLES, FaceSettings())
