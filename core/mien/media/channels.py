"""Several channels into one, so that what is said stays as loud as it was recorded.

The mean does that for two microphones in one room. It loses everything where one of two channels was wired the wrong
way round, and most where speech is on one of six.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_SILENT: Final = 0.01
"""Of the loudest channel's level (-40 dB): a quieter channel is one that nothing was plugged into."""

_LOST: Final = 0.3
"""Of the loudest channel's level. The mean of eight channels that have nothing in common keeps 0.35, the mean of two
that contradict each other or of six of which one speaks keeps less."""


_BLOCK: Final = 1 << 18


def mono(frames: npt.NDArray[np.float32], *, is_whole: bool = True) -> npt.NDArray[np.float32]:
    """The mean of the channels that hold sound, or the loudest channel where the mean would lose it.

    Args:
        frames: ``[time, channels]``.
        is_whole: This is a recording, and not a piece of one: of a piece, a channel that is silent is no less a
            channel, for in the next piece it may speak, and the level must not jump.

    Returns:
        ``[time]``.
    """
    if frames.shape[1] == 1:
        return frames[:, 0]
    levels = _levels(frames)
    loudest = int(levels.argmax())
    heard = frames[:, levels >= _SILENT * levels[loudest]] if is_whole else frames
    mean = np.asarray(heard.mean(axis=1), np.float32)
    if _levels(mean[:, np.newaxis])[0] < _LOST * levels[loudest]:
        return np.ascontiguousarray(frames[:, loudest])
    return mean


def _levels(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Each channel's level without what is constant in it: an offset is no sound."""
    total = np.zeros(frames.shape[1])
    squares = np.zeros(frames.shape[1])
    for start in range(0, len(frames), _BLOCK):  # what is needed in float64 need not be a second recording
        block = frames[start : start + _BLOCK].astype(np.float64)
        total += block.sum(axis=0)
        squares += (block**2).sum(axis=0)
    count = max(1, len(frames))
    return np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0.0))
