"""What of a camera is analysed: a picture every snapshot interval, and of it only what may be seen.

This is the host's own work, done once a picture and before any plugin is shown it. Nothing else in mien makes parts of
a picture black.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from mien.types import ImageFrame

EARLY_SECONDS: Final = 0.01
"""A picture this much early still counts as on time: cameras do not keep time to the millisecond."""

Region: TypeAlias = tuple[float, float, float, float]
"""Part of a picture as fractions (x, y, width, height) of its size."""


class Intake:
    """Picks the pictures of one camera. Used by one thread at a time."""

    def __init__(self, snapshot_interval_seconds: float, exclude_regions: Sequence[Region] = ()) -> None:
        """Start.

        Args:
            snapshot_interval_seconds: Seconds between two pictures that are taken; 0 takes each one.
            exclude_regions: Parts of the picture that nobody is shown.

        Raises:
            ValueError: The interval is negative or not finite, or a region is not four fractions in [0, 1].
        """
        if not 0.0 <= snapshot_interval_seconds < math.inf:
            raise ValueError(f"the interval must be finite and not negative, got {snapshot_interval_seconds}")
        for region in exclude_regions:
            if len(region) != 4 or not all(0.0 <= part <= 1.0 for part in region):
                raise ValueError(f"an excluded region is four fractions (x, y, width, height), got {region}")
        self._interval = snapshot_interval_seconds
        self._regions = tuple(exclude_regions)
        self._taken_at: float | None = None

    def take(self, frame: ImageFrame) -> ImageFrame | None:
        """The picture as it may be seen, if a snapshot is due; None otherwise."""
        if not self._is_due(frame.captured_at):
            return None
        self._taken_at = frame.captured_at
        return blanked(frame, self._regions)

    def _is_due(self, now: float) -> bool:
        """A late picture is dropped; one from long before the last says that the clock was set back, and counts."""
        return self._taken_at is None or abs(now - self._taken_at) >= self._interval - EARLY_SECONDS


def blanked(frame: ImageFrame, regions: Sequence[Region]) -> ImageFrame:
    """The picture with regions made black, rounded outwards to whole pixels; the frame itself where there are none.

    Args:
        frame: A picture; it is left as it is.
        regions: What to leave out.
    """
    if not regions:
        return frame
    pixels = frame.pixels.copy()
    height, width = pixels.shape[:2]
    for x, y, across, down in regions:
        rows = slice(math.floor(y * height), math.ceil((y + down) * height))
        columns = slice(math.floor(x * width), math.ceil((x + across) * width))
        pixels[rows, columns] = 0
    return replace(frame, pixels=pixels)
