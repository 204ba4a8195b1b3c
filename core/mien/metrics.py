"""Figures that more than one plugin judges its answers by: calibration, and intervals by bootstrap. Numbers only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

CALIBRATION_BINS: Final = 15
"""Bins of equal width over confidence, as in Guo et al. 2017."""

RESAMPLES: Final = 1000
"""Samples that a bootstrap draws."""

LEVEL: Final = 0.95
"""Share of them that lies in an interval."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often answers of a confidence are right, one entry for each bin that holds an answer, in order.

    Attributes:
        confidence: Mean confidence in the bin, [0, 1].
        accuracy: Share of the bin that is right, [0, 1].
        counts: Answers in the bin.
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap of confidence and accuracy, weighted by answers."""
        gaps = (
            count * abs(confidence - accuracy)
            for confidence, accuracy, count in zip(self.confidence, self.accuracy, self.counts, strict=True)
        )
        return sum(gaps) / sum(self.counts)


def reliability(
    confidence: npt.NDArray[np.floating[Any]], correct: npt.NDArray[np.bool_], *, bins: int = CALIBRATION_BINS
) -> Reliability:
    """Hold confidence against success, in bins of equal width; ``(0, 1 / bins]`` is the first.

    Args:
        confidence: Of each answer, [0, 1], ``[n]``.
        correct: Whether it was right, ``[n]``.
        bins: Over [0, 1].

    Raises:
        ValueError: There is no answer, or the arrays differ in length.
    """
    if len(confidence) == 0 or confidence.shape != correct.shape:
        raise ValueError(f"calibration needs answers, each right or wrong, got {confidence.shape} and {correct.shape}")
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    filled = counts > 0
    sums = [np.bincount(bin_of, weights=values.astype(np.float64), minlength=bins) for values in (confidence, correct)]
    means = [(total[filled] / counts[filled]).tolist() for total in sums]
    return Reliability(tuple(means[0]), tuple(means[1]), tuple(counts[filled].tolist()))


def bootstrap(
    count: int,
    statistic: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> npt.NDArray[np.float64]:
    """Percentile intervals of figures: what they are on samples drawn from the cases with replacement (Efron 1979).

    A case of figures that are always biased on a resample, such as a calibration error, may lie at the interval's end.

    Args:
        count: Of cases.
        statistic: Positions of the cases of one sample, ``[count]`` -> figures, ``[k]``; NaN where one does not exist.
        seed: Of the samples.
        resamples: How many to draw.

    Returns:
        ``[k, 2]``: low and high ends of the 95 % intervals.
    """
    generator = np.random.default_rng(seed)
    figures = np.stack([statistic(generator.integers(0, count, count)) for _ in range(resamples)])  # [resamples, k]
    tail = (1 - LEVEL) / 2
    return np.nanquantile(figures, (tail, 1 - tail), axis=0).T
