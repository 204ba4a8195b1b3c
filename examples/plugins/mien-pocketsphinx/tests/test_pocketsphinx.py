"""The embedded recogniser on clear synthetic speech."""

from __future__ import annotations

import numpy as np
import pytest

from mien import AudioClip, InputError
from mien.testing import TranscriberConformance
from mien_pocketsphinx.transcriber import PocketSphinxTranscriber


class TestConformance(TranscriberConformance):
    @pytest.fixture
    def transcriber(self, recognizer: PocketSphinxTranscriber) -> PocketSphinxTranscriber:
        return recognizer

    @pytest.fixture
    def speech(self, few_words: AudioClip) -> AudioClip:
        return few_words


def test_clear_speech_is_understood_word_for_word(recognizer: PocketSphinxTranscriber, refusal: AudioClip) -> None:
    transcript = recognizer.transcribe(refusal)
    assert transcript.text == "no i do not want to pay for this"
    assert (transcript.language, transcript.engine) == ("en-US", "pocketsphinx")
    assert transcript.confidence > 0.7


def test_words_have_times_on_the_callers_clock(recognizer: PocketSphinxTranscriber, refusal: AudioClip) -> None:
    later = AudioClip(refusal.samples, refusal.sample_rate, captured_at=50.0)
    words = recognizer.transcribe(later).words
    assert [word.text for word in words] == ["no", "i", "do", "not", "want", "to", "pay", "for", "this"]
    assert all(
        50.0 <= word.interval.start < word.interval.end <= 50.0 + refusal.duration_seconds + 0.01 for word in words
    )
    assert all(0.0 < word.confidence <= 1.0 for word in words)


def test_an_answer_does_not_depend_on_what_was_heard_before(
    recognizer: PocketSphinxTranscriber, refusal: AudioClip, thanks: AudioClip
) -> None:
    first = recognizer.transcribe(refusal)
    recognizer.transcribe(thanks)
    assert recognizer.transcribe(refusal) == first


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.zeros(0), id="nothing"),
        pytest.param(np.zeros(1), id="one sample"),
        pytest.param(np.zeros(16_000), id="silence"),
        pytest.param(np.full(16_000, 1e-4), id="almost silence"),
    ],
)
def test_nothing_said_is_an_empty_text(recognizer: PocketSphinxTranscriber, samples: np.ndarray) -> None:
    transcript = recognizer.transcribe(AudioClip(samples.astype(np.float32), 16_000))
    assert (transcript.text, transcript.words, transcript.confidence) == ("", (), 0.0)


def test_another_rate_is_refused(recognizer: PocketSphinxTranscriber) -> None:
    with pytest.raises(InputError, match="16000 Hz, got 8000"):
        recognizer.transcribe(AudioClip(np.zeros(8_000, np.float32), 8_000))
