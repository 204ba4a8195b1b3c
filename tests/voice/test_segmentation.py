"""Where utterances begin and end, and what is none."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from voice.conftest import silence, sound

from mien import AudioClip
from mien_voice.audio import SAMPLE_RATE
from mien_voice.segmentation import Segmenter, SpeechClip, cut_into_utterances
from mien_voice.settings import SegmentationSettings

SETTINGS = SegmentationSettings()
FIVE_SECONDS = np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE


def noise(scale: float, seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, scale, len(FIVE_SECONDS))


def push_in_pieces(clip: AudioClip, seconds: float, settings: SegmentationSettings = SETTINGS) -> list[SpeechClip]:
    segmenter = Segmenter(settings)
    step = round(seconds * SAMPLE_RATE)
    found: list[SpeechClip] = []
    for start in range(0, len(clip.samples), step):
        found += segmenter.push(
            AudioClip(clip.samples[start : start + step], SAMPLE_RATE, clip.captured_at + start / SAMPLE_RATE)
        )
    return found + segmenter.flush()


def test_an_utterance_is_cut_out_with_its_times_on_the_callers_clock(thanks: AudioClip) -> None:
    padded = sound(np.concatenate([silence(2), thanks.samples, silence(2)]), at=100.0)
    (utterance,) = cut_into_utterances(padded, SETTINGS)
    assert utterance.captured_at == pytest.approx(102.0, abs=0.35)
    assert utterance.captured_at + utterance.duration_seconds == pytest.approx(
        102.0 + thanks.duration_seconds, abs=0.35
    )


def test_the_first_syllable_is_kept(thanks: AudioClip) -> None:
    loud = np.flatnonzero(np.abs(thanks.samples) > 0.02)[0] / SAMPLE_RATE
    (utterance,) = cut_into_utterances(sound(np.concatenate([silence(1), thanks.samples, silence(1)])), SETTINGS)
    assert utterance.captured_at < 1.0 + loud


def test_a_pause_inside_a_sentence_does_not_end_it(refusal: AudioClip) -> None:
    assert len(cut_into_utterances(sound(np.concatenate([refusal.samples, silence(1)])), SETTINGS)) == 1
    hasty = SegmentationSettings(end_silence_seconds=0.1, post_roll_seconds=0.05)
    two = np.concatenate([refusal.samples, silence(0.2), refusal.samples, silence(1)])
    assert len(cut_into_utterances(sound(two), SETTINGS)) == 1
    assert len(cut_into_utterances(sound(two), hasty)) > 1


def test_a_long_pause_separates_two_utterances(thanks: AudioClip, refusal: AudioClip) -> None:
    both = sound(np.concatenate([thanks.samples, silence(1.5), refusal.samples, silence(1)]))
    first, second = cut_into_utterances(both, SETTINGS)
    assert first.captured_at + first.duration_seconds < second.captured_at
    assert second.captured_at == pytest.approx(thanks.duration_seconds + 1.5, abs=0.35)


def test_the_size_of_the_pieces_changes_nothing(thanks: AudioClip, refusal: AudioClip) -> None:
    both = sound(np.concatenate([silence(0.5), thanks.samples, silence(1.5), refusal.samples, silence(1)]), at=7.0)
    whole = cut_into_utterances(both, SETTINGS)
    for seconds in (0.01, 0.1, 0.33):
        pieces = push_in_pieces(both, seconds)
        assert [(p.captured_at, len(p.samples)) for p in pieces] == [(w.captured_at, len(w.samples)) for w in whole]


def test_an_utterance_is_given_out_when_it_has_ended_and_not_at_the_end_of_the_stream(thanks: AudioClip) -> None:
    segmenter = Segmenter(SETTINGS)
    assert segmenter.push(thanks) == []
    assert len(segmenter.push(sound(silence(1), at=thanks.duration_seconds))) == 1
    assert segmenter.flush() == []


def test_flush_gives_out_what_is_still_being_said(thanks: AudioClip) -> None:
    segmenter = Segmenter(SETTINGS)
    half = thanks.samples[: len(thanks.samples) // 2]
    assert segmenter.push(sound(half)) == []
    (utterance,) = segmenter.flush()
    assert utterance.duration_seconds == pytest.approx(len(half) / SAMPLE_RATE, abs=0.1)
    assert segmenter.flush() == []


def test_an_utterance_that_is_too_long_is_cut_without_losing_a_sample(thanks: AudioClip) -> None:
    settings = SegmentationSettings(max_utterance_seconds=5.0)
    talk = np.concatenate([thanks.samples] * 4)
    utterances = cut_into_utterances(sound(talk), settings)
    assert len(utterances) >= 3
    assert all(utterance.duration_seconds <= 5.0 for utterance in utterances)
    for before, after in itertools.pairwise(utterances):
        assert after.captured_at == pytest.approx(before.captured_at + before.duration_seconds, abs=1e-6)


def test_sound_that_was_lost_ends_the_utterance(thanks: AudioClip, refusal: AudioClip) -> None:
    segmenter = Segmenter(SETTINGS)
    segmenter.push(thanks)
    (first,) = segmenter.push(sound(refusal.samples, at=60.0))
    (second,) = segmenter.flush()
    assert first.captured_at + first.duration_seconds <= thanks.duration_seconds + 1e-6
    assert second.captured_at >= 60.0


def test_memory_does_not_grow_with_silence() -> None:
    segmenter = Segmenter(SETTINGS)
    for second in range(60):
        segmenter.push(sound(silence(1), at=float(second)))
    assert segmenter.held_seconds < 3.0


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(lambda: np.zeros(0), id="nothing"),
        pytest.param(lambda: np.zeros(1), id="one sample"),
        pytest.param(lambda: np.zeros_like(FIVE_SECONDS), id="silence"),
        pytest.param(lambda: np.full_like(FIVE_SECONDS, 0.5), id="DC only"),
        pytest.param(lambda: noise(0.1), id="white noise"),
        pytest.param(lambda: np.clip(noise(3.0), -1, 1), id="clipped noise"),
        pytest.param(lambda: np.cumsum(noise(0.01)), id="rumble"),
        pytest.param(lambda: noise(0.1) * (FIVE_SECONDS % 0.4 < 0.2), id="bursts of noise"),
        pytest.param(lambda: 0.3 * np.sin(2 * np.pi * 50 * FIVE_SECONDS) + noise(0.02), id="hum"),
        pytest.param(lambda: 0.5 * np.sin(2 * np.pi * 440 * FIVE_SECONDS), id="a tone"),
        pytest.param(lambda: np.sign(np.sin(2 * np.pi * 300 * FIVE_SECONDS)), id="a clipped tone"),
        pytest.param(lambda: 0.5 * np.sin(2 * np.pi * 1000 * FIVE_SECONDS) * (FIVE_SECONDS % 1 < 0.3), id="beeps"),
        pytest.param(lambda: 0.9 * (np.arange(len(FIVE_SECONDS)) % 8000 < 20), id="clicks"),
    ],
)
def test_what_is_not_speech_gives_no_utterance(samples: Callable[[], npt.NDArray[np.float64]]) -> None:
    assert cut_into_utterances(sound(samples()), SETTINGS) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda x: x * 0.05, id="quiet"),
        pytest.param(lambda x: x * 20, id="heavily clipped"),
        pytest.param(lambda x: x + 0.2, id="with DC"),
        pytest.param(lambda x: x + np.random.default_rng(1).normal(0, 0.03, len(x)), id="with noise"),
    ],
)
def test_speech_is_found_in_poor_sound(
    thanks: AudioClip, change: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float64]]
) -> None:
    padded = np.concatenate([silence(1), thanks.samples, silence(1)])
    assert len(cut_into_utterances(sound(change(padded)), SETTINGS)) == 1
