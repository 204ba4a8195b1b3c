"""The time of a session: puts what arrives in its place, once, whatever the caller's clock does.

Session time is the caller's clock at first. Where that clock jumps, an offset is put in so that session time goes on: a
jump ahead is shortened to ``max_step``; after a jump back, session time goes on from where it was; and a clock that
returns to what it was before is taken up again.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from enum import Enum, auto
from typing import Final

MAX_REMEMBERED: Final = 256
"""Arrivals remembered to tell a duplicate; what is older than a forgotten one counts as late."""

CONFIRMATIONS: Final = 3
"""So many arrivals in a row that are all too late, and follow each other closely, are a clock that was set back."""


class Misplaced(Enum):
    """Why an arrival does not count."""

    LATE = auto()
    DUPLICATE = auto()


class Timeline:
    """Places arrivals in session time. Constant in memory."""

    __slots__ = (
        "_floor",
        "_keys",
        "_late_in_a_row",
        "_late_newest",
        "_max_step",
        "_newest_of",
        "_next",
        "_offset",
        "_other_offset",
        "_times",
        "_tolerance",
        "newest",
        "oldest",
    )

    def __init__(self, *, tolerance: float, max_step: float) -> None:
        """Begin a timeline.

        Args:
            tolerance: Seconds that an arrival may lag its stream.
            max_step: Seconds that time may go ahead at once.
        """
        self._tolerance = tolerance
        self._max_step = max_step
        self._offset = 0.0
        self._other_offset = 0.0
        self._keys = array("Q")
        self._times = array("d")
        self._next = 0
        self._floor = -math.inf
        self._newest_of: dict[str, float] = {}
        self._late_in_a_row = 0
        self._late_newest = -math.inf
        self.newest: float | None = None
        self.oldest: float | None = None

    def place(self, stream: str, at: float, identity: object) -> float | Misplaced:
        """Session time of something captured at ``at``, or why it does not count.

        Args:
            stream: Which stream it belongs to; lateness is counted within one, for speech takes longer than pictures.
            at: Seconds on the caller's clock.
            identity: Its ``repr`` is equal for two arrivals that are the same.
        """
        key = _digest((stream, at, identity))
        if key in self._keys:
            return Misplaced.DUPLICATE
        placed = self._in_session_time(at)
        if placed < self._earliest(stream) or placed <= self._floor:
            if not self._was_set_back(at):
                return Misplaced.LATE
            placed = self._jump(at, to=max(self._floor, -math.inf if self.newest is None else self.newest))
        self._late_in_a_row = 0
        self._remember(key, placed)
        self._newest_of[stream] = max(placed, self._newest_of.get(stream, placed))
        self.reach(placed)
        return placed

    def place_marker(self, at: float, *, earliest: float) -> float:
        """Session time of a marker: never before ``earliest`` and never far ahead of what was seen."""
        latest = math.inf if self.newest is None else max(earliest, self.newest + self._max_step)
        return min(max(at + self._offset, earliest), latest)

    def is_repeated(self, identity: object) -> bool:
        """Whether a marker of this identity was asked about before; remembers it."""
        key = _digest(identity)
        if key in self._keys:
            return True
        self._remember(key, -math.inf)
        return False

    def reach(self, time: float) -> None:
        """Session time has got at least so far, and began at the latest then."""
        self.oldest = time if self.oldest is None else min(self.oldest, time)
        self.newest = time if self.newest is None else max(self.newest, time)

    def _in_session_time(self, at: float) -> float:
        placed = at + self._offset
        if self.newest is None or abs(placed - self.newest) <= self._max_step:
            return placed
        on_the_other_clock = at + self._other_offset
        if abs(on_the_other_clock - self.newest) <= self._max_step:
            self._offset, self._other_offset = self._other_offset, self._offset
            return on_the_other_clock
        return placed if placed < self.newest else self._jump(at, to=self.newest + self._max_step)

    def _earliest(self, stream: str) -> float:
        """What lies before is late: it lags its stream, or (in a new stream) everything, by too much."""
        if stream in self._newest_of:
            return self._newest_of[stream] - self._tolerance
        return -math.inf if self.newest is None else self.newest - self._max_step - self._tolerance

    def _jump(self, at: float, *, to: float) -> float:
        self._other_offset, self._offset = self._offset, to - at
        return to

    def _was_set_back(self, at: float) -> bool:
        """Whether this late arrival is one too many for a straggler; one that comes again counts once."""
        if at != self._late_newest:
            follows = 0.0 < at - self._late_newest <= self._max_step
            self._late_in_a_row = self._late_in_a_row + 1 if follows and self._late_in_a_row else 1
            self._late_newest = at
        return self._late_in_a_row >= CONFIRMATIONS

    def _remember(self, key: int, placed: float) -> None:
        """Keep the newest keys, in two rings of plain numbers: a dict would take ten times the memory."""
        if len(self._keys) < MAX_REMEMBERED:
            self._keys.append(key)
            self._times.append(placed)
            return
        self._floor = max(self._floor, self._times[self._next])
        self._keys[self._next] = key
        self._times[self._next] = placed
        self._next = (self._next + 1) % MAX_REMEMBERED


def _digest(identity: object) -> int:
    """8 bytes in place of the values; ``hash`` will not do, for it makes -1.0 and -2.0 the same."""
    return int.from_bytes(hashlib.blake2b(repr(identity).encode(), digest_size=8).digest())
