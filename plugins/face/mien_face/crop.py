"""From a found face to the small grey square that the network sees. Illumination is ``preprocess``'s business.

With landmarks the square is *aligned*: turned until the eyes are level, and placed and sized by eyes and mouth, so that
a tilted head or an unsteady box changes little of what the network sees. Without them it follows the box.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box, Detection
from mien_face.detection.base import Pixels

CROP_SIDE: Final = 48
"""Side of the square, pixels; FER2013's."""

ALIGNED_SIDE: Final = 2.6
"""Side of an aligned square, in the face's own unit (see ``aligned_frame``). On 1,200 portraits of the detector's
training part, the network told neutral from happiness best with 2.4, and 3.0 gave the likeliest probabilities."""
MOUTH_SPAN: Final = 1.1
"""From the eyes' middle to the mouth's, in eye distances of a face seen from the front; with it a face that is turned
aside, whose eyes seem nearer, keeps its size."""
PLAUSIBLE: Final = (0.5, 2.0)
"""An aligned square's side in longer sides of the box: outside of these, landmarks are not believed."""

_OVERSAMPLED_SIDE: Final = 2 * CROP_SIDE
"""What is turned is twice as fine as the crop, so that turning does not blur it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A turned square in a picture.

    Attributes:
        centre: (x, y), pixels.
        side: Pixels.
        angle: Of its upper side with the horizontal, radians, clockwise as seen.
    """

    centre: tuple[float, float]
    side: float
    angle: float


def crop_face(pixels: Pixels, face: Detection, *, margin: float) -> npt.NDArray[np.uint8]:
    """Cut out a face as a grey square: aligned where it has landmarks that fit its box, else by its box.

    Args:
        pixels: uint8 RGB ``[height, width, 3]``.
        face: At least partly inside the picture.
        margin: For squares by the box: what to add on every side, as a share of its longer side.

    Returns:
        uint8 ``[CROP_SIDE, CROP_SIDE]``.
    """
    frame = aligned_frame(face)
    return crop_box(pixels, face.box, margin=margin) if frame is None else crop_frame(pixels, frame)


def aligned_frame(face: Detection) -> Frame | None:
    """The square that landmarks ask for; none where there are no landmarks, or they do not fit the box.

    Its unit is the eye distance, or the distance from eyes to mouth over ``MOUTH_SPAN`` where that is larger. Its angle
    is that of the eye line and of the perpendicular to the line from eyes to mouth together, by their lengths.
    """
    if not face.landmarks:
        return None
    right_eye, left_eye, _, right_mouth, left_mouth = np.asarray(face.landmarks, np.float64)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    across, down = left_eye - right_eye, mouth - eyes
    unit = max(math.hypot(*across), math.hypot(*down) / MOUTH_SPAN)
    level = across + np.array([down[1], -down[0]])
    side = ALIGNED_SIDE * unit
    longest = max(face.box.width, face.box.height)
    if not PLAUSIBLE[0] * longest <= side <= PLAUSIBLE[1] * longest or not math.hypot(*level) > 0.0:
        return None
    angle = math.atan2(level[1], level[0])
    centre = (eyes + mouth) / 2
    return Frame((float(centre[0]), float(centre[1])), side, angle)


def crop_frame(pixels: Pixels, frame: Frame) -> npt.NDArray[np.uint8]:
    """Cut out a turned square, in grey; beyond the picture's border its border's pixels are repeated.

    Returns:
        uint8 ``[CROP_SIDE, CROP_SIDE]``.
    """
    height, width = pixels.shape[:2]
    reach = frame.side * (abs(math.cos(frame.angle)) + abs(math.sin(frame.angle))) / 2 + 2
    left, right = _inside(frame.centre[0] - reach, frame.centre[0] + reach, width)
    top, bottom = _inside(frame.centre[1] - reach, frame.centre[1] + reach, height)
    grey = cv2.cvtColor(pixels[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    shrink = min(1.0, _OVERSAMPLED_SIDE / frame.side)
    size = (max(1, round((right - left) * shrink)), max(1, round((bottom - top) * shrink)))
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    scale = np.array([size[0] / (right - left), size[1] / (bottom - top)])
    centre = (np.array(frame.centre) - (left, top)) * scale
    cosine, sine = math.cos(frame.angle), math.sin(frame.angle)
    turn = np.array([[cosine, -sine], [sine, cosine]]) * scale[:, None] * (frame.side / _OVERSAMPLED_SIDE)
    # The crop's middle, in places of its pixels; those count from their centres.
    middle = np.full(2, (_OVERSAMPLED_SIDE - 1) / 2)
    matrix = np.column_stack([turn, centre - 0.5 - turn @ middle])
    turned = cv2.warpAffine(
        grey,
        matrix,
        (_OVERSAMPLED_SIDE, _OVERSAMPLED_SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(turned, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def crop_box(pixels: Pixels, box: Box, *, margin: float) -> npt.NDArray[np.uint8]:
    """Cut out an upright square around a box, in grey.

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


def _inside(low: float, high: float, size: int) -> tuple[int, int]:
    """The whole pixels from ``low`` to ``high`` that a picture of a size has; at least one."""
    first = min(max(math.floor(low), 0), size - 1)
    return first, max(min(math.ceil(high), size), first + 1)
