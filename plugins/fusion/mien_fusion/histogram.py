"""How much of one stream's evidence lay where: a histogram of decayed weights, constant in memory whatever the order.

Evidence between two bins is shared between them, so that the mean is exact and anything that rises with evidence bin by
bin rises with the evidence itself. From it come the level of a stream, its peaks, and what the subject mostly showed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

BINS: Final = 21
"""Of evidence 0, 0.05, ... 1."""

PEAK_POWER: Final = 4.0
"""Of the mean that makes a peak: a sixth of the time at 0.8 and else nothing gives 0.5, where the mean gives 0.13."""

_LEVELS: Final = tuple(2.0 * index / (BINS - 1) - 1.0 for index in range(BINS))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a stream said over its time, on the scale of signed evidence: -1 poor, 0 nothing, 1 good.

    Attributes:
        level: The mean, [-1, 1].
        up: The good side's peak: the power mean of what lies above 0, [0, 1].
        down: The poor side's, likewise.
        rise: The good side's peak, counted from what was mostly shown, [0, 2]. A face that returns from anger to rest
            has no such peak.
        fall: The poor side's, likewise.
        resting: What was mostly shown: the mean of the middle half, [-1, 1].
    """

    level: float
    up: float
    down: float
    rise: float
    fall: float
    resting: float


class EvidenceHistogram:
    """Decayed weights of evidence."""

    __slots__ = ("_weights",)

    def __init__(self) -> None:
        self._weights = array("d", bytes(8 * BINS))

    def add(self, evidence: float, weight: float) -> None:
        """Put a weight where the evidence lies; a negative one takes it out, as far as there is any.

        Args:
            evidence: [0, 1].
            weight: Confidence times decay.
        """
        place = evidence * (BINS - 1)
        lower = min(int(place), BINS - 2)
        share = place - lower
        for index, part in ((lower, 1.0 - share), (lower + 1, share)):
            self._weights[index] = max(0.0, self._weights[index] + weight * part)

    def fade(self, factor: float) -> None:
        """Let everything weigh less."""
        for index in range(BINS):
            self._weights[index] *= factor

    def copy(self) -> EvidenceHistogram:
        """One that goes its own way."""
        other = EvidenceHistogram()
        other._weights[:] = self._weights
        return other

    def shape(self) -> Shape | None:
        """What was said; None where nothing was."""
        total = sum(self._weights)
        if total <= 0.0:
            return None
        shares = [weight / total for weight in self._weights]
        resting = _middle(shares)
        return Shape(
            level=sum(share * level for share, level in zip(shares, _LEVELS, strict=True)),
            up=_peak(shares, _LEVELS),
            down=_peak(shares, [-level for level in _LEVELS]),
            rise=_peak(shares, [level - resting if level > 0.0 else 0.0 for level in _LEVELS]),
            fall=_peak(shares, [resting - level if level < 0.0 else 0.0 for level in _LEVELS]),
            resting=resting,
        )


def _peak(shares: Sequence[float], levels: Sequence[float]) -> float:
    """Power mean of what lies above 0."""
    total = sum(share * level**PEAK_POWER for share, level in zip(shares, levels, strict=True) if level > 0.0)
    return float(total ** (1.0 / PEAK_POWER))


def _middle(shares: Sequence[float]) -> float:
    """Mean of the middle half: moves with the evidence, at most twice as far as the mean does."""
    return sum(share * level for share, level in zip(_middle_half(shares), _LEVELS, strict=True)) / 0.5


def _middle_half(shares: Sequence[float]) -> Iterator[float]:
    """Of each bin's share, what lies between the quartiles."""
    before = 0.0
    for share in shares:
        yield max(0.0, min(before + share, 0.75) - max(before, 0.25))
        before += share
