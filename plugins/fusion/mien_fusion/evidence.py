"""What one modality has said so far, in eight numbers: decayed running sums, constant in memory.

Reading ``i`` at time ``t_i`` with evidence ``s_i`` and confidence ``c_i`` weighs
``a_i = c_i 2^(-(now - t_i) / half_life)``. Kept are the sums that the mean ``sum a s / sum a`` needs, and those of its
variance: with error scale ``b_i = a_i / sqrt(c_i)``, and correlation ``r_ij = r + (1 - r) exp(-|t_i - t_j| / tau)``
between the errors of two readings,

    variance = theta (1 - theta) / answers * sum_ij b_i b_j r_ij / (sum a)^2.

The double sum grows by ``b_n^2 + 2 b_n sum_i b_i r_in`` with each reading, and ``sum_i b_i exp(-(t_n - t_i) / tau)`` is
itself a decayed running sum, so that it is exact without a list. A reading that comes late (behind the newest) is
weighed by its own time; only its correlation is taken as if it were the newest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

MIN_CONFIDENCE: Final = 1e-9
"""A reading below it says nothing and is passed over."""


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """One modality's part at a moment.

    Attributes:
        score: Its evidence, [0, 1].
        confidence: [0, 1]; faded by the time since the newest reading.
        freshness: [0, 1]; 1 at the newest reading, half after each half-life.
        size: Effective number of yes/no answers.
        samples: Readings that it rests on.
    """

    score: float
    confidence: float
    freshness: float
    size: float
    samples: int


class StreamEvidence:
    """The running sums of one modality of one subject."""

    __slots__ = (
        "_confidence_sum",
        "_correlated",
        "_error_sum",
        "_error_variance",
        "_half_life",
        "_newest",
        "_samples",
        "_score_sum",
        "_tau",
        "_weight",
    )

    def __init__(self, *, half_life_seconds: float, correlation_seconds: float) -> None:
        self._half_life = half_life_seconds
        self._tau = correlation_seconds
        self._newest = -math.inf
        self._samples = 0
        self._weight = 0.0  # sum a
        self._score_sum = 0.0  # sum a s
        self._confidence_sum = 0.0  # sum a c
        self._error_sum = 0.0  # sum b
        self._error_variance = 0.0  # sum_ij b_i b_j exp(-|t_i - t_j| / tau)
        self._correlated = 0.0  # sum b exp(-(newest - t) / tau)

    @property
    def newest(self) -> float:
        """Time of the newest reading, seconds; minus infinity before the first."""
        return self._newest

    def add(self, *, at: float, score: float, confidence: float) -> None:
        """Take one reading in.

        Args:
            at: When it was made, seconds.
            score: Evidence, [0, 1].
            confidence: [0, 1]; next to 0 changes nothing.
        """
        if confidence < MIN_CONFIDENCE:
            return
        if at > self._newest:
            self._advance(at)
        decay = _halvings(self._newest - at, self._half_life)
        weight = decay * confidence
        error = decay * math.sqrt(confidence)
        self._weight += weight
        self._score_sum += weight * score
        self._confidence_sum += weight * confidence
        self._error_sum += error
        self._error_variance += error * (error + 2.0 * self._correlated)
        self._correlated += error
        self._samples += 1

    def summary(self, *, now: float, answers: float, same_subject_correlation: float) -> StreamSummary | None:
        """Where the modality stands at ``now``, or None where it has said nothing."""
        if self._weight <= 0.0:
            return None
        freshness = _halvings(max(0.0, now - self._newest), self._half_life)
        always = same_subject_correlation
        variance = always * self._error_sum**2 + (1.0 - always) * self._error_variance
        return StreamSummary(
            score=_unit(self._score_sum / self._weight),
            confidence=_unit(self._confidence_sum / self._weight * freshness),
            freshness=freshness,
            size=answers * freshness * self._weight**2 / variance,
            samples=self._samples,
        )

    def _advance(self, to: float) -> None:
        if self._samples:
            gap = to - self._newest
            fade = _halvings(gap, self._half_life)
            self._weight *= fade
            self._score_sum *= fade
            self._confidence_sum *= fade
            self._error_sum *= fade
            self._error_variance *= fade * fade
            self._correlated *= fade * math.exp(-gap / self._tau)
        self._newest = to


def _halvings(seconds: float, half_life_seconds: float) -> float:
    return float(2.0 ** (-seconds / half_life_seconds))


def _unit(value: float) -> float:
    """Rounding may leave a mean of numbers in [0, 1] a hair outside."""
    return min(1.0, max(0.0, value))
