"""Answers in the form of older systems' services, for pages that were written for them: ``?compat=NAME``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import InvalidFieldError

WARD_EMOTIONS: Final = {
    "angry": "angry",
    "disgust": "angry",
    "contempt": "angry",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
"""mien's label of a face -> the nearest of the six of ``ward2018``, which left disgust and contempt out."""


def in_the_form_of(name: str, response: pb.AnalyzeResponse) -> dict[str, Any]:
    """The answer as another system gave it.

    Raises:
        InvalidFieldError: No such system is known.
    """
    if name not in COMPAT:
        raise InvalidFieldError("compat", f"expected one of {', '.join(COMPAT)}, got {name[:40]!r}")
    return COMPAT[name](response)


def _ward2018(response: pb.AnalyzeResponse) -> dict[str, Any]:
    """The emotion of the largest face; null where there is none."""
    face = _largest_face(response)
    if face is None:
        return {"emotion": None, "confidence": 0.0, "emotions": {}}
    shares: dict[str, float] = {}
    for label, share in face.emotions.items():
        name = WARD_EMOTIONS.get(label, "neutral")
        shares[name] = shares.get(name, 0.0) + share
    emotion = max(shares, key=shares.__getitem__, default=None)
    return {"emotion": emotion, "confidence": shares.get(emotion or "", 0.0), "emotions": shares}


def _shaikh2021(response: pb.AnalyzeResponse) -> dict[str, Any]:
    """Each face with its box and the name of its expression, which that system drew into the picture."""
    faces = [
        {
            "box": [each.face.box.x, each.face.box.y, each.face.box.width, each.face.box.height],
            "emotion": max(each.emotions, key=each.emotions.__getitem__, default=None),
        }
        for each in response.predictions
        if each.HasField("face")
    ]
    return {"width": response.image_width, "height": response.image_height, "faces": faces}


COMPAT: Final[Mapping[str, Callable[[pb.AnalyzeResponse], dict[str, Any]]]] = {
    "ward2018": _ward2018,
    "shaikh2021": _shaikh2021,
}


def _largest_face(response: pb.AnalyzeResponse) -> pb.Prediction | None:
    faces = [each for each in response.predictions if each.HasField("face")]
    return max(faces, key=lambda each: each.face.box.width * each.face.box.height, default=None)
