"""The plain fusion rule: a confidence-weighted sum of what face, voice and any other modality say.

    score = sum_m w_m c_m s_m / sum_m w_m c_m          m in the modalities present

with ``w_m`` the configured (or fitted) weight, ``c_m`` the stream's confidence and ``s_m`` its evidence, each over time
with exponential decay. With one modality present the score is that modality's; the fields are the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mien import (
    UNKNOWN_SATISFACTION,
    Accumulator,
    Contribution,
    Fuser,
    FusionContext,
    MismatchPolicy,
    Prediction,
    Satisfaction,
    ScoreInterval,
    Verdict,
)
from mien_fusion.agreement import agreement, mismatched
from mien_fusion.calibration import calibrate
from mien_fusion.evidence import StreamEvidence, StreamSummary
from mien_fusion.interval import wilson_interval
from mien_fusion.pooling import coverage, fused, joint_confidence, stream_of, trusted, weights_of
from mien_fusion.settings import FusionPluginSettings


class WeightedSum(Fuser):
    """Fuses by the weighted sum."""

    def __init__(self, settings: FusionPluginSettings | None = None) -> None:
        self._settings = settings or FusionPluginSettings()

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        """Fuse predictions about one subject, in any order."""
        return fused(WeightedSumAccumulator(self._settings, context), predictions, now=context.now)

    def accumulator(self, context: FusionContext) -> Accumulator:
        """Running sums: fusing predictions one by one, in the order of time, gives the same as ``fuse``."""
        return WeightedSumAccumulator(self._settings, context)


class WeightedSumAccumulator(Accumulator):
    """The running sums of each modality of one subject."""

    def __init__(self, settings: FusionPluginSettings, context: FusionContext) -> None:
        self._settings = settings
        self._context = context
        self._streams: dict[str, StreamEvidence] = {}

    def add(self, prediction: Prediction) -> None:
        """Take one prediction in.

        Raises:
            ValueError: It is of one modality too many.
        """
        stream = stream_of(self._streams, prediction.modality, self._new_stream)
        stream.add(at=prediction.interval.end, score=prediction.satisfaction, confidence=prediction.confidence)

    def _new_stream(self) -> StreamEvidence:
        return StreamEvidence(
            half_life_seconds=self._context.half_life_seconds,
            correlation_seconds=self._settings.correlation_seconds,
        )

    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        """Fuse what was added so far, for the moment ``now``."""
        if now is None:
            now = max((stream.newest for stream in self._streams.values()), default=0.0)
        summaries: dict[str, StreamSummary] = {}
        for modality in sorted(self._streams):
            summary = self._streams[modality].summary(
                now=now,
                answers=self._settings.answers_per_prediction,
                same_subject_correlation=self._settings.same_subject_correlation,
            )
            if summary is not None:
                summaries[modality] = summary
        return combine(summaries, self._context, self._settings)


@dataclass(frozen=True, slots=True)
class _Pooled:
    """The weighted sum itself, before calibration and verdict."""

    score: float
    size: float
    shares: Mapping[str, float]


def combine(
    streams: Mapping[str, StreamSummary], context: FusionContext, settings: FusionPluginSettings
) -> Satisfaction:
    """Fuse the modalities' summaries into one satisfaction.

    Args:
        streams: Modality -> where it stands; those that have said nothing are not in it.
        context: Weights, thresholds, policy.
        settings: Constants of the rule.
    """
    opposed = mismatched(
        streams,
        context.mismatch_pairs,
        margin=settings.mismatch_margin,
        min_confidence=settings.mismatch_confidence,
    )
    weights = trusted(weights_of(streams, context), opposed, context.mismatch_policy)
    pooled = _pool(streams, weights)
    if pooled is None:
        return UNKNOWN_SATISFACTION
    raw = wilson_interval(pooled.score, pooled.size)
    score = calibrate(pooled.score, settings.calibration)
    interval = ScoreInterval(calibrate(raw.low, settings.calibration), calibrate(raw.high, settings.calibration))
    confidence = joint_confidence(streams, weights)
    abstains = bool(opposed) and context.mismatch_policy is MismatchPolicy.ABSTAIN
    undecided = abstains or confidence < context.min_confidence
    return Satisfaction(
        score=score,
        interval=interval,
        confidence=confidence,
        verdict=Verdict.UNDECIDED if undecided else _verdict(score, interval, context),
        contributions={
            modality: Contribution(
                weight=pooled.shares[modality],
                score=stream.score,
                confidence=stream.confidence,
                samples=stream.samples,
            )
            for modality, stream in streams.items()
        },
        agreement=min(1.0, max(0.0, agreement(streams))),
        mismatch=bool(opposed),
        coverage=coverage(streams, context),
    )


def _pool(streams: Mapping[str, StreamSummary], weights: Mapping[str, float]) -> _Pooled | None:
    """The weighted sum and its effective sample size; None where nothing has weight."""
    # The greatest weight divided out keeps tiny and huge weights from under- or overflowing.
    largest = max(weights.values(), default=0.0)
    if largest <= 0.0:
        return None
    strengths = {modality: weights[modality] / largest * stream.confidence for modality, stream in streams.items()}
    total = math.fsum(strengths.values())
    if total <= 0.0:
        return None
    shares = {modality: strength / total for modality, strength in strengths.items()}
    score = min(1.0, max(0.0, math.fsum(shares[modality] * stream.score for modality, stream in streams.items())))
    counted = [(shares[modality], stream) for modality, stream in streams.items() if shares[modality] > 0.0]
    if any(stream.size <= 0.0 for _, stream in counted):
        return _Pooled(score=score, size=0.0, shares=shares)
    variance = math.fsum(share * share / stream.size for share, stream in counted)
    return _Pooled(score=score, size=1.0 / (variance * _birge_factor(counted, score)), shares=shares)


def _birge_factor(counted: Sequence[tuple[float, StreamSummary]], score: float) -> float:
    """How much more the streams differ than their sampling errors explain, at least 1 (Birge 1932).

    Streams that contradict each other do not measure one thing to the precision they claim: the variance is widened.
    """
    spread = score * (1.0 - score)
    if len(counted) < 2 or spread <= 0.0:
        return 1.0
    total = math.fsum(stream.size for _, stream in counted)
    mean = math.fsum(stream.size * stream.score for _, stream in counted) / total
    chi_squared = math.fsum(stream.size * (stream.score - mean) ** 2 for _, stream in counted) / spread
    return max(1.0, chi_squared / (len(counted) - 1))


def _verdict(score: float, interval: ScoreInterval, context: FusionContext) -> Verdict:
    """GOOD or POOR where the score is past its threshold and the interval excludes the other one."""
    if score >= context.good_threshold and interval.low > context.poor_threshold:
        return Verdict.GOOD
    if score <= context.poor_threshold and interval.high < context.good_threshold:
        return Verdict.POOR
    return Verdict.UNDECIDED
