"""The labels of the tone network and how they group: GoEmotions' 28, sentiment, Ekman's six with neutral.

Names and arithmetic over names only; no network and no text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

NEUTRAL: Final = "neutral"

EMOTIONS28: Final[tuple[str, ...]] = (
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
    NEUTRAL,
)
"""GoEmotions' labels in the order of its files."""


class Sentiment(StrEnum):
    """The coarsest grouping; what a speaker expresses towards what they speak of."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    AMBIGUOUS = "ambiguous"
    NEUTRAL = "neutral"


_POSITIVE: Final = (
    "admiration",
    "amusement",
    "approval",
    "caring",
    "desire",
    "excitement",
    "gratitude",
    "joy",
    "love",
    "optimism",
    "pride",
    "relief",
)

_NEGATIVE: Final = (
    "anger",
    "annoyance",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "fear",
    "grief",
    "nervousness",
    "remorse",
    "sadness",
)

SENTIMENT_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    Sentiment.POSITIVE: _POSITIVE,
    Sentiment.NEGATIVE: _NEGATIVE,
    Sentiment.AMBIGUOUS: ("confusion", "curiosity", "realization", "surprise"),
    Sentiment.NEUTRAL: (NEUTRAL,),
}
"""Sentiment -> its emotions, as GoEmotions' authors group them."""

EKMAN_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": _POSITIVE,
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    NEUTRAL: (NEUTRAL,),
}
"""Ekman's six and neutral -> their emotions, as GoEmotions' authors group them."""

SATISFACTION_OF: Final[Mapping[str, float]] = {
    "admiration": 0.92, "amusement": 0.65, "anger": 0.04, "annoyance": 0.10, "approval": 0.75, "caring": 0.62,
    "confusion": 0.36, "curiosity": 0.50, "desire": 0.50, "disappointment": 0.08, "disapproval": 0.20, "disgust": 0.05,
    "embarrassment": 0.30, "excitement": 0.82, "fear": 0.28, "gratitude": 0.94, "grief": 0.22, "joy": 0.92,
    "love": 0.90, "nervousness": 0.34, "optimism": 0.64, "pride": 0.82, "realization": 0.50, "relief": 0.75,
    "remorse": 0.42, "sadness": 0.20, "surprise": 0.52, NEUTRAL: 0.50,
}  # fmt: skip
"""What an emotion says of a customer's satisfaction, [0, 1]: our judgement. It teaches the embedded network's
satisfaction output, and it is what a checkpoint's labels are worth."""

SENTIMENTS: Final[tuple[str, ...]] = tuple(str(name) for name in SENTIMENT_GROUPS)
EKMAN: Final[tuple[str, ...]] = tuple(EKMAN_GROUPS)
TONE_LABELS: Final[tuple[str, ...]] = (*EMOTIONS28, *(name for name in SENTIMENTS if name != NEUTRAL))
"""What a checkpoint's label can be mapped to: an emotion, or a sentiment, which stands for all of its emotions."""


def membership(groups: Mapping[str, tuple[str, ...]]) -> npt.NDArray[np.float32]:
    """Which emotion belongs to which group.

    Returns:
        Zeros and ones ``[28, len(groups)]``, in the order of ``EMOTIONS28`` and of ``groups``.
    """
    table = np.zeros((len(EMOTIONS28), len(groups)), np.float32)
    for column, members in enumerate(groups.values()):
        for name in members:
            table[EMOTIONS28.index(name), column] = 1.0
    return table


def group_targets(targets: npt.NDArray[np.float32], groups: Mapping[str, tuple[str, ...]]) -> npt.NDArray[np.float32]:
    """Targets of the groups: a group is true where any of its emotions is.

    Args:
        targets: Zeros and ones ``[batch, 28]``.
        groups: Group -> emotions.

    Returns:
        Zeros and ones ``[batch, len(groups)]``.
    """
    return (targets @ membership(groups) > 0).astype(np.float32)


def sides(targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Which side each text is on: 1 pleasant, -1 unpleasant, 0 neither or both.

    Args:
        targets: Zeros and ones ``[batch, 28]``.

    Returns:
        ``[batch]``.
    """
    truth = group_targets(targets, SENTIMENT_GROUPS)
    return truth[:, SENTIMENTS.index(Sentiment.POSITIVE)] - truth[:, SENTIMENTS.index(Sentiment.NEGATIVE)]
