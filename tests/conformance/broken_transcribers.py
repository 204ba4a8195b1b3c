"""Transcribers that break one rule each, with right ones to compare."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mien import (
    AudioClip,
    TimeInterval,
    Transcriber,
    Transcript,
    Word,
)
from mien.testing import FakeTranscriber

LONG = 30.0
"""Longer than any test waits, seconds."""


class Hearing(FakeTranscriber):
    """Dates its words. Keeps every rule."""

    def transcribe(self, clip: AudioClip) -> Transcript:
        heard = super().transcribe(clip)
        span = TimeInterval(clip.captured_at, clip.captured_at + clip.duration_seconds)
        return replace(heard, words=(Word(heard.text, span),) if heard.text else ())


class HearsFromZero(FakeTranscriber):
    def transcribe(self, clip: AudioClip) -> Transcript:
        heard = super().transcribe(clip)
        return replace(heard, words=(Word(heard.text, TimeInterval(0.0, clip.duration_seconds)),) if heard.text else ())


class NumpyConfidence(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        return replace(super().transcribe(clip), confidence=np.float32(0.5))  # type: ignore[arg-type]


class NumpyWords(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        heard = super().transcribe(clip)
        at = np.float64(clip.captured_at)
        return replace(heard, words=(Word(heard.text, TimeInterval(at, at)),) if heard.text else ())


class Normalises(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        if len(clip.samples) and np.abs(clip.samples).max() > 0:
            np.divide(clip.samples, np.abs(clip.samples).max(), out=clip.samples)
        return super().transcribe(clip)


class WantsSound(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        float(np.abs(clip.samples).max())
        return super().transcribe(clip)


class Remembers(Hearing):
    def __init__(self) -> None:
        super().__init__()
        self.history: list[Transcript] = []

    def transcribe(self, clip: AudioClip) -> Transcript:
        self.history.append(super().transcribe(clip))
        return self.history[-1]


class ClosesSlowly(Hearing):
    def close(self) -> None:
        threading.Event().wait(LONG)


class StepsAside(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        os.chdir("/" if os.getcwd() != "/" else "/tmp")  # noqa: PTH109
        return super().transcribe(clip)


class Stuck(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        threading.Event().wait(LONG)
        return super().transcribe(clip)


TRANSCRIBERS: dict[str, tuple[Callable[[], Transcriber], str]] = {
    "hears_from_zero": (HearsFromZero, "test_words_keep_the_callers_clock"),
    "numpy_confidence": (NumpyConfidence, "test_numbers_are_plain"),
    "numpy_words": (NumpyWords, "test_numbers_are_plain"),
    "normalises_in_place": (Normalises, "test_sound_is_left_as_it_was"),
    "wants_sound": (WantsSound, "test_odd_sound_is_survived"),
    "remembers": (Remembers, "test_memory_does_not_grow"),
    "closes_slowly": (ClosesSlowly, "test_close_can_be_repeated"),
    "steps_aside": (StepsAside, "test_the_process_is_left_as_it_was"),
    "stuck": (Stuck, "test_speech_gives_words"),
}
