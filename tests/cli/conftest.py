"""The command line run in this process on fake plugins: bright pictures hold a face, black ones nobody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mien import (
    Analyzer,
    Box,
    FaceRegion,
    ImageFrame,
    Prediction,
    Sample,
    SampleKind,
    Stream,
    StreamSettings,
    Transcript,
    Utterance,
)
from mien.cli import main
from mien.config import Settings
from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, FakeSink, analyzer_info, make_prediction


def _faces(sample: Sample) -> list[Prediction]:
    if not isinstance(sample, ImageFrame) or sample.pixels.mean() < 10:
        return []
    height, width, _ = sample.pixels.shape
    region = FaceRegion(Box(width / 4, height / 4, width / 2, height / 2), quality=1.0)
    satisfied = float(sample.pixels.mean()) / 255
    return [replace(make_prediction("face", satisfaction=satisfied, at=sample.captured_at), evidence=region)]


def _words(sample: Sample) -> list[Prediction]:
    assert isinstance(sample, Utterance)
    said = make_prediction("text", satisfaction=0.9 if "good" in sample.text else 0.1)
    return [replace(said, evidence=Transcript(sample.text))]


class _Track(Stream):
    """Everybody is the same person."""

    def push(self, sample: Sample) -> list[Sample]:
        return [sample]

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        return [
            replace(prediction, subject_id="t1", evidence=replace(prediction.evidence, track_id="t1"))
            for prediction in predictions
            if isinstance(prediction.evidence, FaceRegion)
        ]


class _TrackingAnalyzer(FakeAnalyzer):
    def open_stream(self, settings: StreamSettings) -> Stream:
        return _Track()


@dataclass
class Installed:
    """The fake plugins; a test may change what they register."""

    face: Analyzer
    plugins: dict[str, object]
    sink: FakeSink


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Fake plugins in the place of the installed ones."""
    face = _TrackingAnalyzer("face", answer=_faces)
    words = FakeAnalyzer("text", answer=_words)
    analyzers = {
        "face": (analyzer_info("face"), lambda: face),
        "words": (analyzer_info("text", SampleKind.TEXT), lambda: words),
        "quiet": (analyzer_info("face", SampleKind.IMAGE, opt_in=True), lambda: FakeAnalyzer("face")),
    }
    sink = FakeSink()
    plugins: dict[str, object] = {
        "fake": FakePlugin(analyzers=analyzers, sinks={"keeper": lambda: sink}),
        "fusion": FakePlugin(fusers={"fitted": FakeFuser, "other": FakeFuser}),
    }

    def discover(cls: type[PluginHost], settings: Settings, *, strict: bool = False) -> PluginHost:
        return cls.from_plugins(plugins, settings, strict=strict)

    monkeypatch.setattr(PluginHost, "discover", classmethod(discover))
    return Installed(face, plugins, sink)


@dataclass(frozen=True)
class Ran:
    """What one run of the command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def mien(installed: Installed, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run ``mien`` with arguments."""

    def run(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        code = exit_.value.code
        return Ran(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Write a picture of one grey; its format follows its name."""

    def write(name: str, brightness: int = 200) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), (brightness,) * 3).save(path)
        return path

    return write


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Four seconds of a face that brightens."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for index in range(40):
        writer.write(np.full((48, 64, 3), 20 + index * 5, np.uint8))
    writer.release()
    return path
