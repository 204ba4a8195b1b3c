"""The fitted model of a visit: from what the streams said to how likely the customer is satisfied.

    z_m = g_m (level + up - down + rise - fall) + kind - complaint      each with a coefficient of its own, not negative
    z   = sum_m w_m z_m,  where what smiles say is taken back by ``politeness`` as far as words complain
    P(at least neutral) = sigmoid(z - low),  P(good) = sigmoid(z - high)

an ordered logistic regression (McCullagh 1980). ``g = n / (n + n_0)`` makes few pictures count for less, ``w_m`` are
the configured weights, 1 as fitted. The site's shares of good, neutral and poor visits enter by Bayes' rule, and the
score is ``P(good) + P(neutral) / 2``. Its interval is that of ``z``, whose error is mostly the person's: its standard
deviation is fitted to persons whom the coefficients did not see. Thresholds come from the visits' own ``z`` and from
how many wrong verdicts are borne. No coefficient can turn evidence round.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mien import ConfigError
from mien_fusion.features import StreamFeatures
from mien_fusion.interval import Z_90

SHIPPED: Final = "weights/visits.json"
"""Within the package."""

NEUTRAL_COST: Final = 0.5
"""Of calling a neutral visit good or poor, where calling a poor one good costs 1: as far as the score is off."""

CANDIDATES: Final = 80
"""Values of ``z`` that are tried as thresholds."""

NotNegative = Annotated[float, Field(ge=0.0, le=1e3)]


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Coefficients(_Values):
    """What one stream's features weigh; see ``mien_fusion.histogram.Shape`` for the features.

    Attributes:
        level: Of the mean; at least twice ``rise`` and ``fall`` together, which keeps the whole rising with evidence.
        up: Of the good side's peak.
        down: Of the poor side's.
        rise: Of the peak above what was mostly shown.
        fall: Of the peak below it.
        kind: Of all that was said for satisfaction.
        complaint: Of all that was said against it.
    """

    level: NotNegative = 0.0
    up: NotNegative = 0.0
    down: NotNegative = 0.0
    rise: NotNegative = 0.0
    fall: NotNegative = 0.0
    kind: NotNegative = 0.0
    complaint: NotNegative = 0.0

    @model_validator(mode="after")
    def _rising(self) -> Coefficients:
        if self.level < 2.0 * (self.rise + self.fall) - 1e-6:
            raise ValueError("level must be at least twice rise and fall together")
        return self


class Spread(_Values):
    """The standard deviation of ``z`` between persons of whom the same is true: ``sqrt`` of the sum of these.

    Attributes:
        always: Variance whatever was said.
        seen: More of it for each unit of ``|z|`` of what is seen.
        heard: Likewise of words.
        few: More of it, times ``1 - g``, where there are few pictures.
    """

    always: NotNegative
    seen: NotNegative
    heard: NotNegative
    few: NotNegative


class Quantiles(_Values):
    """What ``z`` is among visits of each truth: evenly spaced quantiles, rising.

    Attributes:
        poor: Of poor visits.
        neutral: Of neutral ones.
        good: Of good ones.
    """

    poor: tuple[float, ...] = Field(min_length=2)
    neutral: tuple[float, ...] = Field(min_length=2)
    good: tuple[float, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _rising(self) -> Quantiles:
        if any(list(each) != sorted(each) for each in (self.poor, self.neutral, self.good)):
            raise ValueError("quantiles must rise")
        return self


class VisitModel(_Values):
    """The fitted numbers.

    Attributes:
        streams: Modality -> coefficients; ``other`` serves those that are not named.
        low: ``z`` at which poor and the rest are equally likely, all three truths being equally frequent.
        high: ``z`` at which good and the rest are.
        politeness: How much of what smiles say a clear complaint takes back, [0, 1].
        few_answers: ``n_0``: effective pictures that count half.
        spread: Of ``z``.
        silent: Of visits in which nothing was said, or nobody listened.
        spoken: Of those in which something was.
        made_by: Where the numbers come from.
    """

    streams: Mapping[str, Coefficients]
    low: float
    high: float
    politeness: Annotated[float, Field(ge=0.0, le=1.0)]
    few_answers: Annotated[float, Field(gt=0.0, le=100.0)]
    spread: Spread
    silent: Quantiles
    spoken: Quantiles
    made_by: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound(self) -> VisitModel:
        if "other" not in self.streams:
            raise ValueError("streams must have an entry 'other'")
        if self.low > self.high:
            raise ValueError("low must not lie above high")
        return self

    def coefficients(self, modality: str) -> Coefficients:
        """Of a stream."""
        return self.streams.get(modality, self.streams["other"])

    def reliance(self, features: StreamFeatures) -> float:
        """``g``, [0, 1): how much what was seen counts for its number of pictures."""
        return features.answers / (features.answers + self.few_answers)

    def seen(self, modality: str, features: StreamFeatures) -> float:
        """Log-odds of what a stream showed over its time."""
        weigh, shape = self.coefficients(modality), features.shape
        shown = (
            weigh.level * shape.level
            + weigh.up * shape.up
            - weigh.down * shape.down
            + weigh.rise * shape.rise
            - weigh.fall * shape.fall
        )
        return self.reliance(features) * shown

    def heard(self, modality: str, features: StreamFeatures) -> tuple[float, float]:
        """Log-odds of what it said for satisfaction and against it, neither negative."""
        weigh = self.coefficients(modality)
        return weigh.kind * features.said_good, weigh.complaint * features.said_poor

    def deviation(self, *, seen: float, heard: float, few: float) -> float:
        """Standard deviation of ``z``."""
        spread = self.spread
        return math.sqrt(spread.always + spread.seen * abs(seen) + spread.heard * abs(heard) + spread.few * few)

    def shares(self, z: float, prior: Sequence[float]) -> tuple[float, float, float]:
        """How likely poor, neutral and good are, given ``z`` and the site's shares of them."""
        below, above = _sigmoid(self.low - z), _sigmoid(z - self.high)
        likely = (below, max(0.0, 1.0 - below - above), above)
        joint = [each * share for each, share in zip(likely, prior, strict=True)]
        total = sum(joint)
        return (joint[0] / total, joint[1] / total, joint[2] / total) if total > 0.0 else (0.0, 1.0, 0.0)

    def score(self, z: float, prior: Sequence[float]) -> float:
        """``P(good) + P(neutral) / 2``, [0, 1]; rises with ``z``."""
        _, neutral, good = self.shares(z, prior)
        return min(1.0, max(0.0, good + 0.5 * neutral))

    def interval(self, z: float, deviation: float, prior: Sequence[float]) -> tuple[float, float]:
        """Where the score lies with 90 % probability."""
        return self.score(z - Z_90 * deviation, prior), self.score(z + Z_90 * deviation, prior)

    def speaks(self, modality: str) -> bool:
        """Whether a stream says something in words, by its coefficients."""
        weigh = self.coefficients(modality)
        return weigh.kind > 0.0 or weigh.complaint > 0.0

    def thresholds(self, prior: Sequence[float], max_wrong: float, *, spoken: bool) -> tuple[float, float]:
        """``z`` at and below which a visit is called poor, and at and above which good.

        They find the greatest shares of the good and of the poor visits, added, that can be had while no more than
        ``max_wrong`` of the verdicts are wrong, if visits are as those that the model was fitted to and as frequent as
        ``prior`` says. A neutral visit that is called good or poor is half as wrong as one that is called the opposite.
        """
        visits = self.spoken if spoken else self.silent
        return _thresholds(visits.poor, visits.neutral, visits.good, tuple(prior), max_wrong)


