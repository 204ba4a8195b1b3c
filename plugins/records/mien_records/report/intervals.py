"""Intervals and comparisons of shares and means: what chance could do. Nothing here knows of errors of reading."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance
from typing import Final

Z90: Final = 1.6448536269514722
"""Quantile of the normal distribution that leaves 5 % on either side."""

LEVEL: Final = 0.10
"""Chance of calling any of several that are alike different."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share or a mean, where it lies with 90 % confidence, and how many it rests on; [0, 1] unless a difference."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Tally:
    """So many of so many."""

    good: int
    count: int

    @property
    def share(self) -> float:
        """[0, 1]; 0 of none."""
        return self.good / self.count if self.count else 0.0

    def estimate(self) -> Estimate:
        """The share with Wilson's interval (1927)."""
        return wilson(self.share, self.count, counted=self.count)

    def less(self, other: Tally) -> Tally:
        """All but those."""
        return Tally(self.good - other.good, self.count - other.count)


def wilson(share: float, size: float, *, counted: int) -> Estimate:
    """A share's interval.

    Args:
        share: [0, 1].
        size: How many yes/no answers it is worth, not necessarily whole.
        counted: How many it is said to rest on.
    """
    if size <= 0.0:
        return Estimate(share, 0.0, 1.0, counted)
    z2 = Z90 * Z90
    middle = (share + z2 / (2.0 * size)) / (1.0 + z2 / size)
    half = Z90 * math.sqrt(max(share * (1.0 - share), 0.0) / size + z2 / (4.0 * size * size)) / (1.0 + z2 / size)
    return Estimate(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), counted)


def difference(one: Tally, other: Tally) -> Estimate:
    """``one`` less ``other``, by Newcombe's score interval (1998), which holds for small numbers."""
    a, b = one.estimate(), other.estimate()
    change = a.mean - b.mean
    low = change - math.hypot(a.mean - a.low, b.high - b.mean)
    high = change + math.hypot(a.high - a.mean, b.mean - b.low)
    return Estimate(change, low, high, one.count + other.count)


def mean_estimate(values: Sequence[float]) -> Estimate | None:
    """A mean with Student's interval; None of fewer than three."""
    if len(values) < 3:
        return None
    mean, count = fmean(values), len(values)
    half = student_90(count - 1) * math.sqrt(variance(values) / count)
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half), count)


def student_90(degrees: float) -> float:
    """Student's t that leaves 5 % on either side, to 0.3 % from two degrees of freedom on.

    The expansion in 1/degrees of Abramowitz and Stegun 26.7.5.
    """
    z, v = Z90, float(degrees)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / v**power for power, term in enumerate(terms))


def different(cells: Mapping[str, Tally]) -> dict[str, Estimate]:
    """The cells whose share differs from that of all others together, beyond chance; the difference with its interval.

    Holm's correction (1979): the chance of naming any cell where all are alike is 10 %, however many there are.
    """
    whole = Tally(sum(cell.good for cell in cells.values()), sum(cell.count for cell in cells.values()))
    rest = {name: whole.less(cell) for name, cell in cells.items()}
    chances = sorted(
        (chance_of(cell, rest[name]), name) for name, cell in cells.items() if cell.count and rest[name].count
    )
    found: dict[str, Estimate] = {}
    for rank, (chance, name) in enumerate(chances):
        if chance > LEVEL / (len(chances) - rank):
            break
        found[name] = difference(cells[name], rest[name])
    return found


def chance_of(one: Tally, other: Tally) -> float:
    """How likely two shares that are alike differ so much: the pooled two-proportion test."""
    pooled = (one.good + other.good) / (one.count + other.count)
    spread = pooled * (1.0 - pooled) * (1.0 / one.count + 1.0 / other.count)
    if spread <= 0.0:
        return 1.0
    return math.erfc(abs(one.share - other.share) / math.sqrt(2.0 * spread))
