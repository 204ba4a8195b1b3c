"""Draws explained faces: each a row of the face, guided back-propagation, Grad-CAM and the probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from mien_face.explain.faces import ExplainedFace

Color: TypeAlias = tuple[int, int, int]
Pixels: TypeAlias = npt.NDArray[np.uint8]
"""uint8 RGB, ``[height, width, 3]``."""

_BACKGROUND: Final[Color] = (22, 25, 31)
_RAISED: Final[Color] = (46, 51, 61)
_INK: Final[Color] = (240, 242, 245)
_FAINT: Final[Color] = (158, 166, 178)
_ACCENT: Final[Color] = (86, 180, 233)
_BAR: Final[Color] = (92, 103, 120)

_TILE: Final = 264
"""Side of a face, pixels: 48 enlarged 5.5 times."""

_GAP: Final = 24
_BARS_WIDE: Final = 330
_TITLE_HIGH: Final = 34
_FOOT_HIGH: Final = 58
_NAME_WIDE: Final = 82
_VALUE_WIDE: Final = 58

_STRONGEST: Final = 99.5
"""Percentile of a gradient's strength that is drawn in full: a few pixels are so strong that the rest would be grey."""

_OVERLAY: Final = 0.6
"""Share of the colours over the face where Grad-CAM is strongest."""

_DIMMED: Final = 0.85
"""How much of its light a face keeps under the colours."""


def draw(faces: Sequence[ExplainedFace]) -> Pixels:
    """Draw the picture, one row for each face.

    Args:
        faces: At least one.
    """
    row_high = _TITLE_HIGH + _TILE + _GAP
    wide = 3 * _TILE + _BARS_WIDE + 5 * _GAP
    image = Image.new("RGB", (wide, len(faces) * row_high + _FOOT_HIGH + _GAP // 2), _BACKGROUND)
    pen = ImageDraw.Draw(image)
    for number, face in enumerate(faces, start=1):
        top = (number - 1) * row_high + _GAP // 2
        name = "What the network sees" if len(faces) == 1 else f"Face {number}, as the network sees it"
        tiles = (
            (name, _grey(face.crop)),
            ("Guided back-propagation", _relief(face.guided)),
            (f"Grad-CAM: {face.emotion}", _heat(face.crop, face.grad_cam)),
        )
        for column, (title, tile) in enumerate(tiles):
            left = _GAP + column * (_TILE + _GAP)
            pen.text((left, top + _TITLE_HIGH / 2), title, font=_font(16), fill=_INK, anchor="lm")
            image.paste(Image.fromarray(tile), (left, top + _TITLE_HIGH))
        _bars(pen, face, left=_GAP + 3 * (_TILE + _GAP), top=top)
    foot = len(faces) * row_high + _GAP // 2
    lines = (
        "Bright in Grad-CAM: what speaks for the emotion. Guided back-propagation: lighter or darker than grey where a "
        "pixel counts.",
        "Maps show where this network looks, not what somebody feels. Selvaraju et al. 2017, Springenberg et al. 2015.",
    )
    for index, line in enumerate(lines):
        pen.text((_GAP, foot + 12 + 22 * index), line, font=_font(13), fill=_FAINT, anchor="lm")
    return np.asarray(image)


def _bars(pen: ImageDraw.ImageDraw, face: ExplainedFace, *, left: int, top: int) -> None:
    """The probabilities, the explained emotion in colour."""
    pen.text((left, top + _TITLE_HIGH / 2), "Probabilities", font=_font(16), fill=_INK, anchor="lm")
    high = _TILE / len(face.probabilities)
    start, end = left + _NAME_WIDE, left + _BARS_WIDE - _VALUE_WIDE
    for index, (emotion, share) in enumerate(face.probabilities.items()):
        middle = top + _TITLE_HIGH + (index + 0.5) * high
        said = emotion == face.emotion
        pen.text((left, middle), emotion, font=_font(15), fill=_INK if said else _FAINT, anchor="lm")
        pen.rounded_rectangle((start, middle - 7, end, middle + 7), radius=7, fill=_RAISED)
        reach = start + share * (end - start)
        if reach - start >= 1:
            color = _ACCENT if said else _BAR
            pen.rounded_rectangle((start, middle - 7, max(reach, start + 4), middle + 7), radius=7, fill=color)
        pen.text((left + _BARS_WIDE, middle), f"{share:.1%}", font=_font(15), fill=_INK, anchor="rm")


def _grey(crop: npt.NDArray[np.uint8]) -> Pixels:
    """The crop, enlarged."""
    return np.repeat(_enlarged(crop)[..., np.newaxis], 3, axis=2).astype(np.uint8)


def _relief(guided: npt.NDArray[np.float32]) -> Pixels:
    """A signed map as light and dark on grey."""
    strength = max(float(np.percentile(np.abs(guided), _STRONGEST)), 1e-6)
    levels = np.clip(0.5 + 0.5 * guided / strength, 0, 1) * 255
    return _grey(levels.astype(np.uint8))


def _heat(crop: npt.NDArray[np.uint8], cam: npt.NDArray[np.float32]) -> Pixels:
    """The map in colours over the face, which stays visible where the map is weak."""
    weight = np.clip(_enlarged(cam.astype(np.float32)), 0, 1)
    colors = cv2.cvtColor(cv2.applyColorMap((weight * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    share = (_OVERLAY * np.sqrt(weight))[..., np.newaxis]
    mixed = (1 - share) * _DIMMED * _grey(crop) + share * colors
    return np.asarray(mixed.clip(0, 255), np.uint8)


def _enlarged(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """[48, 48] at the size of a tile."""
    return np.asarray(cv2.resize(values, (_TILE, _TILE), interpolation=cv2.INTER_CUBIC))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow."""
    return ImageFont.load_default(size)
