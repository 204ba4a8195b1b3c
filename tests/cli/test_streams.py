"""Streams of third parties under ``mien analyze``: what one of them does wrong costs that analyzer only, with a reason.

And utterances of several analyzers that speak of the same time are one result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import AudioClip, InputError, Prediction, Sample, SampleKind, Stream, StreamSettings, Transcript
from mien.media import microphone
from mien.media.audio import SAMPLE_RATE
from mien.testing import FakeAnalyzer, FakePlugin, analyzer_info, make_prediction

soundfile = pytest.importorskip("soundfile", reason="the extra mien[voice] is not installed")

Run = Callable[..., Any]
LOUD = np.full(SAMPLE_RATE, 0.5, np.float32)
SILENT = np.zeros(SAMPLE_RATE, np.float32)


class Pieces(Stream):
    """Cuts sound into pieces of so many seconds, beginning so late; keeps the last one for the end."""

    def __init__(self, *, seconds: float, late: float) -> None:
        self._length, self._skip = round(seconds * SAMPLE_RATE), round(late * SAMPLE_RATE)
        self._held: list[Sample] = []
        self._heard = np.zeros(0, np.float32)

    def push(self, sample: Sample) -> list[Sample]:
        assert isinstance(sample, AudioClip)
        begun = sample.captured_at - len(self._heard) / SAMPLE_RATE
        before, self._heard = len(self._heard), np.concatenate([self._heard, sample.samples])
        ready = self._held
        self._held = []
        for start in range(self._skip, len(self._heard), self._length):
            if start + self._length <= len(self._heard) and start + self._length > before:
                piece = self._heard[start : start + self._length]
                self._held.append(AudioClip(piece, SAMPLE_RATE, begun + start / SAMPLE_RATE))
        ready += self._held[:-1]
        self._held = self._held[-1:]
        return ready

    def flush(self) -> list[Sample]:
        held, self._held = self._held, []
        return held


class Ear(FakeAnalyzer):
    """Hears something in what is loud."""

    def __init__(self, modality: str, *, seconds: float = 1.0, late: float = 0.0, satisfaction: float = 0.9) -> None:
        super().__init__(modality, answer=self._hear)
        self._modality = modality
        self._stream = {"seconds": seconds, "late": late}
        self._satisfaction = satisfaction

    def open_stream(self, settings: StreamSettings) -> Stream:
        return Pieces(**self._stream)

    def _hear(self, sample: Sample) -> list[Prediction]:
        assert isinstance(sample, AudioClip)
        if np.abs(sample.samples).max() < 0.1:
            return []
        said = make_prediction(self._modality, satisfaction=self._satisfaction, at=sample.captured_at)
        return [replace(said, evidence=Transcript("loud and clear", engine="ear"))]


def install(installed: Any, **ears: FakeAnalyzer) -> None:
    """Put analyzers that take sound beside the others; their names are their modalities."""
    installed.plugins["ears"] = FakePlugin(
        analyzers={
            name: (analyzer_info(name, SampleKind.AUDIO), lambda ear=ear: ear)  # type: ignore[misc]
            for name, ear in ears.items()
        }
    )


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Four seconds: loud, silent, loud, silent."""
    path = tmp_path / "talk.wav"
    soundfile.write(path, np.concatenate([LOUD, SILENT, LOUD, SILENT]), SAMPLE_RATE)
    return path


