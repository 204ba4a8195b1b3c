"""Fits pictures of any size into the few sizes that the detector is compiled for, and brings answers back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from mien_face.detection.base import Pixels
from mien_face.detection.config import PADDING_VALUE, SIZE_MULTIPLE

Shape = tuple[int, int]
"""Height and width, pixels."""

WIDE: Final = 4 / 3
"""Width over height of the input for pictures at least so wide; all others take a square."""

MOST_ENLARGED: Final = 1.5
"""Smaller pictures are enlarged, since the network learned from pictures that fill its input; but not without end."""


SIDES: Final = (1.0, 1.4, 2.0, 3.0, 4.0)
"""Longer sides of the input among which a picture's is chosen where nobody says, in the least: few, as each is compiled
on its own."""

CLEAR_SIZE: Final = 18.0
"""Pixels of the input that the smallest face asked for should take at least."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the network's input: ``input = picture * scale + offset``.

    Attributes:
        shape: Of the input.
        scale_x: Across.
        scale_y: Down; differs from ``scale_x`` only as whole pixels make it.
        left: Pixels of the input.
        top: Pixels of the input.
        width: Of the picture in the input, pixels.
        height: Likewise.
    """

    shape: Shape
    scale_x: float
    scale_y: float
    left: int
    top: int
    width: int
    height: int


def fitting_side(height: int, width: int, *, smallest: float, least: int) -> int:
    """The longer side of the input that suits a picture: the smallest that shows the faces asked for clearly enough.

    A frame from a kiosk, of which faces of a tenth of its height are asked, is searched at the least size; a photograph
    in which small faces count, at a larger one, but never at one that would only enlarge it.

    Args:
        height: Of the picture, pixels.
        width: Of the picture, pixels.
        smallest: Face asked for, pixels of the picture.
        least: Longer side of the least input, pixels.
    """
    wanted = round(min(CLEAR_SIZE / max(smallest, 1.0), MOST_ENLARGED) * max(height, width))
    sides = [_up(round(least * each)) for each in SIDES]
    return next((side for side in sides if side >= wanted), sides[-1])


def input_shapes(long_side: int) -> tuple[Shape, Shape]:
    """The input for wide pictures and the one for all others, with a longer side of at least ``long_side`` pixels."""
    side = _up(long_side)
    return (_up(round(side / WIDE)), side), (side, side)


def place(height: int, width: int, *, long_side: int) -> Placement:
    """Where a picture goes: made to fit, enlarged by no more than ``MOST_ENLARGED``, in the middle."""
    wide, square = input_shapes(long_side)
    shape = wide if width >= WIDE * height else square
    scale = min(MOST_ENLARGED, shape[0] / height, shape[1] / width)
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    return Placement(
        shape,
        scale_x=inner[1] / width,
        scale_y=inner[0] / height,
        left=(shape[1] - inner[1]) // 2,
        top=(shape[0] - inner[0]) // 2,
        width=inner[1],
        height=inner[0],
    )


def draw(pixels: Pixels, placement: Placement, out: Pixels) -> None:
    """Write a picture into the network's input.

    Args:
        pixels: uint8 RGB ``[height, width, 3]``.
        placement: Where it goes.
        out: The input, ``[*placement.shape, 3]``; overwritten.
    """
    if (placement.height, placement.width) != placement.shape:
        out[:] = PADDING_VALUE
    inner = out[placement.top : placement.top + placement.height, placement.left : placement.left + placement.width]
    if pixels.shape == inner.shape:
        inner[:] = pixels
    else:
        size = (placement.width, placement.height)
        method = cv2.INTER_AREA if placement.scale_x < 1.0 else cv2.INTER_LINEAR  # INTER_AREA enlarges in blocks
        inner[:] = np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)


def _up(side: int) -> int:
    return -(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE
