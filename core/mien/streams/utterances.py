"""Continuous sound into utterances, by level or by whatever else tells speech from silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mien.types import AudioClip

Samples: TypeAlias = npt.NDArray[np.float32]
IsSpeech: TypeAlias = Callable[[Samples, int], bool]
"""Whether a frame is speech: float32 mono ``[time]``, and its rate."""

FRAME_SECONDS: Final = 0.02
"""What is asked about at a time."""
GAP_SECONDS: Final = 0.25
"""Pieces whose times are further apart have lost something between them: the utterance ends there."""


class UtteranceCutter:
    """Cuts one stream of sound. Used by one thread at a time; told no time but that of the samples.

    It holds no more than the longest utterance.
    """

    def __init__(
        self,
        *,
        is_speech: IsSpeech | None = None,
        level: float = 0.01,
        min_speech_seconds: float = 0.2,
        end_silence_seconds: float = 0.6,
        pre_roll_seconds: float = 0.2,
        max_seconds: float = 30.0,
    ) -> None:
        """Begin with silence.

        Args:
            is_speech: Tells speech from silence, frame by frame; None goes by the level.
            level: Root mean square from which a frame is taken for speech, where nothing else tells.
            min_speech_seconds: With less speech it is no utterance.
            end_silence_seconds: So long a silence ends one.
            pre_roll_seconds: What is kept of the time before it.
            max_seconds: A longer one is cut.

        Raises:
            ValueError: ``max_seconds`` is not longer than what is kept before and after speech.
        """
        if not max_seconds > pre_roll_seconds + min_speech_seconds:
            raise ValueError(f"max_seconds must be longer than pre-roll and least speech together, got {max_seconds}")
        self._is_speech = is_speech or (lambda frame, rate: float(np.sqrt(np.mean(np.square(frame)))) >= level)
        self._min_speech = min_speech_seconds
        self._end_silence = end_silence_seconds
        self._pre_roll = pre_roll_seconds
        self._max = max_seconds
        self._rate = 0
        self._held: Samples = np.zeros(0, np.float32)
        self._start = 0.0  # of what is held
        self._seen = 0
        self._speech = 0  # samples of the open utterance that are speech
        self._silence = 0  # since the last of them
        self._is_open = False

    def push(self, clip: AudioClip) -> list[AudioClip]:
        """Take the next piece in, of any length, and give back the utterances that have ended."""
        ended: list[AudioClip] = []
        is_gap = abs(clip.captured_at - self._end) > GAP_SECONDS
        if clip.sample_rate != self._rate or is_gap:
            ended = self.flush()
            self._rate = clip.sample_rate
            self._reset(clip.captured_at)
        self._held = np.concatenate([self._held, clip.samples])
        frame = max(1, round(FRAME_SECONDS * self._rate))
        while len(self._held) - self._seen >= frame:
            ended += self._hear(self._held[self._seen : self._seen + frame])
        return ended

    def flush(self) -> list[AudioClip]:
        """The stream ends: give back the utterance that is still open."""
        ended = self._close(len(self._held)) if self._is_open else []
        self._reset(self._end)
        return ended

    @property
    def _end(self) -> float:
        return self._start + (len(self._held) / self._rate if self._rate else 0.0)

    def _reset(self, at: float) -> None:
        self._held = self._held[:0]
        self._start, self._seen, self._speech, self._silence, self._is_open = at, 0, 0, 0, False

    def _hear(self, frame: Samples) -> list[AudioClip]:
        self._seen += len(frame)
        if self._is_speech(frame, self._rate):
            self._is_open, self._silence = True, 0
            self._speech += len(frame)
        else:
            self._silence += len(frame)
        if not self._is_open:
            self._drop(self._seen - round(self._pre_roll * self._rate))
            return []
        if self._silence >= self._end_silence * self._rate or self._seen >= self._max * self._rate:
            return self._close(self._seen)
        return []

    def _close(self, end: int) -> list[AudioClip]:
        """End the open utterance after so many of the held samples."""
        enough = self._speech >= self._min_speech * self._rate
        said = [AudioClip(self._held[:end].copy(), self._rate, self._start)] if enough else []
        self._drop(end)
        self._is_open, self._speech, self._silence = False, 0, 0
        return said

    def _drop(self, count: int) -> None:
        if count > 0:
            self._held = self._held[count:].copy()
            self._start += count / self._rate
            self._seen = max(0, self._seen - count)
