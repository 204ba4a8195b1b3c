"""What a voice does beside words: pitch, energy, pauses and the rate of syllables, with numpy and nothing else.

Pitch is the first strong peak of each frame's autocorrelation, corrected for the window (Boersma 1993); syllables are
peaks of the energy that stand out by 2 dB (after de Jong and Wempe 2009). Both are made for one speaker close by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FRAME_SECONDS: Final = 0.04
HOP_SECONDS: Final = 0.01
LOWEST_HZ: Final = 70.0
HIGHEST_HZ: Final = 400.0
VOICED: Final = 0.45
"""Height of the autocorrelation's peak from which a frame has a pitch."""
PAUSE_SECONDS: Final = 0.15
"""So long a silence within speech is a pause."""
SYLLABLE_DB: Final = 2.0
"""How far the energy falls between two syllables."""
QUIET_DB: Final = 25.0
"""Frames so far below the loudest are silence."""


@dataclass(frozen=True, slots=True)
class Melody:
    """The measures of one stretch of speech.

    Attributes:
        pitch_hz: Median pitch; 0 where nothing is voiced.
        pitch_range: Spread of the pitch: standard deviation in semitones.
        level_db: Root mean square of what is no pause, decibels below full scale.
        level_range: Spread of the level among what is no pause: standard deviation in decibels.
        pauses: Share of the time from the first to the last sound that is pause, [0, 1].
        rate: Syllables a second of what is no pause.
        voiced_seconds: How much there was to hear a pitch in.
    """

    pitch_hz: float
    pitch_range: float
    level_db: float
    level_range: float
    pauses: float
    rate: float
    voiced_seconds: float


def measure(samples: npt.NDArray[np.float32], rate: int) -> Melody | None:
    """Measure float32 mono ``[time]``; None where there is nothing to hear.

    Args:
        samples: The sound.
        rate: Samples a second, Hz.
    """
    frames = _frames(samples, rate)  # [frames, time]
    if not len(frames):
        return None
    levels = 10.0 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12)  # [frames], decibels
    loud = levels > max(float(levels.max()) - QUIET_DB, -60.0)
    if not loud.any():
        return None
    heard = np.flatnonzero(loud)
    first, last = int(heard[0]), int(heard[-1]) + 1
    silent = _pauses(loud[first:last])
    sounding = levels[first:last][~silent]
    seconds = len(sounding) * HOP_SECONDS
    pitches = _pitches(frames[loud], rate)
    semitones = 12.0 * np.log2(pitches / LOWEST_HZ) if len(pitches) else np.zeros(1)
    return Melody(
        pitch_hz=float(np.median(pitches)) if len(pitches) else 0.0,
        pitch_range=float(_spread(semitones)),
        level_db=float(sounding.mean()),
        level_range=float(sounding.std()),
        pauses=float(silent.mean()),
        rate=_syllables(levels[first:last]) / max(seconds, FRAME_SECONDS),
        voiced_seconds=len(pitches) * HOP_SECONDS,
    )


def _frames(samples: npt.NDArray[np.float32], rate: int) -> Floats:
    size, hop = round(FRAME_SECONDS * rate), max(1, round(HOP_SECONDS * rate))
    if len(samples) < size or size < 2:
        return np.zeros((0, 2))
    clipped = np.clip(samples, -1.0, 1.0)
    return np.lib.stride_tricks.sliding_window_view(clipped, size)[::hop].astype(np.float64)


def _pitches(frames: Floats, rate: int) -> Floats:
    """Pitch of each frame that has one, Hz, ``[voiced]``."""
    size = frames.shape[1]
    window = np.hanning(size)
    windowed = (frames - frames.mean(axis=1, keepdims=True)) * window
    length = 1 << math.ceil(math.log2(2 * size))
    power = np.abs(np.fft.rfft(windowed, length)) ** 2
    own = np.fft.irfft(power)[:, :size]  # [frames, lag]
    of_window = np.fft.irfft(np.abs(np.fft.rfft(window, length)) ** 2)[:size]
    shortest, longest = max(1, int(rate / HIGHEST_HZ)), min(int(rate / LOWEST_HZ), size - 2)
    if longest <= shortest:
        return np.zeros(0)
    lags = slice(shortest, longest + 1)
    height = own[:, lags] / np.maximum(own[:, :1], 1e-12) / np.maximum(of_window[lags] / of_window[0], 0.1)
    best = height.argmax(axis=1)
    # The first peak that is nearly as high as the highest: the others are its multiples.
    nearly = height >= 0.9 * np.take_along_axis(height, best[:, None], axis=1)
    first = nearly.argmax(axis=1)
    rising = np.arange(height.shape[1])[None, :] >= first[:, None]
    falls = np.diff(height, axis=1, append=-1.0) < 0.0
    peak = (rising & falls).argmax(axis=1)
    strong = np.take_along_axis(height, peak[:, None], axis=1)[:, 0] >= VOICED
    pitches: Floats = rate / (peak[strong] + shortest)
    return pitches


def _pauses(loud: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which frames are part of a silence that is long enough to be a pause."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], loud, [True]]).astype(np.int8)))
    silent = np.zeros(len(loud), np.bool_)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if (end - start) * HOP_SECONDS >= PAUSE_SECONDS:
            silent[start:end] = True
    return silent


def _syllables(levels: Floats) -> int:
    """Peaks of the level that stand out from what lies between them."""
    smooth = np.convolve(levels, np.ones(5) / 5.0, mode="same")
    floor = float(smooth.max()) - QUIET_DB
    count, is_rising, extreme = 0, True, -math.inf  # the highest so far while it rises, else the lowest
    for level in smooth.tolist():
        if is_rising:
            extreme = max(extreme, level)
            if level <= extreme - SYLLABLE_DB:
                count, is_rising, extreme = count + int(extreme > floor), False, level
        else:
            extreme = min(extreme, level)
            if level >= extreme + SYLLABLE_DB:
                is_rising, extreme = True, level
    return count + int(is_rising and extreme > floor)


def _spread(values: Floats) -> float:
    """A standard deviation that a few octave errors do not move: from the middle half of the values."""
    low, high = np.percentile(values, [25.0, 75.0])
    return float(high - low) / 1.349
