"""Sound files, sound tracks and the microphone on the command line, with fakes that hear something in each second."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mien import (
    UNKNOWN_SATISFACTION,
    AnalysisResult,
    AudioClip,
    InputError,
    Prediction,
    Provenance,
    Sample,
    SampleKind,
    Stream,
    StreamSettings,
    Transcript,
)
from mien.cli import main
from mien.cli.findings import Finding
from mien.cli.outputs import HeardOutput
from mien.media import microphone
from mien.media.audio import SAMPLE_RATE
from mien.testing import FakeAnalyzer, FakePlugin, FakeSink, analyzer_info, make_prediction

soundfile = pytest.importorskip("soundfile", reason="the extra mien[voice] is not installed")

Run = Callable[..., Any]


class Seconds(Stream):
    """Cuts sound into pieces of a second."""

    def push(self, sample: Sample) -> list[Sample]:
        assert isinstance(sample, AudioClip)
        rate = sample.sample_rate
        return [
            AudioClip(sample.samples[start : start + rate], rate, sample.captured_at + start / rate)
            for start in range(0, len(sample.samples), rate)
        ]


class Ear(FakeAnalyzer):
    """Hears "loud and clear" in what is loud, and nothing in silence."""

    def __init__(self) -> None:
        super().__init__("voice", answer=self._hear)
        self.broken = False

    def open_stream(self, settings: StreamSettings) -> Stream:
        return Seconds()

    def _hear(self, sample: Sample) -> list[Prediction]:
        assert isinstance(sample, AudioClip)
        if self.broken:
            raise InputError("cannot hear")
        if np.abs(sample.samples).max() < 0.1:
            return []
        said = make_prediction("voice", satisfaction=0.1, at=sample.captured_at)
        return [replace(said, evidence=Transcript("loud and clear", engine="ear"))]


@pytest.fixture
def ear(installed: Any) -> Ear:
    heard = Ear()
    info = analyzer_info("voice", SampleKind.AUDIO)
    installed.plugins["ear"] = FakePlugin(analyzers={"ear": (info, lambda: heard)})
    return heard


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Three seconds: loud, silent, loud."""
    second = 0.5 * np.sin(np.arange(SAMPLE_RATE))
    path = tmp_path / "talk.wav"
    soundfile.write(path, np.concatenate([second, 0 * second, second]), SAMPLE_RATE)
    return path


def found(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.usefixtures("ear")
def test_a_sound_file_gives_a_result_for_each_utterance(mien: Run, talk: Path) -> None:
    ran = mien("analyze", "--json", talk)
    assert ran.code == 0
    first, second = found(ran.out)
    assert [one["at_seconds"] for one in (first, second)] == [0.0, 2.0]
    (prediction,) = first["analysis"]["predictions"]
    assert prediction["evidence"]["text"] == "loud and clear"
    assert list(first["analysis"]["satisfaction"]["contributions"]) == ["voice"]


def write_note(path: Path, samples: np.ndarray, *, codec: str, rate: int, picture: bool = False) -> Path:
    """A container with a sound track, and a picture beside it if wished."""
    av = pytest.importorskip("av", reason="the extra mien[voice] is not installed")
    soxr = pytest.importorskip("soxr", reason="the extra mien[voice] is not installed")
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=rate, layout="mono")
        video = container.add_stream("mpeg4", rate=10) if picture else None
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            for index in range(30):
                shown = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * index, np.uint8), format="rgb24")
                shown.pts, shown.time_base = index, Fraction(1, 10)
                container.mux(video.encode(shown))
            container.mux(video.encode(None))
        sound = (32_767 * soxr.resample(samples, SAMPLE_RATE, rate)).astype("<i2")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[np.newaxis]), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("note.m4a", "aac", 16_000),
        ("note.mp4", "aac", 44_100),
        ("note.3gp", "aac", 16_000),
        ("note.mov", "alac", 44_100),
        ("recorded.webm", "libopus", 48_000),
        ("recorded.mkv", "flac", 16_000),
    ],
)
@pytest.mark.usefixtures("ear")
@pytest.mark.parametrize("analyzers", [["ear"], ["face", "ear"]], ids="+".join)
def test_a_recording_without_a_picture_is_sound(
    mien: Run, talk: Path, tmp_path: Path, name: str, codec: str, rate: int, analyzers: list[str]
) -> None:
    note = write_note(tmp_path / name, soundfile.read(talk, dtype="float32")[0], codec=codec, rate=rate)
    ran = mien("analyze", "--json", *(word for one in analyzers for word in ("--analyzer", one)), note)
    assert ran.code == 0, ran.err
    said = [round(one["at_seconds"]) for one in found(ran.out) if one["analysis"]["predictions"]]
    assert said[0] == 0
    assert 2 in said


