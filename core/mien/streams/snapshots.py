"""Which pictures of a stream are due, by the caller's clock."""

from __future__ import annotations

import math

_JITTER = 0.1  # of the interval: cameras are never quite on time


class Snapshots:
    """One picture an interval. Used by one thread at a time."""

    def __init__(self, *, interval_seconds: float) -> None:
        """Begin; the first picture is due.

        Args:
            interval_seconds: From one picture to the next; 0 takes each one.

        Raises:
            ValueError: It is negative or no number.
        """
        if not (math.isfinite(interval_seconds) and interval_seconds >= 0.0):
            raise ValueError(f"interval_seconds must be finite and not negative, got {interval_seconds}")
        self._interval = interval_seconds
        self._last = -math.inf

    def due(self, at: float) -> bool:
        """Whether the picture of this moment is one to look at; if so, it counts as the last.

        A clock that is set back begins anew.

        Args:
            at: Seconds on the caller's clock.
        """
        if self._last <= at < self._last + (1.0 - _JITTER) * self._interval:
            return False
        self._last = at
        return True
