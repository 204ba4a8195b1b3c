"""The evidence that a session keeps of one subject (or group): running, overall, verdict and emotion counts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from mien.interfaces import Fuser, MismatchPolicy
from mien.session.config import SessionConfig
from mien.types import FaceRegion, Prediction, Reason, Satisfaction, Verdict

MAX_MODALITIES: Final = 32
"""Emotions are counted for so many modalities, so that memory stays bounded."""


class EmotionTally:
    """How often each emotion was the most probable of one modality's predictions."""

    __slots__ = ("_counts", "_total")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._total = 0

    def count(self, prediction: Prediction) -> None:
        """Count one classification."""
        for label in prediction.emotions:
            self._counts.setdefault(label, 0)
        self._counts[prediction.top_emotion] += 1
        self._total += 1

    def percentages(self) -> dict[str, float]:
        """Emotion -> 100 x (times classified) / (classifications so far); empty before the first."""
        return {label: 100.0 * count / self._total for label, count in self._counts.items()}


class VerdictHold:
    """Hysteresis: a verdict once reached is kept until the score has moved away from where it last held."""

    __slots__ = ("_anchor", "_config", "_verdict")

    def __init__(self, config: SessionConfig) -> None:
        self._config = config
        self._verdict = Verdict.UNDECIDED
        self._anchor = 0.5

    def settle(self, satisfaction: Satisfaction) -> Satisfaction:
        """The satisfaction with the verdict that is to be shown."""
        if self._keeps(satisfaction):
            return replace(satisfaction, verdict=self._verdict)
        self._verdict = satisfaction.verdict
        self._anchor = satisfaction.score
        return satisfaction

    def _keeps(self, satisfaction: Satisfaction) -> bool:
        if self._verdict in (Verdict.UNDECIDED, satisfaction.verdict):
            return False
        abstains = satisfaction.mismatch and self._config.mismatch_policy is MismatchPolicy.ABSTAIN
        if abstains or satisfaction.confidence < self._config.min_confidence:
            return False
        fall = self._anchor - satisfaction.score
        return (fall if self._verdict is Verdict.GOOD else -fall) < self._config.verdict_hysteresis


class SubjectEvidence:
    """What is known of one subject (or of the group): constant in memory."""

    __slots__ = ("_hold", "_overall", "_running", "_tallies", "current", "seen_at")

    def __init__(self, config: SessionConfig, fuser: Fuser) -> None:
        self._running = fuser.accumulator(config.fusion_context())
        self._overall = fuser.accumulator(config.fusion_context(half_life_seconds=math.inf))
        self._hold = VerdictHold(config)
        self._tallies: dict[str, EmotionTally] = {}
        self.current = self._running.satisfaction()
        self.seen_at = -math.inf

    def add(self, prediction: Prediction) -> None:
        """Take one prediction in; ``settle`` brings ``current`` up to date."""
        self._running.add(prediction)
        self._overall.add(prediction)
        if prediction.modality in self._tallies or len(self._tallies) < MAX_MODALITIES:
            self._tallies.setdefault(prediction.modality, EmotionTally()).count(prediction)
        self.seen_at = max(self.seen_at, prediction.interval.end)

    def settle(self, now: float) -> Satisfaction:
        """Fuse the running evidence as of ``now``; kept in ``current``."""
        self.current = self._hold.settle(self._running.satisfaction(now=now))
        return self.current

    def percentages(self) -> dict[str, dict[str, float]]:
        """Modality -> emotion -> percent of its predictions that say so; one that has said nothing is not in it."""
        return {modality: tally.percentages() for modality, tally in sorted(self._tallies.items())}

    def overall(self) -> Satisfaction:
        """All evidence, undecayed."""
        return self._overall.satisfaction()

    def reasons(self) -> tuple[Reason, ...]:
        """What moved the overall score, the strongest first."""
        return tuple(self._overall.reasons())


class ConditionTally:
    """Means of what the customer was seen under."""

    __slots__ = ("_counts", "_sums")

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def count(self, prediction: Prediction, frame_size: tuple[int, int] | None) -> None:
        """Count one face."""
        region = prediction.evidence
        if not isinstance(region, FaceRegion):
            return
        found: dict[str, float | None] = {
            "quality": region.quality,
            "brightness": region.brightness,
            "face_height": None if frame_size is None else min(1.0, region.box.height / frame_size[1]),
            "confidence": prediction.confidence,
        }
        for name, value in found.items():
            if value is not None:
                self._sums[name] = self._sums.get(name, 0.0) + value
                self._counts[name] = self._counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        """Condition -> mean; one that was never known is not in it."""
        return {name: total / self._counts[name] for name, total in self._sums.items()}
