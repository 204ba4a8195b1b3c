"""What the plugin's detectors share: geometry, and a way to keep what threads must not share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from mien import Box, Detection

Pixels = npt.NDArray[np.uint8]
"""uint8 RGB, ``[height, width, 3]``."""

T = TypeVar("T")


class PerThread(Generic[T]):
    """Something that threads must not share: each thread loads its own when it first asks."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._local = threading.local()

    def get(self) -> T:
        """The calling thread's own."""
        if not hasattr(self._local, "value"):
            self._local.value = self._load()
        value: T = self._local.value
        return value


def clip(box: Box, *, width: int, height: int) -> Box:
    """The part of a box that lies inside a picture; of no area where none does."""
    left, top = min(max(box.x, 0.0), width), min(max(box.y, 0.0), height)
    right, bottom = min(max(box.x + box.width, left), width), min(max(box.y + box.height, top), height)
    return Box(left, top, right - left, bottom - top)


def suppress(detections: Sequence[Detection], *, overlap: float) -> list[Detection]:
    """Keep the best of those that show the same face.

    Args:
        detections: In any order.
        overlap: Two boxes show the same face where their intersection covers more than this share of the smaller.

    Returns:
        Best score first; equals by size, then place, so that the result depends on nothing else.
    """
    ranked = sorted(detections, key=lambda found: (-found.score, -found.box.area, found.box.x, found.box.y))
    kept: list[Detection] = []
    for candidate in ranked:
        if all(_shared(candidate.box, other.box) <= overlap for other in kept):
            kept.append(candidate)
    return kept


def reduction(pixels: Pixels, *, long_side: int) -> float:
    """The factor, at most 1, that brings a picture's longer side to ``long_side`` pixels."""
    longest = int(max(pixels.shape[:2]))
    return min(1.0, long_side / longest)


def _shared(first: Box, second: Box) -> float:
    smaller = min(first.area, second.area)
    return first.intersection(second) / smaller if smaller > 0 else 1.0
