"""Calibration by hand, and intervals held against theory."""

from __future__ import annotations

import numpy as np
import pytest

from mien import metrics


def test_calibration_error_is_the_gap_between_confidence_and_success() -> None:
    found = metrics.reliability(np.full(10, 0.9, np.float32), np.arange(10) < 5)

    assert found.error == pytest.approx(0.4, abs=1e-6)
    assert (found.accuracy, found.counts) == ((0.5,), (10,))


def test_bins_keep_their_answers_apart_and_empty_ones_are_left_out() -> None:
    found = metrics.reliability(np.array([0.05, 1.0, 0.95, 1.0]), np.array([False, True, False, True]))

    assert found.counts == (1, 3)
    assert found.confidence == pytest.approx((0.05, 2.95 / 3))
    assert found.accuracy == pytest.approx((0, 2 / 3))
    assert found.error == pytest.approx((0.05 + 0.95) / 4)


@pytest.mark.parametrize("correct", [np.zeros(0, np.bool_), np.ones(2, np.bool_)])
def test_calibration_of_nothing_is_refused(correct: np.ndarray) -> None:
    with pytest.raises(ValueError, match="calibration needs answers"):
        metrics.reliability(np.zeros(0), correct)


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    correct = np.arange(900) < 600

    ((low, high),) = metrics.bootstrap(900, lambda chosen: np.array([correct[chosen].mean()]))

    deviation = (2 / 3 * 1 / 3 / 900) ** 0.5
    assert low == pytest.approx(2 / 3 - 1.96 * deviation, abs=0.004)
    assert high == pytest.approx(2 / 3 + 1.96 * deviation, abs=0.004)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(1).normal(size=50)

    def mean(chosen: np.ndarray) -> np.ndarray:
        return np.array([values[chosen].mean()])

    first, again, other = (metrics.bootstrap(50, mean, seed=seed, resamples=100) for seed in (3, 3, 4))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
