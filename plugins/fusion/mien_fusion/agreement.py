"""Whether the streams say the same, and which of them contradict each other.

Agreement is 1 minus the confidence-weighted mean distance between the streams' scores: 1 where they say the same or
only one speaks, 0 where two fully confident ones say 0 and 1.

A mismatch is narrower: two groups of modalities that are held against each other, such as the face and words (voice
and text together), lie on opposite sides of 0.5, both by at least a margin, and both confident. So a smiling complaint
(face 0.9, words 0.1) is one, and a neutral face (0.5) with kind words (0.9) is not, however far apart their scores. The
streams' weights play no part: a mismatch is worth knowing also where one of them is left out of the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

from mien import MismatchPair, MismatchPolicy, Modality
from mien_fusion.evidence import StreamSummary

_TRUSTED: Final = {
    MismatchPolicy.TRUST_FACE: frozenset({str(Modality.FACE)}),
    MismatchPolicy.TRUST_WORDS: frozenset({str(Modality.VOICE), str(Modality.TEXT)}),
}


def agreement(streams: Mapping[str, StreamSummary]) -> float:
    """How far the streams say the same, [0, 1]."""
    distance = 0.0
    total = 0.0
    for one, other in combinations(streams.values(), 2):
        weight = one.confidence * other.confidence
        distance += weight * abs(one.score - other.score)
        total += weight
    return 1.0 - distance / total if total > 0.0 else 1.0


def mismatched(
    streams: Mapping[str, StreamSummary], pairs: Sequence[MismatchPair], *, margin: float, min_confidence: float
) -> tuple[MismatchPair, ...]:
    """The pairs that point opposite ways where both sides are confident, in the order of ``pairs``.

    Args:
        streams: Modality -> where it stands.
        pairs: Which groups of modalities are held against each other.
        margin: Least distance of each side from 0.5.
        min_confidence: Least confidence of each side.
    """
    return tuple(pair for pair in pairs if _is_mismatch(streams, pair, margin, min_confidence))


def distrusted(pairs: Sequence[MismatchPair], policy: MismatchPolicy) -> frozenset[str]:
    """The modalities that a policy leaves out, given the pairs that contradict each other.

    It is the side that stands against the trusted modality; where neither side has it, or both have, nothing is.
    """
    trusted = _TRUSTED.get(policy, frozenset())
    left_out: set[str] = set()
    for one, other in pairs:
        if trusted.isdisjoint(one) != trusted.isdisjoint(other):
            left_out.update(one if trusted.isdisjoint(one) else other)
    return frozenset(left_out)


def _is_mismatch(
    streams: Mapping[str, StreamSummary], pair: MismatchPair, margin: float, min_confidence: float
) -> bool:
    one, other = (_pool(streams, group) for group in pair)
    if one is None or other is None or min(one[1], other[1]) < min_confidence:
        return False
    low, high = sorted((one[0], other[0]))
    return low <= 0.5 - margin and high >= 0.5 + margin and low < high


def _pool(streams: Mapping[str, StreamSummary], modalities: Sequence[str]) -> tuple[float, float] | None:
    """Score and confidence of several streams as one: the confidence-weighted mean, the most confident's confidence."""
    members = [stream for name, stream in streams.items() if name in modalities]
    total = sum(stream.confidence for stream in members)
    if total <= 0.0:
        return None
    return sum(stream.confidence * stream.score for stream in members) / total, max(s.confidence for s in members)