@pytest.mark.usefixtures("ear")
@pytest.mark.parametrize("name", ["seen.mp4", "seen.mkv"])
def test_a_video_with_voice_alone_is_its_sound_track(mien: Run, talk: Path, tmp_path: Path, name: str) -> None:
    samples = soundfile.read(talk, dtype="float32")[0]
    video = write_note(tmp_path / name, samples, codec="aac", rate=44_100, picture=True)
    ran = mien("analyze", "--json", "--analyzer", "ear", video)
    assert ran.code == 0, ran.err
    (first, *_) = found(ran.out)
    assert [one["modality"] for one in first["analysis"]["predictions"]] == ["voice"]
    seen = mien("analyze", "--json", "--analyzer", "face", "--analyzer", "ear", video)
    assert {one["at_seconds"] for one in found(seen.out)} >= {0.0, 1.0, 2.0}


@pytest.mark.usefixtures("ear")
def test_a_note_that_nobody_listens_to_is_told(mien: Run, talk: Path, tmp_path: Path) -> None:
    note = write_note(tmp_path / "note.mp4", soundfile.read(talk, dtype="float32")[0], codec="aac", rate=44_100)
    ran = mien("analyze", "--analyzer", "face", note)
    assert ran.code == 1
    assert "no enabled analyzer takes sound" in ran.err


@pytest.mark.usefixtures("ear")
def test_a_line_for_people_quotes_what_was_heard(mien: Run, talk: Path) -> None:
    ran = mien("analyze", talk)
    assert 'talk.wav at 2.0 s  voice: "loud and clear"' in ran.out


@pytest.mark.usefixtures("ear")
def test_words_are_taken_out_where_the_option_says_so(mien: Run, talk: Path) -> None:
    ran = mien("analyze", "--json", "--redact-transcript", talk)
    assert ran.code == 0
    assert "loud and clear" not in ran.out
    assert found(ran.out)[0]["analysis"]["predictions"][0]["evidence"]["redacted"] is True


