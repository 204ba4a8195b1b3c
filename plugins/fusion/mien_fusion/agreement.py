"""Whether the streams say the same, and whether face and words contradict each other.

Agreement is 1 minus the confidence-weighted mean distance between the streams' scores: 1 where they say the same or
only one speaks, 0 where two fully confident ones say 0 and 1.

A mismatch is narrower: face and words (voice and text together) lie on opposite sides of 0.5, both by at least a
margin, and both confident. So a smiling complaint (face 0.9, words 0.1) is one, and a neutral face (0.5) with kind
words (0.9) is not, however far apart their scores. The streams' weights play no part: a mismatch is worth knowing also
where one of them is left out of the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Final

from mien import Modality
from mien_fusion.evidence import StreamSummary

FACE: Final = frozenset({str(Modality.FACE)})
WORDS: Final = frozenset({str(Modality.VOICE), str(Modality.TEXT)})


def agreement(streams: Mapping[str, StreamSummary]) -> float:
    """How far the streams say the same, [0, 1]."""
    distance = 0.0
    total = 0.0
    for one, other in combinations(streams.values(), 2):
        weight = one.confidence * other.confidence
        distance += weight * abs(one.score - other.score)
        total += weight
    return 1.0 - distance / total if total > 0.0 else 1.0


def is_mismatch(streams: Mapping[str, StreamSummary], *, margin: float, min_confidence: float) -> bool:
    """Whether face and words point opposite ways and both are confident.

    Args:
        streams: Modality -> where it stands.
        margin: Least distance of each from 0.5.
        min_confidence: Least confidence of each.
    """
    face = _pool(streams, FACE)
    words = _pool(streams, WORDS)
    if face is None or words is None or min(face[1], words[1]) < min_confidence:
        return False
    low, high = sorted((face[0], words[0]))
    return low <= 0.5 - margin and high >= 0.5 + margin and low < high


def _pool(streams: Mapping[str, StreamSummary], modalities: frozenset[str]) -> tuple[float, float] | None:
    """Score and confidence of several streams as one: the confidence-weighted mean, the most confident's confidence."""
    members = [stream for name, stream in streams.items() if name in modalities]
    total = sum(stream.confidence for stream in members)
    if total <= 0.0:
        return None
    return sum(stream.confidence * stream.score for stream in members) / total, max(s.confidence for s in members)