def parse_model(data: Mapping[str, Any], *, source: str) -> VisitModel:
    """Check a model's numbers.

    Raises:
        ConfigError: They are not what is expected.
    """
    try:
        return VisitModel.model_validate(dict(data))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(f"{source} is no model of visits: {key}: {problem['msg']}") from error


@cache
def shipped_model() -> VisitModel:
    """The model that comes with the plugin."""
    text = files("mien_fusion").joinpath(SHIPPED).read_text(encoding="utf-8")
    return parse_model(json.loads(text), source=SHIPPED)


@cache
def _thresholds(
    poor: tuple[float, ...], neutral: tuple[float, ...], good: tuple[float, ...], prior: tuple[float, ...], most: float
) -> tuple[float, float]:
    everything = sorted({*poor, *neutral, *good})
    step = max(1, len(everything) // CANDIDATES)
    candidates = [everything[0] - 1.0, *everything[::step], everything[-1] + 1.0]
    above = [[_share_above(each, z) for each in (poor, neutral, good)] for z in candidates]
    best, found = -1.0, (candidates[0], candidates[-1])
    for low, below_low in enumerate(above):
        called_poor = [1.0 - share for share in below_low]
        for high in range(low + 1, len(candidates)):
            called_good = above[high]
            right = prior[0] * called_poor[0] + prior[2] * called_good[2]
            neutrals = prior[1] * (called_poor[1] + called_good[1])
            opposite = prior[0] * called_good[0] + prior[2] * called_poor[2]
            if opposite + NEUTRAL_COST * neutrals > most * (right + neutrals + opposite):
                continue
            recalled = called_poor[0] + called_good[2]
            if recalled > best + 1e-9:
                best, found = recalled, (candidates[low], candidates[high])
    return found


def _share_above(quantiles: Sequence[float], z: float) -> float:
    """Share at or above ``z``, by straight lines between the quantiles."""
    if z <= quantiles[0]:
        return 1.0
    if z > quantiles[-1]:
        return 0.0
    steps = len(quantiles) - 1
    index = next(place for place in range(steps) if quantiles[place + 1] >= z)
    width = quantiles[index + 1] - quantiles[index]
    return 1.0 - (index + ((z - quantiles[index]) / width if width > 0.0 else 0.0)) / steps


def _sigmoid(value: float) -> float:
    if value >= 0.0:
        return 1.0 / (1.0 + math.exp(-value))
    small = math.exp(value)
    return small / (1.0 + small)
