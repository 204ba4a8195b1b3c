"""From a face's box to the small grey square that the network sees. Illumination is ``preprocess``'s business."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box
from mien_face.detection.base import Pixels

CROP_SIDE: Final = 48
"""Side of the square, pixels; FER2013's."""


def crop_face(pixels: Pixels, box: Box, *, margin: float) -> npt.NDArray[np.uint8]:
    """Cut out a face as a grey square.

    The square is centred on the box and ``1 + 2 * margin`` times its longer side; where it reaches over the picture's
    border, the border's pixels are repeated.

    Args:
        pixels: uint8 RGB ``[height, width, 3]``.
        box: The face, at least partly inside the picture.
        margin: Share of the box's longer side.

    Returns:
        uint8 ``[CROP_SIDE, CROP_SIDE]``.
    """
    height, width = pixels.shape[:2]
    side = max(2, round(max(box.width, box.height) * (1.0 + 2.0 * margin)))
    left = math.floor(box.x + box.width / 2 - side / 2 + 0.5)
    top = math.floor(box.y + box.height / 2 - side / 2 + 0.5)
    inside_left, inside_top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    inside_right = max(min(left + side, width), inside_left + 1)
    inside_bottom = max(min(top + side, height), inside_top + 1)
    grey = cv2.cvtColor(pixels[inside_top:inside_bottom, inside_left:inside_right], cv2.COLOR_RGB2GRAY)
    missing = (
        inside_top - top,
        top + side - inside_bottom,
        inside_left - left,
        left + side - inside_right,
    )
    if any(missing):
        above, below, before, after = (max(0, count) for count in missing)
        grey = cv2.copyMakeBorder(grey, above, below, before, after, cv2.BORDER_REPLICATE)
    shrinking = side > CROP_SIDE
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR  # INTER_AREA enlarges in blocks
    return np.asarray(cv2.resize(grey, (CROP_SIDE, CROP_SIDE), interpolation=interpolation), dtype=np.uint8)
