"""Label orders, the rules that turn votes into labels, and what each emotion says of a customer's satisfaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt


class Head(StrEnum):
    """The network's outputs, each with labels of its own."""

    FER2013 = "fer2013"
    FERPLUS = "ferplus"


FER2013_LABELS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's classes in the data's own order; also the labels of what the analyzer answers."""

EXPRESSIONS: Final = (*FER2013_LABELS, "contempt")
"""All classes that labelled pictures may have; those of data with seven classes are the first seven."""

FERPLUS_LABELS: Final = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""FER+'s emotions in the data's own order."""

HEAD_LABELS: Final[Mapping[Head, tuple[str, ...]]] = MappingProxyType(
    {Head.FER2013: FER2013_LABELS, Head.FERPLUS: FERPLUS_LABELS}
)


class LabelSet(StrEnum):
    """Which labels answers are held against."""

    FER = "fer"
    FERPLUS = "ferplus"

    @property
    def full_name(self) -> str:
        """For people."""
        return {LabelSet.FER: "FER2013 labels", LabelSet.FERPLUS: "FER+ majority"}[self]


_FERPLUS_TO_FER2013: Final = (6, 3, 5, 4, 0, 1, 2, 0)
"""FER+ position -> FER2013 position. FER2013 has no contempt; its negative, outward-directed neighbour is anger."""


@dataclass(frozen=True, slots=True)
class EmotionMeaning:
    """What one emotion says.

    Attributes:
        valence: Unpleasant -1 to pleasant 1.
        satisfaction: Evidence of a satisfied customer, 0 to 1; 0.5 says nothing either way.
    """

    valence: float
    satisfaction: float


DEFAULT_MEANINGS: Final[Mapping[str, EmotionMeaning]] = MappingProxyType(
    {
        "angry": EmotionMeaning(-0.8, 0.05),
        "disgust": EmotionMeaning(-0.8, 0.05),
        "fear": EmotionMeaning(-0.6, 0.20),
        "happy": EmotionMeaning(0.9, 0.95),
        "sad": EmotionMeaning(-0.7, 0.15),
        "surprise": EmotionMeaning(0.1, 0.50),
        "neutral": EmotionMeaning(0.0, 0.50),
    }
)
"""A judgement, not a measurement: smiles are the one expression with solid evidence for satisfaction; anger and disgust
speak against it; sadness and fear less so, for they are seldom about the service; surprise can be either. Valences
follow the order of the circumplex model of affect. Change it by configuration where you know better."""


def clean_votes(votes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Drop outliers as FER+'s authors do: a single vote counts as none.

    Args:
        votes: ``[count, 10]`` or ``[count, 8]``, numbers of annotators.

    Returns:
        The same shape; every 1 became 0.
    """
    return np.where(votes <= 1, np.float32(0), votes)


def vote_targets(votes: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Turn votes into distributions to learn from.

    Args:
        votes: ``[count, 10]``: the eight emotions, unknown, not-a-face.

    Returns:
        ``[count, 8]``, each row summing to 1 (uniform where no emotion is left), and ``[count]``, the row's weight: the
        share of the cleaned votes that went to an emotion, 0 where none did.
    """
    cleaned = clean_votes(votes)
    emotions = cleaned[:, : len(FERPLUS_LABELS)]
    total = emotions.sum(axis=1)
    everything = cleaned.sum(axis=1)
    uniform = np.float32(1 / len(FERPLUS_LABELS))
    targets = np.where(total[:, None] > 0, emotions / np.maximum(total, 1)[:, None], uniform)
    return targets.astype(np.float32), (total / np.maximum(everything, 1)).astype(np.float32)


def majority_labels(votes: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """FER+'s majority rule.

    Args:
        votes: ``[count, 10]``.

    Returns:
        ``[count]``: the position in ``FERPLUS_LABELS`` of the emotion with more than half of the cleaned votes
        (unknown and not-a-face count in the whole), or -1 where there is none.
    """
    cleaned = clean_votes(votes)
    emotions = cleaned[:, : len(FERPLUS_LABELS)]
    best = emotions.argmax(axis=1)
    wins = emotions.max(axis=1) > cleaned.sum(axis=1) / 2
    return np.where(wins, best, -1).astype(np.int64)


def ferplus_as_fer2013(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Re-express FER+ probabilities in FER2013's classes; contempt goes to angry.

    Args:
        probabilities: ``[count, 8]``.

    Returns:
        ``[count, 7]``, rows summing to what they did.
    """
    mapped = np.zeros((len(probabilities), len(FER2013_LABELS)), np.float32)
    for source, target in enumerate(_FERPLUS_TO_FER2013):
        mapped[:, target] += probabilities[:, source]
    return mapped
