"""The rule of the first reference system (Ward 2018): more than 40 % happy faces mean good service, fewer mean poor.

It counts each face's most probable emotion, undecayed and unweighted; words play no part. The score maps the share so
that the threshold is 0.5: shares below it to [0, 0.5), shares above it to (0.5, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

from mien import (
    UNKNOWN_SATISFACTION,
    Accumulator,
    Contribution,
    Fuser,
    FusionContext,
    Modality,
    Prediction,
    Satisfaction,
    ScoreInterval,
    Verdict,
)
from mien_fusion.evidence import MIN_CONFIDENCE, StreamEvidence
from mien_fusion.interval import wilson_interval
from mien_fusion.settings import FusionPluginSettings

FACE = str(Modality.FACE)


class HappyShare(Fuser):
    """Fuses by the share of happy faces."""

    def __init__(self, settings: FusionPluginSettings | None = None) -> None:
        self._settings = settings or FusionPluginSettings()

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        """Fuse predictions about one subject; only faces count."""
        running = HappyShareAccumulator(self._settings, context)
        for prediction in sorted(predictions, key=lambda each: each.interval.end):
            running.add(prediction)
        return running.satisfaction(now=context.now)

    def accumulator(self, context: FusionContext) -> Accumulator:
        """Two running counts, and the sums for the interval."""
        return HappyShareAccumulator(self._settings, context)


class HappyShareAccumulator(Accumulator):
    """How many faces were classified, and how many of them as happy."""

    def __init__(self, settings: FusionPluginSettings, context: FusionContext) -> None:
        self._settings = settings
        self._context = context
        self._classified = 0
        self._happy = 0
        self._confidence_sum = 0.0
        # One classification is one yes/no answer; the sums discount the correlation of pictures of one face.
        self._answers = StreamEvidence(half_life_seconds=float("inf"), correlation_seconds=settings.correlation_seconds)

    def add(self, prediction: Prediction) -> None:
        """Count a face; anything else, and a face without confidence, is passed over."""
        if prediction.modality != FACE or prediction.confidence < MIN_CONFIDENCE:
            return
        is_happy = prediction.top_emotion == self._settings.happy_label
        self._classified += 1
        self._happy += is_happy
        self._confidence_sum += prediction.confidence
        self._answers.add(at=prediction.interval.end, score=float(is_happy), confidence=1.0)

    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        """The share so far; ``now`` plays no part, for nothing decays."""
        answers = self._answers.summary(
            now=self._answers.newest,
            answers=1.0,
            same_subject_correlation=self._settings.same_subject_correlation,
        )
        if answers is None:
            return UNKNOWN_SATISFACTION
        share = self._happy / self._classified
        score = self._score(share)
        around = wilson_interval(share, answers.size)
        confidence = min(1.0, self._confidence_sum / self._classified)
        expected = self._context.expected or frozenset({FACE})
        return Satisfaction(
            score=score,
            interval=ScoreInterval(self._score(around.low), self._score(around.high)),
            confidence=confidence,
            verdict=self._verdict(share, confidence),
            contributions={
                FACE: Contribution(weight=1.0, score=score, confidence=confidence, samples=self._classified)
            },
            coverage=len(expected & {FACE}) / len(expected),
        )

    def _verdict(self, share: float, confidence: float) -> Verdict:
        if confidence < self._context.min_confidence:
            return Verdict.UNDECIDED
        return Verdict.GOOD if share > self._settings.happy_threshold else Verdict.POOR

    def _score(self, share: float) -> float:
        threshold = self._settings.happy_threshold
        if share <= threshold:
            return 0.5 * share / threshold
        return 0.5 + 0.5 * (share - threshold) / (1.0 - threshold)