def found(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def contributions(out: str) -> list[list[str]]:
    return [sorted(one["analysis"]["satisfaction"]["contributions"]) for one in found(out)]


class Broken(Stream):
    """A stream that does something wrong in one of its methods, and otherwise passes everything on."""

    def __init__(self, method: str, fault: Callable[[], Any]) -> None:
        self._method, self._fault = method, fault

    def push(self, sample: Sample) -> list[Sample]:
        return self._do("push", [sample])

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        return self._do("observe", list(predictions))

    def flush(self) -> list[Sample]:
        return self._do("flush", [])

    def _do(self, method: str, right: Any) -> Any:
        return self._fault() if method == self._method else right


class BrokenEar(FakeAnalyzer):
    """An analyzer whose streams do something wrong."""

    def __init__(self, modality: str, method: str, fault: Callable[[], Any]) -> None:
        super().__init__(modality, answer=lambda sample: [make_prediction(modality, at=sample.captured_at)])
        self._method, self._fault = method, fault

    def open_stream(self, settings: StreamSettings) -> Stream:
        if self._method == "open_stream":
            return self._fault()  # type: ignore[no-any-return]
        return Broken(self._method, self._fault)


def raises() -> Any:
    raise ZeroDivisionError("what the customer said")


FAULTS = {"raises": raises, "none": lambda: None, "junk": lambda: ["junk"], "exits": lambda: exit_now()}


def exit_now() -> Any:
    raise SystemExit(7)


METHODS = ("open_stream", "push", "observe", "flush")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", METHODS)
def test_the_only_analyzer_of_sound_that_breaks_is_named_with_a_reason(
    mien: Run, installed: Any, talk: Path, method: str, fault: str
) -> None:
    install(installed, odd=BrokenEar("odd", method, FAULTS[fault]))
    ran = mien("analyze", talk)
    assert ran.code == (0 if method == "flush" else 1), "what came before the end stands"
    assert "Traceback" not in ran.err
    assert "talk.wav: " in ran.err
    assert "odd" in ran.err
    assert "customer said" not in ran.err, "messages may hold what a customer said"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", METHODS)
def test_a_broken_stream_of_sound_costs_the_other_analyzer_nothing(
    mien: Run, installed: Any, talk: Path, method: str, fault: str
) -> None:
    install(installed, good=Ear("good"), odd=BrokenEar("odd", method, FAULTS[fault]))
    ran = mien("analyze", "--json", talk)
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    assert all("good" in modalities for modalities in contributions(ran.out))
    reasons = [
        stream["reason"]
        for one in found(ran.out)
        for stream in one["analysis"]["streams"]
        if stream["analyzer"] == "odd" and stream["state"] != "ok"
    ]
    assert reasons or "odd is missing: " in ran.err


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", METHODS)
def test_a_broken_stream_of_pictures_costs_the_faces_nothing(
    mien: Run, installed: Any, video: Path, method: str, fault: str
) -> None:
    odd = BrokenEar("odd", method, FAULTS[fault])
    installed.plugins["odd"] = FakePlugin(analyzers={"odd": (analyzer_info("odd", SampleKind.IMAGE), lambda: odd)})
    ran = mien("analyze", "--json", video)
    assert ran.code == 0, ran.err
    assert [one["at_seconds"] for one in found(ran.out)] == [0.0, 1.0, 2.0, 3.0]
    assert all("face" in modalities for modalities in contributions(ran.out))
    missing = [
        stream
        for one in found(ran.out)
        for stream in one["analysis"]["streams"]
        if stream["analyzer"] == "odd" and stream["reason"]
    ]
    assert len(missing) == 4 or (method == "flush" and "odd is missing: " in ran.err)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["open_stream", "push", "observe"])
def test_the_only_analyzer_of_pictures_that_breaks_costs_the_video_and_is_named(
    mien: Run, installed: Any, video: Path, method: str, fault: str
) -> None:
    installed.face.open_stream = BrokenEar("face", method, FAULTS[fault]).open_stream
    ran = mien("analyze", video)
    assert ran.code == 1
    assert "clip.avi: " in ran.err
    assert "face: " in ran.err
    assert "Traceback" not in ran.err


def test_a_stream_that_refuses_a_sound_says_why(mien: Run, installed: Any, talk: Path) -> None:
    def refuse() -> Any:
        raise InputError("the sound is too quiet to be cut")

    install(installed, odd=BrokenEar("odd", "push", refuse))
    ran = mien("analyze", talk)
    assert ran.code == 1
    assert "talk.wav: odd: the sound is too quiet to be cut" in ran.err


def test_a_sound_that_one_analyzer_refuses_is_left_to_the_others(mien: Run, installed: Any, talk: Path) -> None:
    def refuse() -> Any:
        raise InputError("the sound is too quiet to be cut")

    install(installed, odd=BrokenEar("odd", "push", refuse), speech=Ear("speech", seconds=4.0))
    ran = mien("analyze", "--json", talk)
    assert ran.code == 0, ran.err
    assert contributions(ran.out) == [["speech"]]
    assert ran.err.count("talk.wav: odd: the sound is too quiet to be cut") == 1


