"""Who waits at a counter: three customers, who comes with them and who walks by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

WIDTH: Final = 640
HEIGHT: Final = 480
STEP: Final = 0.25
"""Seconds between two pictures that are drawn."""
GAPS: Final = (0.0, 1.0, 1.0, 5.0, 5.0, 10.0)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One who comes, stands and goes.

    Attributes:
        name: In the drawing.
        arrives: When they come into sight, seconds.
        stands: When they stand at the counter.
        leaves: When they begin to go.
        gone: When they are out of sight.
        place: Centre of the face at the counter, pixels.
        side: Of the face there, pixels.
        enters: How they come: ``left``, ``right``, ``behind`` or ``at once``.
        exits: How they go, the same.
        turned: When they look away, seconds.
        covered: When something is held before the face.
        waits_from: When they are in sight behind, waiting; None where they are not.
        companion: Stands beside them, nearly as near.
    """

    name: str
    arrives: float
    stands: float
    leaves: float
    gone: float
    place: tuple[float, float]
    side: float
    enters: str
    exits: str
    turned: tuple[float, float] | None = None
    covered: tuple[float, float] | None = None
    waits_from: float | None = None
    companion: bool = False

    def face(self, now: float) -> tuple[float, float, float] | None:
        """Centre and side at a moment; None where they are out of sight."""
        x, y = self.place
        if self.waits_from is not None and self.waits_from <= now < self.arrives:
            return _behind(self.place, self.side)
        if not self.arrives <= now < self.gone:
            return None
        if now < self.stands:
            return _between(self._away(self.enters), (x, y, self.side), (now - self.arrives) / self.takes_to_come)
        if now >= self.leaves:
            return _between((x, y, self.side), self._away(self.exits), (now - self.leaves) / (self.gone - self.leaves))
        sway = 0.12 * self.side
        return x + sway * np.sin(1.3 * now + self.side), y + 0.4 * sway * np.sin(0.9 * now), self.side

    @property
    def takes_to_come(self) -> float:
        """Seconds."""
        return max(self.stands - self.arrives, 1e-6)

    def _away(self, how: str) -> tuple[float, float, float]:
        x, y = self.place
        if how == "left":
            return -0.6 * self.side, y, self.side
        if how == "right":
            return WIDTH + 0.6 * self.side, y, self.side
        return _behind(self.place, self.side) if how == "behind" else (x, y, self.side)


@dataclass(frozen=True, slots=True)
class Passer:
    """Somebody who walks through the picture in front of everybody, perhaps with a face."""

    start: float
    seconds: float
    leftwards: bool
    side: float
    has_face: bool

    def face(self, now: float) -> tuple[float, float, float] | None:
        """Centre and side at a moment; None where they are out of sight."""
        share = (now - self.start) / self.seconds
        if not 0.0 <= share <= 1.0:
            return None
        along = -self.side + share * (WIDTH + 2 * self.side)
        return (WIDTH - along if self.leftwards else along), 250.0, self.side


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What is drawn."""

    number: int
    customers: tuple[Customer, ...]
    passers: tuple[Passer, ...]
    gap: float

    @property
    def seconds(self) -> float:
        """All of it, with some seconds after the last."""
        return self.customers[-1].gone + 3.0


def make_queue(number: int) -> Queue:
    """A queue; the same number gives the same."""
    random = np.random.default_rng(7000 + number)
    gap = GAPS[number % len(GAPS)]
    now, customers, passers = float(random.uniform(1.0, 2.0)), [], []
    place = (float(random.uniform(260, 380)), float(random.uniform(190, 250)))
    for index in range(3):
        enters, exits = (str(random.choice(["left", "right", "behind"], p=[0.4, 0.4, 0.2])) for _ in range(2))
        if number % 8 == 7:
            enters = exits = "at once"
        comes, goes = (0.0 if enters == "at once" else float(random.uniform(0.8, 1.6)) for _ in range(2))
        stays = float(random.uniform(6.5, 10.0))
        stands = now + comes
        turned = covered = None
        if number % 3 != 0:
            begin = stands + float(random.uniform(2.0, stays - 4.0))
            length = float(random.uniform(1.0, 2.6))
            if (number + index) % 2:
                turned = (begin, begin + length)
            elif (number + index) % 4 == 0:
                covered = (begin, begin + length)
            else:
                side = float(random.uniform(150, 200))
                passers.append(
                    Passer(begin, float(random.uniform(1.2, 2.4)), bool(random.integers(2)), side, bool(index % 2))
                )
        spot = (place[0] + float(random.normal(0, 18)), place[1] + float(random.normal(0, 10)))
        customer = Customer(
            name=f"c{index}",
            arrives=now,
            stands=stands,
            leaves=stands + stays,
            gone=stands + stays + goes,
            place=spot,
            side=float(random.uniform(105, 150)),
            enters=enters,
            exits=exits,
            turned=turned,
            covered=covered,
            waits_from=max(0.0, now - 6.0) if enters == "behind" and number % 2 else None,
            companion=number % 6 == 4 and index == 1,
        )
        customers.append(customer)
        now = customer.gone + gap if gap else customer.gone - 0.4
    return Queue(number=number, customers=tuple(customers), passers=tuple(passers), gap=gap)


def _between(one: tuple[float, ...], other: tuple[float, ...], share: float) -> tuple[float, float, float]:
    x, y, side = (a + share * (b - a) for a, b in zip(one, other, strict=True))
    return x, y, side


def _behind(place: tuple[float, float], side: float) -> tuple[float, float, float]:
    return place[0] + 1.35 * side, place[1] - 0.35 * side, 0.42 * side
