"""What the fitted rule knows of one stream: running sums from which its features are made, whatever the order.

Beside ``StreamEvidence``'s sums a stream keeps a histogram of its evidence, and the sum of all that was said:

    said_good = (sum (decay sqrt(c) max(0, 2 s - 1))^3)^(1/3)

which a sentence that says nothing leaves as it is, and to which each further one adds less. The root is there because
a half-heard complaint is more than half of one: what recognisers and the tone network doubt is seldom the direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from mien_fusion.evidence import MIN_CONFIDENCE, StreamEvidence, StreamSummary
from mien_fusion.histogram import EvidenceHistogram, Shape

SAID_POWER: Final = 3.0
"""Three sentences that say the same count 1.44 times as much as one."""


@dataclass(frozen=True, slots=True)
class StreamFeatures:
    """One stream at a moment.

    Attributes:
        summary: Its mean evidence, confidence, freshness.
        shape: What it showed over its time.
        answers: Effective number of its predictions, correlated ones counting less.
        said_good: All that it said for satisfaction, 0 or more.
        said_poor: All that it said against it.
    """

    summary: StreamSummary
    shape: Shape
    answers: float
    said_good: float
    said_poor: float


def said_term(score: float, confidence: float) -> float:
    """What a prediction adds to the sum of what was said, for or against satisfaction."""
    return float((math.sqrt(confidence) * abs(2.0 * score - 1.0)) ** SAID_POWER)


class StreamHistory:
    """The running sums of one stream."""

    __slots__ = ("_evidence", "_good", "_half_life", "_histogram", "_newest", "_poor")

    def __init__(self, *, half_life_seconds: float, correlation_seconds: float) -> None:
        self._evidence = StreamEvidence(half_life_seconds=half_life_seconds, correlation_seconds=correlation_seconds)
        self._half_life = half_life_seconds
        self._histogram = EvidenceHistogram()
        self._good = 0.0  # sum of said_term, decayed
        self._poor = 0.0
        self._newest = -math.inf

    @property
    def newest(self) -> float:
        """Time of the newest prediction, seconds; minus infinity before the first."""
        return self._newest

    def add(self, *, at: float, score: float, confidence: float) -> None:
        """Take one prediction in; one next to no confidence changes nothing."""
        if confidence < MIN_CONFIDENCE:
            return
        self._evidence.add(at=at, score=score, confidence=confidence)
        if at > self._newest:
            self._advance(at)
        weight = confidence * _halvings(self._newest - at, self._half_life)
        self._histogram.add(score, weight)
        fade = _halvings(self._newest - at, self._half_life) ** SAID_POWER
        if score >= 0.5:
            self._good += fade * said_term(score, confidence)
        else:
            self._poor += fade * said_term(score, confidence)

    def features(
        self, *, now: float, same_subject_correlation: float, without: StreamPart | None = None
    ) -> StreamFeatures | None:
        """What the stream says at ``now``, or None where it has said nothing.

        Args:
            now: Seconds; evidence fades until then.
            same_subject_correlation: Of the errors of two of its predictions, however far apart.
            without: A part of it to leave out; meant for streams that do not decay.
        """
        summary = self._evidence.summary(now=now, answers=1.0, same_subject_correlation=same_subject_correlation)
        if summary is None:
            return None
        histogram, good, poor = self._histogram, self._good, self._poor
        if without is not None:
            histogram = histogram.copy()
            histogram.add(without.score, -without.weight)
            good, poor = max(0.0, good - without.said_good), max(0.0, poor - without.said_poor)
        shape = histogram.shape()
        if shape is None:
            return None
        fade = summary.freshness
        return StreamFeatures(
            summary=summary,
            shape=shape,
            answers=summary.size,
            said_good=fade * good ** (1.0 / SAID_POWER),
            said_poor=fade * poor ** (1.0 / SAID_POWER),
        )

    def _advance(self, to: float) -> None:
        if math.isfinite(self._newest) and math.isfinite(self._half_life):
            fade = _halvings(to - self._newest, self._half_life)
            self._histogram.fade(fade)
            self._good *= fade**SAID_POWER
            self._poor *= fade**SAID_POWER
        self._newest = to


@dataclass(frozen=True, slots=True)
class StreamPart:
    """A part of a stream, such as a smile: what it adds to the sums.

    Attributes:
        score: Its mean evidence, [0, 1].
        weight: Sum of its confidences.
        said_good: Its part in the sum of what was said for satisfaction.
        said_poor: Likewise against it.
    """

    score: float
    weight: float
    said_good: float
    said_poor: float


def _halvings(seconds: float, half_life_seconds: float) -> float:
    return float(2.0 ** (-seconds / half_life_seconds))