def test_utterances_of_two_analyzers_that_overlap_are_one_result(mien: Run, installed: Any, talk: Path) -> None:
    install(installed, tone=Ear("tone", late=0.25, satisfaction=0.1), speech=Ear("speech", satisfaction=0.9))
    ran = mien("analyze", "--json", talk)
    assert ran.code == 0, ran.err
    assert contributions(ran.out) == [["speech", "tone"]], (
        "0.25 to 1.25 s overlaps both 0 to 1 s and 1 to 2 s, and so on"
    )


def test_utterances_of_the_same_time_are_fused_and_those_of_other_times_are_not(
    mien: Run, installed: Any, talk: Path
) -> None:
    install(installed, tone=Ear("tone", satisfaction=0.1), speech=Ear("speech", satisfaction=0.9))
    ran = mien("analyze", "--json", talk)
    assert contributions(ran.out) == [["speech", "tone"], ["speech", "tone"]]
    assert [one["at_seconds"] for one in found(ran.out)] == [0.0, 2.0]
    assert [one["analysis"]["satisfaction"]["score"] for one in found(ran.out)] == pytest.approx([0.5, 0.5])


def test_an_utterance_of_one_analyzer_within_a_long_one_of_another_is_one_result(
    mien: Run, installed: Any, talk: Path
) -> None:
    install(installed, mood=Ear("mood", seconds=4.0), speech=Ear("speech"))
    ran = mien("analyze", "--json", talk)
    (only,) = found(ran.out)
    assert sorted(prediction["analyzer"] for prediction in only["analysis"]["predictions"]) == [
        "mood",
        "speech",
        "speech",
    ]


def test_one_analyzer_alone_gives_a_result_for_each_utterance(mien: Run, installed: Any, talk: Path) -> None:
    install(installed, speech=Ear("speech", seconds=0.5))
    ran = mien("analyze", "--json", talk)
    assert [one["at_seconds"] for one in found(ran.out)] == [0.0, 0.5, 2.0, 2.5]


class Recording:
    """A microphone that delivers the four seconds in pieces, and then nothing more."""

    overruns = 0

    def __init__(self, *, device: str | int | None) -> None:
        self.device = device

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __iter__(self) -> Any:
        sound = np.concatenate([LOUD, SILENT, LOUD, SILENT])
        for start in range(0, len(sound), SAMPLE_RATE // 2):
            yield AudioClip(sound[start : start + SAMPLE_RATE // 2], SAMPLE_RATE, start / SAMPLE_RATE)


def test_listening_fuses_what_two_analyzers_hear_and_tells_the_sinks(
    mien: Run, installed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "Microphone", Recording)
    install(installed, tone=Ear("tone"), speech=Ear("speech"))
    ran = mien("listen", "--json", "--device", "2", "--redact-transcript")
    assert ran.code == 0, ran.err
    assert contributions(ran.out) == [["speech", "tone"], ["speech", "tone"]]
    assert [(told.source, told.at_seconds) for _, told in installed.sink.written] == [
        ("microphone 2", 0.0),
        ("microphone 2", 2.0),
    ]
    assert all(each.evidence.redacted for result, _ in installed.sink.written for each in result.predictions)


def test_listening_goes_on_without_an_analyzer_that_breaks(
    mien: Run, installed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "Microphone", Recording)
    install(installed, odd=BrokenEar("odd", "push", raises), speech=Ear("speech"))
    ran = mien("listen", "--json")
    assert ran.code == 0, ran.err
    assert contributions(ran.out) == [["speech"], ["speech"]]
    assert ran.err.count("odd is missing: ") == 1


def test_listening_ends_where_nobody_is_left(mien: Run, installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "Microphone", Recording)
    install(installed, odd=BrokenEar("odd", "push", raises))
    ran = mien("listen")
    assert ran.code == 1
    assert "no stream could be analysed: odd: " in ran.err
    assert "Traceback" not in ran.err
