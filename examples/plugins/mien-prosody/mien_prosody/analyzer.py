"""The analyzer: sound in, how animated the voice is out; and a stream that cuts a session's sound into utterances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from mien import (
    Analyzer,
    AudioClip,
    InputError,
    Prediction,
    Sample,
    Stream,
    StreamSettings,
    TimeInterval,
)
from mien.streams import UtteranceCutter
from mien_prosody.melody import Melody, measure
from mien_prosody.plugin import INFO
from mien_prosody.settings import PluginSettings

USUAL_RANGE: Final = 2.5
"""Semitones of pitch range of somebody who just talks."""
USUAL_RATE: Final = 4.0
"""Syllables a second of somebody who just talks."""
USUAL_LEVEL_RANGE: Final = 6.0
"""Decibels of level range, likewise."""
SLOPE: Final = 1.6
"""How soon a voice that is not as usual counts as animated or flat."""
VALENCE: Final = 0.4
"""Melody tells arousal far better than valence, so that even the liveliest voice stays so near to neutral."""
SURE_SECONDS: Final = 2.0
"""So much voice is enough to trust the measures."""


class ProsodyAnalyzer(Analyzer):
    """How animated, even or flat a voice is, by its melody; no word is recognised."""

    def __init__(self, settings: PluginSettings) -> None:
        """There is nothing to load."""
        self._settings = settings

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        """One prediction for each sound with a voice in it.

        Raises:
            InputError: A sample is no sound.
        """
        return [self._analyze(sample) for sample in samples]

    def open_stream(self, settings: StreamSettings) -> Stream:
        """A stream that gives whole utterances."""
        return ProsodyStream()

    def _analyze(self, sample: Sample) -> list[Prediction]:
        if not isinstance(sample, AudioClip):
            raise InputError(f"prosody takes sound, not a {type(sample).__name__}")
        melody = measure(sample.samples, sample.sample_rate)
        if melody is None or melody.voiced_seconds < self._settings.min_voiced_seconds:
            return []
        emotions = emotions_of(melody)
        valence = VALENCE * (emotions["animated"] - emotions["flat"])
        return [
            Prediction(
                modality=INFO.modality,
                emotions=emotions,
                valence=valence,
                satisfaction=0.5 + valence / 2.0,
                confidence=self._settings.max_confidence * min(1.0, melody.voiced_seconds / SURE_SECONDS),
                interval=TimeInterval(sample.captured_at, sample.captured_at + sample.duration_seconds),
            )
        ]


class ProsodyStream(Stream):
    """Pieces of sound in, utterances out."""

    def __init__(self) -> None:
        self._cutter = UtteranceCutter()

    def push(self, sample: Sample) -> list[Sample]:
        """Take a piece in, and give back the utterances that have ended."""
        return [*self._cutter.push(sample)] if isinstance(sample, AudioClip) else []

    def flush(self) -> list[Sample]:
        """Give back the utterance that is still open."""
        return [*self._cutter.flush()]


def emotions_of(melody: Melody) -> dict[str, float]:
    """Animated, even and flat as probabilities, from how far each measure is from what is usual."""
    unusual = (
        math.log(max(melody.pitch_range, 0.1) / USUAL_RANGE)
        + 0.5 * math.log(max(melody.rate, 0.5) / USUAL_RATE)
        + 0.5 * math.log(max(melody.level_range, 0.5) / USUAL_LEVEL_RANGE)
        - 0.5 * melody.pauses
    )
    weights = {"animated": math.exp(SLOPE * unusual), "even": 1.5, "flat": math.exp(-SLOPE * unusual)}
    total = math.fsum(weights.values())
    return {label: weights[label] / total for label in INFO.labels}
