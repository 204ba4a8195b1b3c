"""The moments that speak most: smiles, frowns and sentences, kept few, to say in words what moved a score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mien import Prediction, TimeInterval, Transcript
from mien_fusion.evidence import MIN_CONFIDENCE
from mien_fusion.features import StreamPart, said_term

MAX_KEPT: Final = 4
"""Moments kept for satisfaction, and as many against it."""

TELLING: Final = 0.3
"""A prediction whose signed evidence lies closer to 0 is no moment."""

GAP_SECONDS: Final = 3.0
"""Predictions of one stream that say the same at most so far apart are one moment."""

MAX_WORDS: Final = 80
"""Characters of what was said that are kept."""


@dataclass(slots=True)
class Moment:
    """One stretch of time in which a stream said one thing.

    Attributes:
        modality: Of the stream.
        start: Seconds.
        end: Seconds.
        good: Whether it speaks for satisfaction.
        words: What was said, if anything, shortened.
        weight: Sum of confidences.
        evidence: Sum of confidence times evidence.
        said: Sum of what it adds to ``StreamHistory``'s sums.
        labels: Emotion -> confidence with which it was the most probable.
    """

    modality: str
    start: float
    end: float
    good: bool
    words: str
    weight: float = 0.0
    evidence: float = 0.0
    said: float = 0.0
    labels: dict[str, float] = field(default_factory=dict)

    @property
    def interval(self) -> TimeInterval:
        """When it was."""
        return TimeInterval(self.start, self.end)

    @property
    def label(self) -> str:
        """The emotion that was shown or said most."""
        return max(sorted(self.labels), key=self.labels.__getitem__)

    @property
    def strength(self) -> float:
        """By which moments are kept: how far from saying nothing, and for how long."""
        return abs(2.0 * self.evidence - self.weight)

    def add(self, prediction: Prediction) -> None:
        """Take one more prediction in."""
        self.start = min(self.start, prediction.interval.start)
        self.end = max(self.end, prediction.interval.end)
        self.weight += prediction.confidence
        self.evidence += prediction.confidence * prediction.satisfaction
        self.said += said_term(prediction.satisfaction, prediction.confidence)
        top = prediction.top_emotion
        self.labels[top] = self.labels.get(top, 0.0) + prediction.confidence

    def part(self) -> StreamPart:
        """What leaving it out takes away."""
        return StreamPart(
            score=min(1.0, max(0.0, self.evidence / self.weight)),
            weight=self.weight,
            said_good=self.said if self.good else 0.0,
            said_poor=0.0 if self.good else self.said,
        )


class Moments:
    """The strongest moments so far; constant in memory."""

    __slots__ = ("_kept", "_open")

    def __init__(self) -> None:
        self._open: dict[str, Moment] = {}
        self._kept: dict[bool, list[Moment]] = {True: [], False: []}

    def add(self, prediction: Prediction) -> None:
        """Take one prediction in."""
        signed = 2.0 * prediction.satisfaction - 1.0
        if prediction.confidence < MIN_CONFIDENCE or abs(signed) < TELLING:
            return
        good, words = signed > 0.0, _words(prediction)
        going_on = self._open.get(prediction.modality)
        if going_on is None or not self._continues(going_on, prediction, good=good, words=words):
            if going_on is not None:
                self._keep(going_on)
            going_on = Moment(prediction.modality, prediction.interval.start, prediction.interval.end, good, words)
            self._open[prediction.modality] = going_on
        going_on.add(prediction)

    def all(self) -> list[Moment]:
        """Those that are kept, and those that may go on."""
        return [*self._kept[True], *self._kept[False], *self._open.values()]

    @staticmethod
    def _continues(moment: Moment, prediction: Prediction, *, good: bool, words: str) -> bool:
        near = (
            prediction.interval.start - moment.end <= GAP_SECONDS
            and moment.start - prediction.interval.end <= GAP_SECONDS
        )
        return near and moment.good is good and not words and not moment.words

    def _keep(self, moment: Moment) -> None:
        kept = self._kept[moment.good]
        kept.append(moment)
        if len(kept) > MAX_KEPT:
            kept.remove(min(kept, key=lambda each: each.strength))


def _words(prediction: Prediction) -> str:
    evidence = prediction.evidence
    if not isinstance(evidence, Transcript) or evidence.redacted:
        return ""
    text = " ".join(evidence.text.split())
    return text if len(text) <= MAX_WORDS else text[: MAX_WORDS - 1].rsplit(" ", 1)[0] + "…"
