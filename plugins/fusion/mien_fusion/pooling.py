"""What fusion rules of several streams have in common: weights, trust, joint confidence, coverage, and an order."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from mien import Accumulator, FusionContext, MismatchPair, MismatchPolicy, Prediction, Satisfaction
from mien_fusion.agreement import distrusted
from mien_fusion.evidence import StreamSummary

MAX_MODALITIES: Final = 32
"""An accumulator keeps so many; a prediction of yet another is refused, so that memory stays bounded."""

Stream = TypeVar("Stream")
"""What an accumulator keeps of a modality."""


def canonical_order(prediction: Prediction) -> tuple[float, str, str, float, float]:
    """A fixed order of predictions, so that the order in which they are given does not matter."""
    return (
        prediction.interval.end,
        prediction.modality,
        prediction.subject_id,
        prediction.satisfaction,
        prediction.confidence,
    )


def fused(running: Accumulator, predictions: Iterable[Prediction], *, now: float | None) -> Satisfaction:
    """What a fresh accumulator says at ``now`` of predictions that may come in any order."""
    for prediction in sorted(predictions, key=canonical_order):
        running.add(prediction)
    return running.satisfaction(now=now)


def stream_of(streams: dict[str, Stream], modality: str, make: Callable[[], Stream]) -> Stream:
    """A modality's stream, made when it first says something.

    Raises:
        ValueError: It is of one modality too many.
    """
    if modality not in streams:
        if len(streams) >= MAX_MODALITIES:
            raise ValueError(f"more than {MAX_MODALITIES} modalities: {modality!r} is one too many")
        streams[modality] = make()
    return streams[modality]


def weights_of(streams: Collection[str], context: FusionContext) -> dict[str, float]:
    """The configured weight of each stream."""
    return {modality: context.weights.get(modality, 1.0) for modality in streams}


def trusted(weights: dict[str, float], opposed: Sequence[MismatchPair], policy: MismatchPolicy) -> dict[str, float]:
    """The distrusted streams of the pairs that contradict each other are left out, unless nothing would remain."""
    left_out = distrusted(opposed, policy)
    kept = {modality: 0.0 if modality in left_out else weight for modality, weight in weights.items()}
    return kept if any(kept.values()) else weights


def joint_confidence(streams: Mapping[str, StreamSummary], weights: Mapping[str, float]) -> float:
    """1 minus the product of the doubts, each to the power of the stream's weight over the greatest weight.

    One stream alone keeps its own confidence; a further one never lowers it, and one without weight leaves it.
    """
    largest = max(weights.values())
    doubt = 1.0
    for modality, stream in streams.items():
        doubt *= math.pow(1.0 - stream.confidence, weights[modality] / largest)
    return min(1.0, max(0.0, 1.0 - doubt))


def coverage(streams: Mapping[str, StreamSummary], context: FusionContext) -> float:
    """Share of the expected evidence that has arrived and is fresh, by weight (by count where no weight is set)."""
    expected = context.expected or frozenset(streams)
    weights = {modality: context.weights.get(modality, 1.0) for modality in sorted(expected)}
    largest = max(weights.values(), default=0.0)
    if largest <= 0.0:
        weights = dict.fromkeys(weights, 1.0)
        largest = 1.0
    arrived = math.fsum(weights[name] / largest * streams[name].freshness for name in weights if name in streams)
    return min(1.0, arrived / math.fsum(weight / largest for weight in weights.values()))