@pytest.mark.usefixtures("ear")
def test_nothing_said_is_an_answer(mien: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.flac", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    ran = mien("analyze", "--json", tmp_path / "silence.flac")
    assert ran.code == 0
    (only,) = found(ran.out)
    assert only["analysis"]["predictions"] == []
    assert only["analysis"]["satisfaction"]["verdict"] == "undecided"


@pytest.mark.usefixtures("ear")
def test_bad_sound_is_named_and_the_rest_is_finished(mien: Run, talk: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("dear sir")
    ran = mien("analyze", tmp_path / "letter.wav", talk)
    assert ran.code == 1
    assert "letter.wav: this is no WAV, FLAC, OGG, MP3, " in ran.err
    assert ran.out.count("loud and clear") == 2


def test_an_analyzer_that_fails_on_all_of_it_fails_the_file(mien: Run, talk: Path, ear: Ear) -> None:
    ear.broken = True
    ran = mien("analyze", talk)
    assert ran.code == 1
    assert "cannot hear" in ran.err


def test_without_an_analyzer_for_sound_the_voice_plugin_is_named(mien: Run, talk: Path) -> None:
    ran = mien("analyze", talk)
    assert ran.code == 1
    assert "no enabled analyzer takes sound; say --analyzer voice" in ran.err


@pytest.mark.usefixtures("ear")
def test_a_picture_and_a_sound_are_one_moment(mien: Run, picture: Callable[..., Path], talk: Path) -> None:
    ran = mien("analyze", "--json", "--audio", talk, picture("face.png"))
    assert ran.code == 0
    (only,) = found(ran.out)
    assert set(only["analysis"]["satisfaction"]["contributions"]) == {"face", "voice"}


@pytest.mark.usefixtures("ear")
def test_audio_needs_a_picture(mien: Run, talk: Path) -> None:
    assert mien("analyze", "--audio", talk).code == 2


def with_sound(path: Path, sound: np.ndarray) -> Path:
    """Four seconds of bright pictures with this sound, 16 kHz."""
    av = pytest.importorskip("av", reason="the extra mien[voice] is not installed")
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        samples = (sound * 32_767).astype(np.int16)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path


@pytest.mark.usefixtures("ear")
def test_what_is_said_in_a_video_is_fused_with_the_face_of_that_moment(mien: Run, tmp_path: Path) -> None:
    second = 0.5 * np.sin(np.arange(SAMPLE_RATE))
    clip = with_sound(tmp_path / "clip.mkv", np.concatenate([second, 0 * second, 0 * second]))
    ran = mien("analyze", "--json", clip)
    assert ran.code == 0, ran.err
    parts = {one["at_seconds"]: set(one["analysis"]["satisfaction"]["contributions"]) for one in found(ran.out)}
    assert sum("voice" in modalities for modalities in parts.values()) == 1
    assert [at for at, modalities in parts.items() if modalities == {"face", "voice"}] == [pytest.approx(1.0, abs=0.11)]


def test_a_sound_track_that_fails_leaves_the_faces_unharmed(mien: Run, tmp_path: Path, ear: Ear) -> None:
    ear.broken = True
    clip = with_sound(tmp_path / "clip.mkv", 0.5 * np.sin(np.arange(SAMPLE_RATE)))
    ran = mien("analyze", "--json", clip)
    assert ran.code == 0, ran.err
    results = found(ran.out)
    assert all("face" in one["analysis"]["satisfaction"]["contributions"] for one in results)
    assert any("cannot hear" in stream["reason"] for one in results for stream in one["analysis"]["streams"])


class Recording:
    """A microphone that delivers two loud seconds and is then unplugged."""

    overruns = 3

    def __init__(self, *, device: str | int | None) -> None:
        self.device = device

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __iter__(self) -> Any:
        for second in range(2):
            yield AudioClip(np.full(SAMPLE_RATE, 0.5, np.float32), SAMPLE_RATE, float(second))
        raise microphone.MicrophoneError(f"microphone {self.device!r} delivers no sound any more; was it unplugged?")


@pytest.mark.usefixtures("ear")
def test_listening_says_what_was_heard_until_the_microphone_goes(mien: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "Microphone", Recording)
    ran = mien("listen", "--device", "2")
    assert ran.code == 1
    assert ran.out.count('"loud and clear"') == 2
    assert "microphone 2 delivers no sound any more; was it unplugged?" in ran.err
    assert "sound was lost 3 times" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.usefixtures("ear")
def test_listening_stops_after_the_time_that_was_asked_for(mien: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "Microphone", Recording)
    ran = mien("listen", "--seconds", "1", "--json", "--redact-transcript")
    assert ran.code == 0
    (only,) = found(ran.out)
    assert only["analysis"]["predictions"][0]["evidence"]["redacted"] is True


class Murmuring(Ear):
    """Its stream tells what is being said, and comes back to it when the utterance is over."""

    def open_stream(self, settings: StreamSettings) -> Stream:
        tell = settings.tell

        class Murmur(Seconds):
            def push(self, sample: Sample) -> list[Sample]:
                if tell is not None:
                    tell(self.words(sample, "my number is"))
                return super().push(sample)

            def words(self, sample: Sample, text: str) -> Prediction:
                heard = Transcript(text, engine="ear", is_final=False, stability=0.5, revision=1)
                return replace(make_prediction("voice", at=sample.captured_at), evidence=heard)

        return Murmur()


@pytest.fixture
def murmuring(installed: Any, monkeypatch: pytest.MonkeyPatch) -> FakeSink:
    """An ear that tells, a microphone, and a sink that keeps what it is shown."""
    monkeypatch.setattr(microphone, "Microphone", Recording)
    info, sink = analyzer_info("voice", SampleKind.AUDIO), FakeSink()
    plugin = FakePlugin(analyzers={"ear": (info, Murmuring)}, sinks={"kept": lambda: sink})
    installed.plugins["ear"] = plugin
    return sink


def test_what_is_being_said_stays_out_of_a_pipe_unless_it_is_asked_for(mien: Run, murmuring: FakeSink) -> None:
    assert "my number is" not in mien("listen", "--seconds", "2").out
    asked = mien("listen", "--seconds", "2", "--partials")
    lines = asked.out.splitlines()
    assert lines[0] == "0.0 s  my number is ..."
    assert '"loud and clear"' in lines[1]
    assert "\x1b" not in asked.out
    for result, _ in murmuring.written:
        assert isinstance(result, AnalysisResult)
        assert not any(prediction.is_provisional for prediction in result.predictions)
    assert len(murmuring.written) == 4


def test_partial_words_are_withheld_as_final_ones_are(mien: Run, murmuring: FakeSink) -> None:
    out = mien("listen", "--seconds", "1", "--partials", "--redact-transcript").out
    assert out.splitlines()[0] == "0.0 s  (speech) ..."
    assert "my number is" not in out


def test_records_hold_no_partial_words(mien: Run, murmuring: FakeSink) -> None:
    ran = mien("listen", "--json", "--partials")
    assert ran.code == 2
    assert "hold results alone" in ran.err


def test_on_a_terminal_partial_words_stand_dimmed_in_a_line_that_gives_way() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def heard(text: str, *, is_final: bool) -> Prediction:
        words = Transcript(text, engine="ear", is_final=is_final, stability=1.0, revision=1)
        return replace(make_prediction("voice", at=1.0), evidence=words, analyzer="ear")

    screen = Terminal()
    output = HeardOutput(screen)
    output.partial(heard("thank", is_final=False))
    output.partial(heard("", is_final=False))
    output.partial(heard("thank you", is_final=False))
    result = AnalysisResult(predictions=(heard("thank you", is_final=True),), satisfaction=UNKNOWN_SATISFACTION)
    output.write(Finding(result=result), Provenance())
    output.partial(heard("thank", is_final=False))  # late
    output.close()
    clear = "\r\x1b[2K"
    dimmed = [f"\x1b[2m1.0 s  {text} ...\x1b[0m" for text in ("thank", "thank you")]
    start = f"{dimmed[0]}{clear}{dimmed[1]}{clear}1.0 to 1.0 s"
    assert screen.getvalue().startswith(start)
    assert screen.getvalue().endswith("UNDECIDED\n")


def test_devices_are_listed_where_there_is_no_sound_library(mien: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(microphone, "importlib", SimpleNamespace(import_module=missing))
    ran = mien("devices")
    assert ran.code == 0
    assert "cameras:" in ran.out
    assert "apt-get install libportaudio2" in ran.out
    report = json.loads(mien("devices", "--json").out)
    assert report["microphones"] == []
    assert "PortAudio" in report["microphone_problem"]


@pytest.mark.usefixtures("ear")
def test_a_decoder_that_prints_is_put_in_one_line_of_our_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "talk.mp3"
    soundfile.write(path, 0.5 * np.sin(np.arange(3 * SAMPLE_RATE)), SAMPLE_RATE, format="MP3")
    damaged = bytearray(path.read_bytes())
    damaged[3000:3400] = b"\xff" * 400
    path.write_bytes(damaged)
    with pytest.raises(SystemExit):
        main(["analyze", str(path)])
    out, err = capfd.readouterr()
    assert "loud and clear" in out
    assert err == f"mien: warning: {path}: its decoder met something wrong; what could be decoded is heard\n"
