"""What all customers would have tapped, from the few who did and the scores of all: prediction-powered inference.

    theta = mean(y) + k (mean(f over all others) - mean(f over those who tapped))

with ``y`` 1 for a tap of 4 or 5 and 0 for any other, ``f`` the score of the visit, and ``k`` chosen so that the
variance is least (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023; power tuning: Angelopoulos, Duchi and Zrnic
2023). It is right however wrong the scores are: scores that say nothing get ``k`` near 0, and what is left is the taps'
own share. It asks that those who tap are like those who do not; where only the angry tap, no count of taps is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mien_records.report.intervals import Estimate, Tally, wilson

SATISFIED_FROM: Final = 4
"""The least tap that counts as satisfied, as in CSAT."""

MIN_TAPS: Final = 20
"""With fewer, nothing is estimated for all customers."""

FOLDS: Final = 5
"""``k`` for a tap is chosen on the other folds, so that it does not follow the chance in that tap."""

WIDEST: Final = 1.02
"""Times the width of the taps' own interval that the interval may have."""


Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TapFigures:
    """What taps tell.

    Attributes:
        own: Of those who tapped: the share satisfied.
        everybody: Of all customers, from taps and scores; None with fewer than ``MIN_TAPS``.
        visits: How many there were to tap at.
        gain: How many times as many taps would have been needed for the same interval without the scores.
    """

    own: Estimate
    everybody: Estimate | None
    visits: int
    gain: float = 1.0

    @property
    def response_rate(self) -> float:
        """Share of the visits with a tap."""
        return self.own.count / self.visits if self.visits else 0.0


def tap_figures(ratings: Sequence[int], scores: Sequence[float]) -> TapFigures | None:
    """What taps tell; None where nobody tapped.

    Args:
        ratings: Of each visit, 1 to 5; 0 where nobody tapped.
        scores: Of the same visits, [0, 1].
    """
    tapped = [(float(rating >= SATISFIED_FROM), score) for rating, score in zip(ratings, scores, strict=True) if rating]
    others = [score for rating, score in zip(ratings, scores, strict=True) if not rating]
    if not tapped:
        return None
    answers = [answer for answer, _ in tapped]
    own = Tally(int(sum(answers)), len(answers)).estimate()
    if len(tapped) < MIN_TAPS:
        return TapFigures(own, None, len(ratings))
    everybody, gain = prediction_powered(answers, [score for _, score in tapped], others)
    return TapFigures(own, everybody, len(ratings), gain)


def prediction_powered(
    answers: Sequence[float], predicted: Sequence[float], others: Sequence[float]
) -> tuple[Estimate, float]:
    """The mean answer of everybody, with its 90 % interval, and how many times as many answers it is worth.

    Args:
        answers: 1 or 0, of those who answered.
        predicted: Scores of the same.
        others: Scores of those who did not answer.
    """
    number = len(answers)
    taps = Tally(int(sum(answers)), number)
    if not len(others) or number < 2 * FOLDS:
        return taps.estimate(), 1.0
    y, f, g = (np.asarray(values, dtype=np.float64) for values in (answers, predicted, others))
    fold = np.arange(number) % FOLDS
    powers = np.array([_power(y[fold != each], f[fold != each], g, number) for each in range(FOLDS)])
    residuals = y - powers[fold] * f
    share = float(np.clip(residuals.mean() + powers[fold].mean() * g.mean(), 0.0, 1.0))
    variance = residuals.var(ddof=1) / number + powers.mean() ** 2 * g.var(ddof=1) / len(g)
    own_variance = y.var(ddof=1) / number
    if variance <= 0.0 or own_variance <= 0.0:
        return taps.estimate(), 1.0
    gain = max(float(own_variance / variance), 1.0 / WIDEST)
    return _no_wider(wilson(share, number * gain, counted=number), taps.estimate()), max(gain, 1.0)


def _power(answers: Floats, predicted: Floats, others: Floats, number: int) -> float:
    """The ``k`` of least variance, [0, 1]."""
    shared = float(np.mean((answers - answers.mean()) * (predicted - predicted.mean())))
    spread = float(np.concatenate([predicted, others]).var(ddof=1))
    return min(1.0, max(0.0, shared / spread / (1.0 + number / len(others)))) if spread > 0.0 else 0.0


def _no_wider(found: Estimate, own: Estimate) -> Estimate:
    """The interval, cut where it is wider than the taps' own may make it."""
    widest = WIDEST * (own.high - own.low)
    width = found.high - found.low
    if width <= widest:
        return found
    low = found.low + (width - widest) * (found.mean - found.low) / width
    return Estimate(found.mean, low, low + widest, found.count)
