"""Boxes and name tags on the picture itself. A tag stands where it hides no face, as far as there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mien.annotate.style import BACKGROUND, Color, Subject, font, shortened
from mien.types import Box

_LINE_UNITS: Final = 3.0
_TEXT_UNITS: Final = 18.0
_SUB_PIXEL_BITS: Final = 3
_CORNER_SHARE: Final = 0.12
"""Radius of a box's corners, as a share of its shorter side."""

_SUPERSAMPLING: Final = 3
_TAG_OVER_TAG: Final = 1.0
_TAG_OVER_FACE: Final = 2.0
"""How bad it is for a tag to hide another tag or a face."""


def draw_faces(
    pixels: npt.NDArray[np.uint8], subjects: Sequence[Subject], *, scale: float, unit: float
) -> npt.NDArray[np.uint8]:
    """Draw the faces among the subjects.

    Args:
        pixels: uint8 RGB ``[height, width, 3]``; not changed.
        subjects: Faces and others.
        scale: Pixels of ``pixels`` a pixel of the analysed picture.
        unit: Pixels a unit of the layout.

    Returns:
        A copy with boxes and tags.
    """
    drawn = pixels.copy()
    boxes = [(subject, _scaled(subject.face.box, scale)) for subject in subjects if subject.face is not None]
    for subject, box in boxes:
        _draw_box(drawn, box, subject.color, unit)
    taken: list[Box] = []
    faces = [box for _, box in boxes]
    for subject, box in boxes:
        for text in _tag_texts(subject):
            tag = _tag(text, subject.color, unit)
            place, hidden = _best_place(box, tag.size, (drawn.shape[1], drawn.shape[0]), faces, taken, unit)
            if hidden == 0:
                break
        if hidden < float("inf"):
            taken.append(place)
            _paste(drawn, tag, round(place.x), round(place.y))
    return drawn


def _tag_texts(subject: Subject) -> tuple[str, str]:
    """What a tag says, and what it says where that would hide something."""
    prediction = subject.prediction
    top = f"{shortened(prediction.top_emotion, 16)} {prediction.emotions[prediction.top_emotion]:.0%}"
    return f"{subject.name}  {top}", subject.name


def _scaled(box: Box, scale: float) -> Box:
    return Box(box.x * scale, box.y * scale, box.width * scale, box.height * scale)


def _draw_box(pixels: npt.NDArray[np.uint8], box: Box, color: Color, unit: float) -> None:
    """A box with round corners: the colour on a dark line, so that it shows on any ground."""
    shorter = min(box.width, box.height)
    thickness = max(2, round(min(_LINE_UNITS * unit, shorter / 14)))
    outline = _rounded(box, _CORNER_SHARE * shorter)
    points = np.round(outline * (1 << _SUB_PIXEL_BITS)).astype(np.int32)[:, None, :]
    for line, ink in ((thickness + max(2, round(thickness * 0.7)), BACKGROUND), (thickness, color)):
        cv2.polylines(pixels, [points], True, ink, line, cv2.LINE_AA, _SUB_PIXEL_BITS)


def _rounded(box: Box, radius: float) -> npt.NDArray[np.float64]:
    """The outline of a box with round corners as points ``[n, 2]``, clockwise from the top right corner."""
    angles = np.linspace(-np.pi / 2, 0, 9)
    corners = (
        (box.x + box.width - radius, box.y + radius),
        (box.x + box.width - radius, box.y + box.height - radius),
        (box.x + radius, box.y + box.height - radius),
        (box.x + radius, box.y + radius),
    )
    arcs = []
    for turn, (x, y) in enumerate(corners):
        angle = angles + turn * np.pi / 2
        arcs.append(np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1))
    return np.concatenate(arcs)


def _tag(text: str, color: Color, unit: float) -> Image.Image:
    """A small plate, RGBA, with a text."""
    face = font(round(_TEXT_UNITS * unit))
    left, top, right, bottom = face.getbbox(text)
    margin = 6 * unit
    width, height = round(right - left + 2 * margin), round(bottom - top + 1.6 * margin)
    size = (width * _SUPERSAMPLING, height * _SUPERSAMPLING)
    plate = Image.new("L", size, 0)
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius=size[1] * 0.3, fill=235)
    tag = Image.new("RGBA", (width, height), color)
    tag.putalpha(plate.reduce(_SUPERSAMPLING))
    ImageDraw.Draw(tag).text((margin - left, 0.8 * margin - top), text, font=face, fill=(*BACKGROUND, 255))
    return tag


def _best_place(
    box: Box, size: tuple[int, int], room: tuple[int, int], faces: Sequence[Box], tags: Sequence[Box], unit: float
) -> tuple[Box, float]:
    """Where the tag of a face hides least, and how much it hides there; infinite where the picture is too small."""
    best, least = box, float("inf")
    if size[0] > room[0] or size[1] > room[1]:
        return best, least
    for x, y in _places(box, size, gap=6 * unit):
        place = Box(min(max(x, 0), room[0] - size[0]), min(max(y, 0), room[1] - size[1]), *size)
        cost = _TAG_OVER_FACE * sum(place.intersection(face) for face in faces)
        cost += _TAG_OVER_TAG * sum(place.intersection(tag) for tag in tags)
        if cost < least:
            best, least = place, cost
    return best, least


def _places(box: Box, size: tuple[int, int], *, gap: float) -> Iterator[tuple[float, float]]:
    """Left and top of where a tag could go, the best looking first."""
    width, height = size
    right, bottom = box.x + box.width, box.y + box.height
    for y in (box.y - gap - height, bottom + gap):
        for x in (box.x, right - width, box.x + (box.width - width) / 2):
            yield x, y
    for x in (right + gap, box.x - gap - width):
        for y in (box.y, bottom - height):
            yield x, y


def _paste(pixels: npt.NDArray[np.uint8], tag: Image.Image, x: int, y: int) -> None:
    area = pixels[y : y + tag.height, x : x + tag.width]
    ground = Image.fromarray(np.ascontiguousarray(area)).convert("RGBA")
    visible = tag.crop((0, 0, area.shape[1], area.shape[0]))
    area[:] = np.asarray(Image.alpha_composite(ground, visible).convert("RGB"))
