"""Whisper on the processor: words, times and confidence, and no words where nobody speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from voice.conftest import silence, sound

from mien import AudioClip, InputError, PluginError
from mien.testing import TranscriberConformance
from mien_voice.audio import SAMPLE_RATE
from mien_voice.models.places import Place
from mien_voice.settings import WhisperSettings
from mien_voice.transcribers import whisper
from mien_voice.transcribers.repetition import compression_ratio, without_loops
from mien_voice.transcribers.whisper import Decoded, WhisperTranscriber

TIME = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
NOTES = (262, 330, 392, 523, 392, 330, 294, 349)


class TestConformance(TranscriberConformance):
    odd_inputs = 6
    memory_seconds = 1.0

    @pytest.fixture
    def transcriber(self, recognizer: WhisperTranscriber) -> WhisperTranscriber:
        return recognizer

    @pytest.fixture
    def speech(self, refusal: AudioClip) -> AudioClip:
        return refusal


def test_clear_speech_is_understood_word_for_word(recognizer: WhisperTranscriber, thanks: AudioClip) -> None:
    transcript = recognizer.transcribe(thanks)
    assert transcript.text == "Thank you so much, you have been very kind and helpful."
    assert (transcript.language, transcript.engine) == ("en", "whisper")
    assert transcript.confidence > 0.7


def test_words_have_times_on_the_callers_clock(recognizer: WhisperTranscriber, refusal: AudioClip) -> None:
    later = AudioClip(refusal.samples, refusal.sample_rate, captured_at=50.0)
    words = recognizer.transcribe(later).words
    assert [word.text for word in words] == ["No", "I", "do", "not", "want", "to", "pay", "for", "this"]
    assert all(50.0 <= word.interval.start <= word.interval.end <= 50.0 + refusal.duration_seconds for word in words)
    assert all(0.0 < word.confidence <= 1.0 for word in words)
    assert words[-1].interval.start > 51.5


def test_a_draft_looks_once_and_gives_no_times(
    recognizer: WhisperTranscriber, thanks: AudioClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    beams: list[int] = []
    decoded = WhisperTranscriber._decoded

    def looking(self: WhisperTranscriber, *arguments: Any, beam: int, **options: Any) -> Any:
        beams.append(beam)
        return replace(decoded(self, *arguments, beam=beam, **options), log_probability=-1.2)  # never sure

    monkeypatch.setattr(WhisperTranscriber, "_decoded", looking)
    cut = AudioClip(thanks.samples[: 2 * SAMPLE_RATE], SAMPLE_RATE)
    draft = recognizer.draft(cut)
    assert draft.text.startswith("Thank you so much")
    assert draft.words == ()
    assert len(beams) == 1
    assert recognizer.transcribe(cut).words
    assert len(beams) == 3


def music() -> npt.NDArray[np.float64]:
    """A tune of decaying notes, with overtones."""
    length = len(TIME) // len(NOTES)
    beat = TIME[:length]
    notes = [sum(np.exp(-3 * beat) * np.sin(2 * np.pi * f * k * beat) / k for k in (1, 2, 3, 4)) for f in NOTES]
    return 0.2 * np.concatenate(notes)


def noise(scale: float) -> npt.NDArray[np.float64]:
    return np.random.default_rng(0).normal(0, scale, len(TIME))


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(lambda: np.zeros(0), id="nothing"),
        pytest.param(lambda: np.zeros(1), id="one sample"),
        pytest.param(lambda: silence(1.0), id="silence"),
        pytest.param(lambda: noise(0.002), id="almost silence"),
        pytest.param(lambda: noise(0.2), id="noise"),
        pytest.param(lambda: np.cumsum(noise(0.003)), id="rumble"),
        pytest.param(lambda: 0.3 * np.sin(2 * np.pi * 50 * TIME) + 0.1 * np.sin(2 * np.pi * 150 * TIME), id="hum"),
        pytest.param(music, id="music"),
        pytest.param(lambda: 0.3 * np.sin(2 * np.pi * 1000 * TIME) * (TIME % 0.5 < 0.3), id="beeps"),
    ],
)
def test_where_nobody_speaks_there_are_no_words(
    recognizer: WhisperTranscriber, samples: Callable[[], npt.NDArray[np.float64]]
) -> None:
    transcript = recognizer.transcribe(sound(samples()))
    assert (transcript.text, transcript.words, transcript.confidence) == ("", (), 0.0)


def decoded(text: str, *, log_probability: float, no_speech: float = 0.1, seconds: float = 10.0) -> Decoded:
    return Decoded(
        tokens=(), text=text, log_probability=log_probability, no_speech=no_speech, was_cut=False, seconds=seconds
    )


@pytest.mark.parametrize(
    ("found", "is_made_up"),
    [
        pytest.param(decoded("You", log_probability=-1.9), True, id="a guess"),
        pytest.param(decoded("you", log_probability=-1.1, no_speech=0.9), True, id="unsure, and nobody speaks"),
        pytest.param(decoded("Thank you.", log_probability=-0.1, no_speech=0.9, seconds=1.0), False, id="sure"),
        pytest.param(decoded("It is a", log_probability=-0.9), True, id="a few words, half guessed, of long babble"),
        pytest.param(decoded("I am not sure", log_probability=-0.2), False, id="a slow speaker"),
        pytest.param(decoded("no", log_probability=-0.9, seconds=1.5), False, id="one word, half guessed"),
        pytest.param(decoded("...", log_probability=-0.1), True, id="signs alone"),
    ],
)
def test_what_is_made_up_is_told_by_the_models_doubts(found: Decoded, is_made_up: bool) -> None:
    assert found.is_made_up == is_made_up


def test_another_rate_is_refused(recognizer: WhisperTranscriber) -> None:
    with pytest.raises(InputError, match="16000 Hz, got 8000"):
        recognizer.transcribe(AudioClip(np.zeros(8_000, np.float32), 8_000))


def test_a_longer_clip_than_the_model_reads_is_refused(recognizer: WhisperTranscriber) -> None:
    with pytest.raises(InputError, match=r"31\.0 s long, more than 30 s"):
        recognizer.transcribe(sound(silence(31.0)))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("I would like to go to go to go to go to go to go", "I would like to go"),
        ("no no no no", "no no no no"),
        ("the the the the the the end", "the end"),
        ("Thank you. Thank you. Thank you.", "Thank you. Thank you. Thank you."),
        ("Help me, please. Help me, please. Help me, please. Now", "Help me, please. Now"),
        ("", ""),
    ],
)
def test_loops_are_cut_and_emphasis_stays(said: str, kept: str) -> None:
    words, was_cut = without_loops(said.split())
    assert " ".join(words) == kept
    assert was_cut == (said != kept)


def test_a_loop_compresses_and_a_sentence_does_not() -> None:
    assert compression_ratio("you know, you know, you know, you know, you know, you know, you know") > 2.4
    assert compression_ratio("I have been waiting for an hour and nobody helps me.") < 1.5
    assert compression_ratio("") == 0.0


def test_a_model_that_reads_english_only_refuses_another_language(model_place: Place) -> None:
    with pytest.raises(PluginError, match=r"tiny\.en reads English only.*'de'.*without \.en"):
        WhisperTranscriber(WhisperSettings(language="de"), model_place)


def test_a_processor_without_int8_instructions_computes_with_floats(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert whisper.compute_type() == "int8"
    monkeypatch.setattr("ctranslate2.get_supported_compute_types", lambda device: {"float32"})
    assert whisper.compute_type() == "float32"
    assert "computes no int8" in caplog.text
