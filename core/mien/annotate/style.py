"""How annotations look: colours that the colour-blind tell apart, the font, and who has which colour and name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from PIL import ImageFont

from mien.types import AnalysisResult, FaceRegion, Prediction, Verdict

Color: TypeAlias = tuple[int, int, int]

BACKGROUND: Final[Color] = (22, 25, 31)
RAISED: Final[Color] = (46, 51, 61)
INK: Final[Color] = (240, 242, 245)
FAINT_INK: Final[Color] = (158, 166, 178)

POOR: Final[Color] = (230, 126, 34)
MIDDLE: Final[Color] = (128, 134, 145)
GOOD: Final[Color] = (64, 150, 222)
"""Orange to blue, by way of grey: told apart with every common kind of colour blindness."""

VERDICT_COLORS: Final = {Verdict.GOOD: GOOD, Verdict.POOR: POOR, Verdict.UNDECIDED: MIDDLE}

_SUBJECT_COLORS: Final[tuple[Color, ...]] = (
    (86, 180, 233),
    (240, 228, 66),
    (0, 178, 130),
    (230, 159, 0),
    (204, 121, 167),
    (235, 110, 50),
)
"""After Okabe and Ito, the darker ones lightened for a dark ground."""

_LONGEST_NAME: Final = 12
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Subject:
    """One prediction with the name and the colour under which it is drawn on the picture and in the panel."""

    prediction: Prediction
    name: str
    color: Color

    @property
    def face(self) -> FaceRegion | None:
        """Where it is in the picture; None for what was said."""
        evidence = self.prediction.evidence
        return evidence if isinstance(evidence, FaceRegion) else None


def subjects_of(result: AnalysisResult) -> list[Subject]:
    """The predictions in order. A tracked face keeps its colour from frame to frame."""
    subjects = []
    for index, prediction in enumerate(result.predictions):
        evidence = prediction.evidence
        track = evidence.track_id if isinstance(evidence, FaceRegion) else ""
        number = re.search(r"\d+$", track)
        place = int(number.group()) - 1 if number else index
        name = (track or str(index + 1)) if isinstance(evidence, FaceRegion) else prediction.modality
        subjects.append(Subject(prediction, shortened(name), _SUBJECT_COLORS[place % len(_SUBJECT_COLORS)]))
    return subjects


def shortened(text: str, longest: int = _LONGEST_NAME) -> str:
    """A text cut to a length, with an ellipsis where something is missing."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


@lru_cache(maxsize=64)
def font(size: int) -> Font:
    """The font that comes with Pillow, at a height in pixels."""
    return ImageFont.load_default(max(size, 6))


def mix(first: Color, second: Color, share: float) -> Color:
    """A colour between two: 0 is the first, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def score_color(score: float) -> Color:
    """The colour of a satisfaction score: 0 poor, 0.5 middle, 1 good."""
    return mix(POOR, MIDDLE, score * 2) if score < 0.5 else mix(MIDDLE, GOOD, score * 2 - 1)
