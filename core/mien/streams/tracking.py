"""Which box (a face's) is which, from one picture to the next: by place and movement, never by how it looks.

A track holds a box, a smoothed place and velocity, and the time it was last seen. The velocity is constant between
sightings, so two people who cross keep their ids, and a face that is lost for a moment is found again where it would
have got to. There is no embedding and no other feature of the face: an id says nothing outside its session.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mien.types import Box

MIN_OVERLAP: Final = 0.2
"""Intersection over union with the expected box from which a face is taken for the same at once."""
REACH: Final = 1.0
"""How far (in face widths) a face may be from where it was expected, where boxes no longer overlap."""
REACH_PER_SECOND: Final = 0.5
"""What is added to the reach for each second since the track was last seen."""
MAX_REACH: Final = 2.0
SIZE_RATIO: Final = 2.0
"""A face does not get larger or smaller than this between two sightings."""
MEMORY_SECONDS: Final = 0.4
"""Time over which place and velocity are smoothed: detectors' boxes tremble, most of all between pictures that follow
each other closely."""
COAST_SECONDS: Final = 1.5
"""A track that is not seen moves on for so long, then stands still: nobody walks on for long unseen."""
STAYED: Final = 0.8
"""What a fit counts with the place where a face was last seen, against one with where it should be by now: between
snapshots a second apart people sway more than they travel."""


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    seen: float
    began: float
    centre: tuple[float, float]
    velocity: tuple[float, float] = (0.0, 0.0)

    def expected(self, now: float) -> Box:
        """Where the face should be at a moment."""
        x, y = self._ahead(min(now - self.seen, COAST_SECONDS))
        return Box(x - self.box.width / 2, y - self.box.height / 2, self.box.width, self.box.height)

    def move(self, box: Box, now: float) -> None:
        """Take in a sighting: a critically damped g-h filter, whose memory grows to ``MEMORY_SECONDS``."""
        elapsed = now - self.seen
        if elapsed > 0:
            memory = min(MEMORY_SECONDS, (now - self.began) / 2)
            fading = math.exp(-elapsed / memory)
            (x, y), (seen_x, seen_y) = self._ahead(elapsed), _centre(box)
            of_place, of_velocity = 1.0 - fading**2, (1.0 - fading) ** 2 / elapsed
            self.centre = x + of_place * (seen_x - x), y + of_place * (seen_y - y)
            self.velocity = (
                self.velocity[0] + of_velocity * (seen_x - x),
                self.velocity[1] + of_velocity * (seen_y - y),
            )
        self.box, self.seen = box, now

    def _ahead(self, seconds: float) -> tuple[float, float]:
        return self.centre[0] + self.velocity[0] * seconds, self.centre[1] + self.velocity[1] * seconds


class BoxTracker:
    """The boxes of one session. Not thread-safe; deterministic."""

    def __init__(self, *, max_gap: float, prefix: str = "face") -> None:
        """Begin with nobody.

        Args:
            max_gap: A box that is out of sight for up to so many seconds keeps its id.
            prefix: What ids begin with.

        Raises:
            ValueError: ``max_gap`` is negative.
        """
        if not max_gap >= 0:
            raise ValueError(f"max_gap must not be negative, got {max_gap}")
        self._max_gap = max_gap
        self._prefix = prefix
        self._tracks: list[_Track] = []
        self._made = 0
        self._now = 0.0

    def update(self, boxes: Sequence[Box], now: float) -> list[str]:
        """Take in the faces of the next picture.

        Args:
            boxes: The faces, in any order.
            now: When the picture was taken, seconds; a clock that runs backwards is followed.

        Returns:
            One id for each box, in their order, such as ``face-1``.
        """
        if now < self._now:
            self._restart_clock(now)
        self._now = now
        self._tracks = [track for track in self._tracks if now - track.seen <= self._max_gap]
        owners = self._match(boxes, now)
        for index, box in enumerate(boxes):
            if index in owners:
                owners[index].move(box, now)
            else:
                owners[index] = self._start(box, now)
        return [f"{self._prefix}-{owners[index].number}" for index in range(len(boxes))]

    def _match(self, boxes: Sequence[Box], now: float) -> dict[int, _Track]:
        """Box index -> track, best pairs first; overlapping pairs before those that are only near."""
        pairs = [
            (affinity, index, track)
            for track in self._tracks
            for index, box in enumerate(boxes)
            if (affinity := _affinity(track, box, now)) > 0.0
        ]
        pairs.sort(key=lambda pair: (-pair[0], pair[2].number, pair[1]))
        owners: dict[int, _Track] = {}
        taken: set[int] = set()
        for _, index, track in pairs:
            if index not in owners and track.number not in taken:
                owners[index] = track
                taken.add(track.number)
        return owners

    def _start(self, box: Box, now: float) -> _Track:
        self._made += 1
        track = _Track(self._made, box, now, now, _centre(box))
        self._tracks.append(track)
        return track

    def _restart_clock(self, now: float) -> None:
        for track in self._tracks:
            track.began -= track.seen - now
            track.seen = now


def _affinity(track: _Track, box: Box, now: float) -> float:
    """How well a box fits a track, [0, 2]: most where they overlap, less where it is only near, 0 where it cannot."""
    if not 1.0 / SIZE_RATIO <= (box.width + 1e-9) / (track.box.width + 1e-9) <= SIZE_RATIO:
        return 0.0
    reach = min(REACH + REACH_PER_SECOND * (now - track.seen), MAX_REACH)
    return max(_fit(track.expected(now), box, reach), STAYED * _fit(track.box, box, reach))


def _fit(expected: Box, box: Box, reach: float) -> float:
    overlap = expected.iou(box)
    if overlap >= MIN_OVERLAP:
        return 1.0 + overlap
    (left, top), (x, y) = _centre(expected), _centre(box)
    distance = math.hypot(left - x, top - y) / max(expected.width, box.width, 1e-9)
    return max(0.0, 1.0 - distance / reach)


def _centre(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2
