"""Continuous sound into utterances: where one begins, where it ends, and what is none.

A detector says how likely each frame is speech. What it lacks is added here: two thresholds, pre-roll, a timer that
keeps a sentence with a pause together, and a longest utterance with a forced cut. It is told no wall-clock time: all
times follow from the samples and the caller's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mien import AudioClip
from mien_voice.audio import SAMPLE_RATE
from mien_voice.settings import SegmentationSettings
from mien_voice.voiceactivity import FRAME, FRAME_SECONDS, SpeechDetector

GAP_SECONDS: Final = 0.25
"""Where two pieces of sound are further apart than this on the caller's clock, what lies between was lost: the
utterance ends with the first piece. Less is the jitter of a capturing device."""

HYSTERESIS: Final = 0.15
"""Speech goes on while its probability is no further than this under the threshold (as in Silero's own use)."""

_CUT_SEARCH: Final = 0.2  # the last fifth of an utterance that is too long is searched for its quietest point
_QUIET_WINDOW: Final = SAMPLE_RATE // 50  # 20 ms


@dataclass(frozen=True, slots=True, eq=False)
class SpeechClip(AudioClip):
    """One utterance, already cut out: the analyzer does not look for more in it."""


def cut_into_utterances(clip: AudioClip, settings: SegmentationSettings) -> list[SpeechClip]:
    """All utterances of one clip (16 kHz mono) at once, with their times."""
    segmenter = Segmenter(settings)
    return segmenter.push(clip) + segmenter.flush()


class Segmenter:
    """Cuts one stream of sound. Used by one thread at a time."""

    def __init__(self, settings: SegmentationSettings) -> None:
        self._settings = settings
        self._run: _Run | None = None

    @property
    def held_seconds(self) -> float:
        """Sound that is kept because it may become part of an utterance."""
        return self._run.held_seconds if self._run is not None else 0.0

    @property
    def speaking(self) -> SpeechClip | None:
        """What has been said of an utterance that goes on, up to its last moment of speech.

        None where nobody speaks, or not for long enough to be one.
        """
        return self._run.speaking if self._run is not None else None

    def push(self, clip: AudioClip) -> list[SpeechClip]:
        """Take in the next piece (16 kHz mono, any length) and give back the utterances that have ended."""
        finished: list[SpeechClip] = []
        if self._run is not None and abs(clip.captured_at - self._run.end_time) > GAP_SECONDS:
            finished += self._run.flush()
            self._run = None
        if self._run is None:
            self._run = _Run(self._settings, clip.captured_at)
        return finished + self._run.push(clip.samples)

    def flush(self) -> list[SpeechClip]:
        """The stream ends: give back the utterance that is still open."""
        run, self._run = self._run, None
        return run.flush() if run is not None else []


class _Run:
    """A stretch of sound without gaps. Positions are samples since its start."""

    def __init__(self, settings: SegmentationSettings, start_time: float) -> None:
        self._settings = settings
        self._start_time = start_time
        self._detector = SpeechDetector()
        self._buffer = np.zeros(0, np.float32)
        self._buffer_start = 0  # position of the buffer's first sample
        self._seen = 0  # position up to which the detector has listened
        self._active = False  # the last frame was speech
        self._open: int | None = None  # where the open utterance starts
        self._speech_frames = 0  # of the open utterance
        self._last_active = 0  # where activity was last seen to end
        self._last_cut = 0  # nothing before it may be given out again

    @property
    def end_time(self) -> float:
        """When the last sample was heard."""
        return self._start_time + (self._buffer_start + len(self._buffer)) / SAMPLE_RATE

    @property
    def held_seconds(self) -> float:
        return len(self._buffer) / SAMPLE_RATE

    @property
    def speaking(self) -> SpeechClip | None:
        if self._open is None or not self._is_speech:
            return None
        samples = self._piece(self._open, max(self._last_active, self._open))
        return SpeechClip(samples, SAMPLE_RATE, self._start_time + self._open / SAMPLE_RATE)

    @property
    def _is_speech(self) -> bool:
        """Whether there is enough speech in the open utterance."""
        return self._speech_frames * FRAME_SECONDS >= self._settings.min_speech_seconds

    def push(self, samples: npt.NDArray[np.float32]) -> list[SpeechClip]:
        self._buffer = np.concatenate([self._buffer, samples])
        frames = (self._buffer_start + len(self._buffer) - self._seen) // FRAME
        finished: list[SpeechClip] = []
        for probability in self._detector.probabilities(self._piece(self._seen, self._seen + frames * FRAME)):
            finished += self._heard(float(probability))
        self._forget()
        return finished

    def flush(self) -> list[SpeechClip]:
        if self._open is None:
            return []
        end = self._buffer_start + len(self._buffer)
        if not self._active:
            end = min(end, self._last_active + _samples(self._settings.post_roll_seconds))
        return self._close(end)

    def _heard(self, probability: float) -> list[SpeechClip]:
        """One more frame, and how likely it is speech."""
        threshold = self._settings.speech_threshold
        self._active = probability >= (threshold - HYSTERESIS if self._active else threshold)
        if self._active:
            if self._open is None:
                start = self._seen - _samples(self._settings.pre_roll_seconds)
                self._open, self._speech_frames = max(start, self._last_cut, self._buffer_start), 0
            self._speech_frames += 1
            self._last_active = self._seen + FRAME
        self._seen += FRAME
        if self._open is None:
            return []
        if self._seen - self._last_active >= _samples(self._settings.end_silence_seconds):
            return self._close(self._last_active + _samples(self._settings.post_roll_seconds))
        if self._seen - self._open >= _samples(self._settings.max_utterance_seconds):
            return self._force_cut()
        return []

    def _force_cut(self) -> list[SpeechClip]:
        """Cut where it is quietest near the end, and go on from there."""
        window = _samples(self._settings.max_utterance_seconds * _CUT_SEARCH)
        tail = self._piece(self._seen - window, self._seen)
        level = np.convolve(tail**2, np.ones(_QUIET_WINDOW, np.float32), mode="valid")
        cut = self._seen - window + int(level.argmin()) + _QUIET_WINDOW // 2
        finished = self._close(cut)
        if self._last_active > cut:
            self._open, self._speech_frames = cut, (self._last_active - cut) // FRAME
        return finished

    def _close(self, end: int) -> list[SpeechClip]:
        """End the open utterance; it is given out if there is enough speech in it."""
        assert self._open is not None  # noqa: S101 - the callers have looked
        start, self._open, self._last_cut = self._open, None, end
        if not self._is_speech:
            return []
        samples = self._piece(start, end)
        return [SpeechClip(samples.copy(), SAMPLE_RATE, self._start_time + start / SAMPLE_RATE)]

    def _piece(self, start: int, end: int) -> npt.NDArray[np.float32]:
        return self._buffer[start - self._buffer_start : end - self._buffer_start]

    def _forget(self) -> None:
        """Drop what can no longer be part of an utterance."""
        keep = self._open if self._open is not None else self._seen - _samples(self._settings.pre_roll_seconds)
        drop = max(min(keep, self._seen) - self._buffer_start, 0)
        self._buffer = self._buffer[drop:]
        self._buffer_start += drop


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
