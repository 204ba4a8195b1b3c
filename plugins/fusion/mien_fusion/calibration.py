"""Score -> probability of a satisfied customer, by a curve fitted to a site's ratings. Fitting it is in ``fitting``."""

from __future__ import annotations

import math

import numpy as np

from mien_fusion.settings import IsotonicCalibration, PlattCalibration


def calibrate(score: float, calibration: PlattCalibration | IsotonicCalibration | None) -> float:
    """The calibrated probability, [0, 1]; never falls where the score rises. None leaves the score as it is."""
    if calibration is None:
        return score
    if isinstance(calibration, PlattCalibration):
        return _logistic(calibration.slope * score + calibration.intercept)
    return float(np.interp(score, calibration.scores, calibration.probabilities))


def _logistic(value: float) -> float:
    if value >= 0.0:
        return 1.0 / (1.0 + math.exp(-value))
    small = math.exp(value)  # cannot overflow
    return small / (1.0 + small)
