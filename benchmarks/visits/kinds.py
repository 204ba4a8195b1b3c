"""The kinds of visits: what the customer shows and says, and how satisfied they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Truth(StrEnum):
    """How satisfied the customer of a composed visit is."""

    POOR = "poor"
    NEUTRAL = "neutral"
    GOOD = "good"


class Shown(StrEnum):
    """What a portrait shows."""

    NEUTRAL = "neutral"
    SMILE = "smile"
    NEGATIVE = "negative"


class Said(StrEnum):
    """What a sentence says."""

    NOTHING = "nothing"
    NEUTRAL = "neutral"
    KIND = "kind"
    COMPLAINT = "complaint"


SHOWN_BY: Final = {
    "neutral": Shown.NEUTRAL,
    "happiness": Shown.SMILE,
    "anger": Shown.NEGATIVE,
    "sadness": Shown.NEGATIVE,
    "disgust": Shown.NEGATIVE,
}
"""A portrait's label -> what it shows; portraits of other labels take no part."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of visit.

    Attributes:
        name: For tables.
        truth: How satisfied the customer is.
        resting: What the face shows.
        passing: What the same face shows for a few seconds; None where it does not change.
        said: What is said, if anything.
        weight: How much it counts in a fit, next to others of the same truth.
        faces_tell: Whether the face alone says the truth, so that a kiosk without a microphone can be asked for it.
    """

    name: str
    truth: Truth
    resting: Shown
    said: Said = Said.NOTHING
    passing: Shown | None = None
    faces_tell: bool = True
    weight: float = 1.0


KINDS: Final = (
    Kind("smiling, kind words", Truth.GOOD, Shown.SMILE, Said.KIND),
    Kind("smiling, neutral words", Truth.GOOD, Shown.SMILE, Said.NEUTRAL),
    Kind("smiling, silent", Truth.GOOD, Shown.SMILE),
    Kind("one brief smile, silent", Truth.GOOD, Shown.NEUTRAL, passing=Shown.SMILE),
    Kind("neutral, silent", Truth.NEUTRAL, Shown.NEUTRAL),
    Kind("neutral, neutral words", Truth.NEUTRAL, Shown.NEUTRAL, Said.NEUTRAL),
    Kind("neutral, kind words", Truth.GOOD, Shown.NEUTRAL, Said.KIND, faces_tell=False),
    Kind("neutral, complaint", Truth.POOR, Shown.NEUTRAL, Said.COMPLAINT, faces_tell=False),
    Kind("smiling complaint", Truth.POOR, Shown.SMILE, Said.COMPLAINT, faces_tell=False),
    Kind("negative, silent", Truth.POOR, Shown.NEGATIVE),
    Kind("negative, complaint", Truth.POOR, Shown.NEGATIVE, Said.COMPLAINT),
    Kind("one negative spell, silent", Truth.POOR, Shown.NEUTRAL, passing=Shown.NEGATIVE, weight=0.3),
)
"""All kinds. Negative faces are angry, sad or disgusted ones."""
