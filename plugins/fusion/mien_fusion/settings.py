"""The table ``[plugins.fusion]``: constants of the fusion rules, validated.

What a fusion means to a caller (weights, thresholds, half-life, mismatch policy) is core's ``[fusion]`` and arrives in
``FusionContext``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlattCalibration(_Table):
    """Score -> probability by a logistic curve, ``1 / (1 + exp(-(slope * score + intercept)))`` (Platt 1999).

    Attributes:
        kind: Names this curve.
        slope: How steep it is.
        intercept: Its log-odds at a score of 0.
        fitted_on: The day it was fitted; reports warn when it is old.
    """

    kind: Literal["platt"] = "platt"
    slope: Annotated[float, Field(gt=0.0, le=1e4, allow_inf_nan=False)]
    intercept: Annotated[float, Field(ge=-1e4, le=1e4, allow_inf_nan=False)]
    fitted_on: date | None = None


class IsotonicCalibration(_Table):
    """Score -> probability by straight lines between knots that never fall (Zadrozny and Elkan 2002).

    Attributes:
        kind: Names this curve.
        scores: Where the knots lie, rising.
        probabilities: The probability at each, never falling.
        fitted_on: The day it was fitted; reports warn when it is old.
    """

    kind: Literal["isotonic"] = "isotonic"
    scores: tuple[Fraction, ...] = Field(min_length=2)
    probabilities: tuple[Fraction, ...] = Field(min_length=2)
    fitted_on: date | None = None

    @model_validator(mode="after")
    def _monotone(self) -> IsotonicCalibration:
        if len(self.scores) != len(self.probabilities):
            raise ValueError(f"{len(self.scores)} scores but {len(self.probabilities)} probabilities")
        if any(b <= a for a, b in zip(self.scores, self.scores[1:], strict=False)):
            raise ValueError("scores must rise")
        if any(b < a for a, b in zip(self.probabilities, self.probabilities[1:], strict=False)):
            raise ValueError("probabilities must not fall")
        return self


Calibration = Annotated[PlattCalibration | IsotonicCalibration, Field(discriminator="kind")]


class FusionPluginSettings(_Table):
    """``[plugins.fusion]``.

    Attributes:
        answers_per_prediction: How many yes/no answers of the customer one fully confident prediction is worth; sets
            the width of the interval.
        correlation_seconds: The errors of two readings of one stream are correlated by ``exp(-gap / this)``.
        same_subject_correlation: What correlation remains however far apart the two readings are: a network that
            misreads a face misreads all its pictures.
        mismatch_margin: How far from 0.5 both sides of a mismatch must lie, such as face and words: the mean evidence
            of each for ``weighted_sum``, the score that each would give by itself for ``fitted``.
        mismatch_confidence: How confident both must be, for ``weighted_sum``.
        happy_label: The emotion that ``happy_share`` counts.
        happy_threshold: The share of it above which ``happy_share`` says GOOD.
        calibration: Score of ``weighted_sum`` -> probability, as ``mien fusion calibrate`` writes it; none leaves the
            score as it is. ``fitted`` has no use for it: its score is a probability.
    """

    answers_per_prediction: Annotated[float, Field(gt=0.0, le=1000.0)] = 8.0
    correlation_seconds: Annotated[float, Field(gt=0.0, le=3600.0)] = 5.0
    same_subject_correlation: Fraction = 0.1
    mismatch_margin: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.15
    mismatch_confidence: Fraction = 0.5
    happy_label: str = "happy"
    happy_threshold: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.4
    calibration: Calibration | None = None
