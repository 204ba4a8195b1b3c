"""Where the people in sight are, and how they move: what tells a customer who has left from one who looks away.

Geometry alone: nothing here knows what anybody looks like. All lengths are in widths of the face, so that they hold at
any distance from the camera.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from mien.types import Box

MAX_SIGHTINGS: Final = 32
"""Subjects that are remembered; the one not seen for longest goes first."""

USUAL_SECONDS: Final = 2.0
"""Time over which somebody's usual place and size are smoothed."""

AWAY: Final = 0.7
"""Widths from the usual place at which somebody has walked off; half of it, where they were walking still."""

SHRUNK: Final = 0.65
"""Of the usual size: somebody has stepped back."""

AT_REST: Final = 0.6
"""Widths a second below which somebody stands: people sway, and boxes tremble."""

EDGE: Final = 0.01
"""Of the picture's width: a box so near to its side is cut by it."""


class Sighting:
    """One subject, from when they were first seen."""

    __slots__ = ("at", "box", "first_at", "first_box", "has_rested", "since_at_rest", "size", "usual", "velocity")

    def __init__(self, box: Box, size: float, at: float) -> None:
        self.first_box = self.box = self.usual = box
        self.first_at = self.at = at
        self.size = size
        self.velocity = 0.0, 0.0
        self.since_at_rest = at
        self.has_rested = False

    def see(self, box: Box, size: float, at: float, *, is_next: bool) -> None:
        """Take a further sighting in.

        Args:
            box: The face.
            size: Its prominence, square pixels.
            at: Session time, seconds.
            is_next: They were seen in the picture before, too.
        """
        elapsed = at - self.at
        if elapsed <= 0.0:
            return
        (x, y), (old_x, old_y) = centre(box), centre(self.box)
        self.velocity = (x - old_x) / elapsed, (y - old_y) / elapsed
        self.box, self.at = box, at
        if self.is_moving or not is_next:
            self.since_at_rest = at
            return
        keep = math.exp(-elapsed / USUAL_SECONDS) if self.has_rested else 0.0
        self.usual = _mixed(self.usual, box, keep)
        self.size = keep * self.size + (1.0 - keep) * size
        self.has_rested = True

    @property
    def is_moving(self) -> bool:
        """Whether they were walking when they were last seen."""
        return math.hypot(*self.velocity) > AT_REST * max(self.box.width, self.usual.width, 1.0)

    def has_left(self, frame_size: tuple[int, int] | None) -> bool:
        """Whether they were on their way off when they were last seen: walked away, stepped back or at the border."""
        if not self.has_rested:
            return False
        away = distance(self.usual, self.box)
        if away > AWAY * (0.5 if self.is_moving else 1.0) or self.box.width < SHRUNK * self.usual.width:
            return True
        return not is_cut(self.usual, frame_size) and is_cut(self.box, frame_size)

    def rested_for(self, at: float) -> float:
        """Seconds that they have stood still by a moment."""
        return at - self.since_at_rest


class Sightings:
    """All who were seen. Constant in memory."""

    def __init__(self) -> None:
        self._of: dict[str, Sighting] = {}
        self._newest = 0.0

    def __getitem__(self, subject_id: str) -> Sighting:
        return self._of[subject_id]

    def see(self, seen: Mapping[str, tuple[Box, float]], at: float) -> None:
        """Take one picture in, also where nobody is: subject -> box and prominence."""
        for subject_id, (box, size) in sorted(seen.items()):
            if subject_id in self._of:
                known = self._of[subject_id]
                known.see(box, size, at, is_next=known.at == self._newest)
            else:
                self._of[subject_id] = Sighting(box, size, at)
        while len(self._of) > MAX_SIGHTINGS:
            del self._of[min(self._of, key=lambda name: self._of[name].at)]
        self._newest = at

    def begin_again(self, subject_id: str, box: Box, size: float, at: float) -> None:
        """Somebody else has come by a known id."""
        self._of[subject_id] = Sighting(box, size, at)


def centre(box: Box) -> tuple[float, float]:
    """Its middle, pixels."""
    return box.x + box.width / 2.0, box.y + box.height / 2.0


def distance(one: Box, other: Box) -> float:
    """Between two middles, in widths of the larger face."""
    (x, y), (other_x, other_y) = centre(one), centre(other)
    return math.hypot(x - other_x, y - other_y) / max(one.width, other.width, 1.0)


def is_cut(box: Box, frame_size: tuple[int, int] | None) -> bool:
    """Whether a side of the picture cuts the face; unknown where the picture's size is."""
    if frame_size is None:
        return False
    return box.x <= EDGE * frame_size[0] or box.x + box.width >= (1.0 - EDGE) * frame_size[0]


def _mixed(one: Box, other: Box, share: float) -> Box:
    def mix(a: float, b: float) -> float:
        return share * a + (1.0 - share) * b

    return Box(mix(one.x, other.x), mix(one.y, other.y), mix(one.width, other.width), mix(one.height, other.height))
