"""The fuser: a mean weighted by confidence, prior weight and age; then the rules, each a floor or a cap of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mien import (
    UNKNOWN_SATISFACTION,
    Contribution,
    Fuser,
    FusionContext,
    Prediction,
    Satisfaction,
    ScoreInterval,
    Verdict,
)
from mien_rulefuser.settings import PluginSettings, Rule

_SILENT = 1e-9


class RuleFuser(Fuser):
    """A weighted mean, with rules of your own as floors and caps."""

    def __init__(self, settings: PluginSettings) -> None:
        """Keep the settings; a fuser has no other state."""
        self._settings = settings

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        """The mean of the evidence, weighted by confidence, prior weight and age."""
        masses = _masses(predictions, context)
        total = math.fsum(masses.values())
        if total <= _SILENT:
            return UNKNOWN_SATISFACTION
        scores = {name: _score(name, predictions, context) for name, mass in masses.items() if mass > 0.0}
        mean = min(1.0, max(0.0, math.fsum(masses[name] / total * scores[name] for name in scores)))
        score = self._ruled(mean, predictions, context)
        confidence = max(each.confidence * _fading(each, predictions, context) for each in predictions)
        half = self._settings.half_width * (1.0 - confidence)
        return Satisfaction(
            score=score,
            interval=ScoreInterval(max(0.0, score - half), min(1.0, score + half)),
            confidence=confidence,
            verdict=_verdict(score, confidence, context),
            contributions={
                name: Contribution(weight=min(1.0, masses[name] / total), score=min(1.0, value))
                for name, value in sorted(scores.items())
            },
            coverage=len(scores) / len(context.expected | scores.keys()),
        )

    def _ruled(self, score: float, predictions: Sequence[Prediction], context: FusionContext) -> float:
        """The score, when every rule that applies has had its say."""
        for rule in self._settings.rules:
            if _share(rule, predictions, context) >= rule.share:
                score = min(rule.at_most, max(rule.at_least, score))
        return score


def _share(rule: Rule, predictions: Sequence[Prediction], context: FusionContext) -> float:
    """How much of what was shown is a rule's emotion, [0, 1]."""
    pairs = [
        (_weight(each, predictions, context), each.emotions.get(rule.label, 0.0))
        for each in predictions
        if rule.modality in ("", each.modality)
    ]
    total = math.fsum(weight for weight, _ in pairs)
    return math.fsum(weight * share for weight, share in pairs) / total if total > _SILENT else 0.0


def _weight(prediction: Prediction, predictions: Sequence[Prediction], context: FusionContext) -> float:
    """What one prediction weighs: confidence, prior weight and age."""
    weight = context.weights.get(prediction.modality, 1.0)
    return weight * prediction.confidence * _fading(prediction, predictions, context)


def _masses(predictions: Sequence[Prediction], context: FusionContext) -> Mapping[str, float]:
    """Modality -> what it weighs."""
    found: dict[str, list[float]] = {}
    for each in predictions:
        found.setdefault(each.modality, []).append(_weight(each, predictions, context))
    return {name: math.fsum(weights) for name, weights in found.items()}


def _score(name: str, predictions: Sequence[Prediction], context: FusionContext) -> float:
    """What one modality says, [0, 1]."""
    pairs = [
        (each.confidence * _fading(each, predictions, context), each.satisfaction)
        for each in predictions
        if each.modality == name
    ]
    return math.fsum(weight * value for weight, value in pairs) / math.fsum(weight for weight, _ in pairs)


def _fading(prediction: Prediction, predictions: Sequence[Prediction], context: FusionContext) -> float:
    """What is left of evidence by now: a half after each half-life."""
    now = max(each.interval.end for each in predictions) if context.now is None else context.now
    return math.exp2(-max(0.0, now - prediction.interval.end) / context.half_life_seconds)


def _verdict(score: float, confidence: float, context: FusionContext) -> Verdict:
    if confidence < context.min_confidence:
        return Verdict.UNDECIDED
    if score >= context.good_threshold:
        return Verdict.GOOD
    return Verdict.POOR if score <= context.poor_threshold else Verdict.UNDECIDED
