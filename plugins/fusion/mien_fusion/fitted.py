"""The fitted fusion rule: how likely the customer of a visit is satisfied, by a model that was fitted to visits.

The weighted sum stays its core: each stream's mean is that of ``weighted_sum``, and so are confidence, coverage,
agreement and policies. What the model adds are peaks, the face's change against what it mostly shows, words that do not
fade into what says nothing, and thresholds that follow from how many wrong verdicts are borne. See ``visitmodel``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from mien import (
    UNKNOWN_SATISFACTION,
    Accumulator,
    Contribution,
    Fuser,
    FusionContext,
    MismatchPair,
    MismatchPolicy,
    Modality,
    Prediction,
    Reason,
    Satisfaction,
    ScoreInterval,
    Verdict,
)
from mien_fusion.agreement import agreement
from mien_fusion.features import StreamFeatures, StreamHistory, StreamPart
from mien_fusion.moments import Moments
from mien_fusion.pooling import coverage, fused, joint_confidence, stream_of, trusted, weights_of
from mien_fusion.settings import FusionPluginSettings
from mien_fusion.visitmodel import VisitModel

EVEN: Final = (1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0)
"""Shares of poor, neutral and good by which one side of a mismatch is judged."""

MIN_EFFECT: Final = 0.01
"""A moment that moved the score less is no reason."""

MAX_REASONS: Final = 6
"""Reasons that are given."""

_SILENT_SHARE: Final = 0.05
"""What a fully confident stream that says nothing weighs among the contributions, in log-odds."""


class Fitted(Fuser):
    """Fuses by the fitted model of visits."""

    def __init__(self, model: VisitModel, settings: FusionPluginSettings | None = None) -> None:
        self._model = model
        self._settings = settings or FusionPluginSettings()

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        """Fuse predictions about one subject, in any order."""
        return fused(FittedAccumulator(self._model, self._settings, context), predictions, now=context.now)

    def accumulator(self, context: FusionContext) -> FittedAccumulator:
        """Running sums: fusing predictions one by one, in the order of time, gives the same as ``fuse``."""
        return FittedAccumulator(self._model, self._settings, context)


class FittedAccumulator(Accumulator):
    """The running sums of each modality of one subject, and its strongest moments."""

    def __init__(self, model: VisitModel, settings: FusionPluginSettings, context: FusionContext) -> None:
        self._model = model
        self._settings = settings
        self._context = context
        self._streams: dict[str, StreamHistory] = {}
        # Where evidence decays, what leaving a moment out would change depends on when one asks.
        self._moments = None if isfinite(context.half_life_seconds) else Moments()

    def add(self, prediction: Prediction) -> None:
        """Take one prediction in.

        Raises:
            ValueError: It is of one modality too many.
        """
        stream = stream_of(self._streams, prediction.modality, self._new_stream)
        stream.add(at=prediction.interval.end, score=prediction.satisfaction, confidence=prediction.confidence)
        if self._moments is not None:
            self._moments.add(prediction)

    def _new_stream(self) -> StreamHistory:
        return StreamHistory(
            half_life_seconds=self._context.half_life_seconds,
            correlation_seconds=self._settings.correlation_seconds,
        )

    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        """Fuse what was added so far, for the moment ``now``."""
        return combine(self.features(now=now), self._model, self._context, self._settings)

    def features(
        self, *, now: float | None = None, without: tuple[str, StreamPart] | None = None
    ) -> dict[str, StreamFeatures]:
        """Modality -> what it says at ``now``, in the order of names; those that have said nothing are not in it.

        Args:
            now: Seconds; None takes the newest prediction's end.
            without: A modality, and a part of what it said to leave out.
        """
        if now is None:
            now = max((stream.newest for stream in self._streams.values()), default=0.0)
        found: dict[str, StreamFeatures] = {}
        for modality in sorted(self._streams):
            features = self._streams[modality].features(
                now=now,
                same_subject_correlation=self._settings.same_subject_correlation,
                without=without[1] if without is not None and without[0] == modality else None,
            )
            if features is not None:
                found[modality] = features
        return found

    def reasons(self) -> tuple[Reason, ...]:
        """The moments without which the score would be another, the strongest first; none where evidence decays."""
        if self._moments is None:
            return ()
        score = self.satisfaction().score
        found = []
        for moment in self._moments.all():
            rest = self.features(without=(moment.modality, moment.part()))
            without = combine(rest, self._model, self._context, self._settings).score
            found.append(
                Reason(
                    modality=moment.modality,
                    interval=moment.interval,
                    effect=score - without,
                    label=moment.label,
                    words=moment.words,
                )
            )
        # A moment may also have an effect against what it says, by making others stand out less: that is no reason.
        telling = [each for each, moment in zip(found, self._moments.all(), strict=True) if _agrees(each, moment.good)]
        telling.sort(key=lambda each: (-abs(each.effect), each.interval.start, each.modality))
        return tuple(telling[:MAX_REASONS])


@dataclass(frozen=True, slots=True)
class _LogOdds:
    """What one stream says.

    Attributes:
        seen: Of what it showed.
        good: Of what it said for satisfaction, not negative.
        poor: Of what it said against it, not negative.
        few: ``1 - g``.
    """

    seen: float
    good: float
    poor: float
    few: float

    @property
    def heard(self) -> float:
        return self.good - self.poor

    @property
    def total(self) -> float:
        return self.seen + self.heard


def combine(
    streams: Mapping[str, StreamFeatures], model: VisitModel, context: FusionContext, settings: FusionPluginSettings
) -> Satisfaction:
    """Fuse the modalities' features into one satisfaction.

    Args:
        streams: Modality -> what it says; those that have said nothing are not in it.
        model: The fitted numbers.
        context: Weights, prior, policy.
        settings: Constants of the rule.
    """
    summaries = {modality: features.summary for modality, features in streams.items()}
    said = {modality: _log_odds(model, modality, features) for modality, features in streams.items()}
    opposed = _mismatched(streams, model, context.mismatch_pairs, margin=settings.mismatch_margin)
    weights = trusted(weights_of(streams, context), opposed, context.mismatch_policy)
    largest = max(weights.values(), default=0.0)
    if largest <= 0.0:
        return UNKNOWN_SATISFACTION
    weights = {modality: weight / largest for modality, weight in weights.items()}
    z, deviation = pooled(said, weights, model)
    prior = context.prior
    spoken = any(model.speaks(modality) for modality, weight in weights.items() if weight > 0.0)
    thresholds = model.thresholds(prior, context.max_wrong_share, spoken=spoken)
    low, high = model.interval(z, deviation, prior)
    score = model.score(z, prior)
    confidence = joint_confidence(summaries, weights)
    undecided = (bool(opposed) and context.mismatch_policy is MismatchPolicy.ABSTAIN) or (
        confidence < context.min_confidence
    )
    return Satisfaction(
        score=score,
        interval=ScoreInterval(min(low, score), max(high, score)),
        confidence=confidence,
        verdict=Verdict.UNDECIDED if undecided else _verdict(z, thresholds),
        contributions=_contributions(streams, said, weights),
        agreement=min(1.0, max(0.0, agreement(summaries))),
        mismatch=bool(opposed),
        coverage=coverage(summaries, context),
    )


def pooled(said: Mapping[str, _LogOdds], weights: Mapping[str, float], model: VisitModel) -> tuple[float, float]:
    """``z`` of all streams together, and its standard deviation."""
    seen = sum(weights[name] * each.seen for name, each in said.items())
    good = sum(weights[name] * each.good for name, each in said.items())
    poor = sum(weights[name] * each.poor for name, each in said.items())
    # Smiles over a complaint are politeness; what they say is taken back as far as words complain.
    doubt = model.politeness * poor / (1.0 + poor)
    z = (seen * (1.0 - doubt) if seen > 0.0 else seen) + good - poor
    few = min((each.few for name, each in said.items() if weights[name] > 0.0), default=1.0)
    return z, model.deviation(seen=seen, heard=good + poor, few=few)


def log_odds_of(streams: Mapping[str, StreamFeatures], model: VisitModel) -> tuple[float, float]:
    """``z`` and its deviation of streams that all weigh 1; for fitting and measuring."""
    said = {modality: _log_odds(model, modality, features) for modality, features in streams.items()}
    return pooled(said, dict.fromkeys(said, 1.0), model)


def _log_odds(model: VisitModel, modality: str, features: StreamFeatures) -> _LogOdds:
    good, poor = model.heard(modality, features)
    return _LogOdds(model.seen(modality, features), good, poor, 1.0 - model.reliance(features))


def _mismatched(
    streams: Mapping[str, StreamFeatures], model: VisitModel, pairs: Sequence[MismatchPair], *, margin: float
) -> tuple[MismatchPair, ...]:
    """The pairs of which one side by itself makes a good visit likely, and the other a poor one."""
    return tuple(pair for pair in pairs if _opposes(*(_side(streams, model, group) for group in pair), margin=margin))


def _side(streams: Mapping[str, StreamFeatures], model: VisitModel, group: Sequence[str]) -> float:
    """The score that a group would give by itself; a stream that was not fitted is read as a face is."""
    members = [
        _log_odds(model, modality if modality in model.streams else Modality.FACE.value, streams[modality]).total
        for modality in group
        if modality in streams
    ]
    return model.score(sum(members), EVEN) if members else 0.5


def _opposes(one: float, other: float, *, margin: float) -> bool:
    low, high = sorted((one, other))
    return low <= 0.5 - margin and high >= 0.5 + margin and low < high


def _contributions(
    streams: Mapping[str, StreamFeatures], said: Mapping[str, _LogOdds], weights: Mapping[str, float]
) -> dict[str, Contribution]:
    """Each stream's share is that of its log-odds: one that says nothing has next to none."""
    strengths = {
        modality: weights[modality]
        * (
            abs(said[modality].seen)
            + said[modality].good
            + said[modality].poor
            + _SILENT_SHARE * each.summary.confidence
        )
        for modality, each in streams.items()
    }
    total = sum(strengths.values())
    if total <= 0.0:
        strengths, total = dict.fromkeys(streams, 1.0), float(len(streams))
    return {
        modality: Contribution(
            weight=min(1.0, strengths[modality] / total),
            score=each.summary.score,
            confidence=each.summary.confidence,
            samples=each.summary.samples,
        )
        for modality, each in streams.items()
    }


def _verdict(z: float, thresholds: tuple[float, float]) -> Verdict:
    poor, good = thresholds
    if z >= good:
        return Verdict.GOOD
    return Verdict.POOR if z <= poor else Verdict.UNDECIDED


def _agrees(reason: Reason, good: bool) -> bool:
    return reason.effect >= MIN_EFFECT if good else reason.effect <= -MIN_EFFECT
