"""A training picture in the making, and the geometry that brings photographs onto it.

Boxes are left, top, right, bottom and landmarks (x, y), in pixels of the canvas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien_face.detection.config import PADDING_VALUE
from mien_face_lab.training.detector.pictures import Floats, Picture, Pixels

Matrix = npt.NDArray[np.float64]
"""Of an affine map, ``[2, 3]``."""

SMALLEST_FACE: Final = 11.0
"""Faces below this size (geometric mean of width and height, pixels) are neither learnt nor taken for background."""

_VISIBLE_ENOUGH: Final = 0.5
"""Share of a face's box on the canvas from which it is learnt; below, it is ignored."""

_MIRRORED_ORDER: Final = [1, 0, 2, 4, 3]
"""Landmarks in a mirrored picture: right and left change places."""


@dataclass(slots=True, eq=False)
class Canvas:
    """A picture and what is on it.

    Attributes:
        pixels: RGB, ``[height, width, 3]``.
        boxes: Of faces; they may reach over the border.
        landmarks: Of the same faces, each ``[5, 2]``.
        ignored: Boxes that are neither face nor background.
    """

    pixels: Pixels
    boxes: list[Floats] = field(default_factory=list)
    landmarks: list[Floats] = field(default_factory=list)
    ignored: list[Floats] = field(default_factory=list)

    def add(self, box: Floats, landmarks: Floats) -> None:
        """Note a face: learnt, ignored, or outside the picture."""
        visible = visible_share(box, self.pixels.shape[1], self.pixels.shape[0])
        size = math.sqrt(max(0.0, float((box[2] - box[0]) * (box[3] - box[1]))))
        if visible >= _VISIBLE_ENOUGH and size >= SMALLEST_FACE:
            self.boxes.append(box)
            self.landmarks.append(landmarks)
        elif visible > 0:
            self.ignored.append(box)

    def covers(self, box: Floats, share: float) -> bool:
        """Whether a face or an ignored box shares more than a part of the smaller area with this one."""
        return any(_shared(box, other) > share for other in (*self.boxes, *self.ignored))


def placed(
    picture: Picture,
    matrix: Matrix,
    *,
    height: int,
    width: int,
    border: int = cv2.BORDER_CONSTANT,
    mirror: bool = False,
) -> Canvas:
    """Bring a photograph with its labels onto an empty canvas.

    Args:
        picture: It.
        matrix: From its pixels to those of the canvas.
        height: Of the canvas.
        width: Of the canvas.
        border: OpenCV's way to fill what the photograph does not.
        mirror: Whether the matrix mirrors, so that left and right landmarks change places.
    """
    grey = (PADDING_VALUE,) * 3
    shrinks = abs(np.linalg.det(matrix[:, :2])) < 0.3
    pixels = picture.pixels()
    if shrinks:  # averages over areas, which warping does not
        pixels = np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    flags = cv2.INTER_LINEAR
    own = matrix @ np.vstack([np.diag([2.0, 2.0, 1.0])]) if shrinks else matrix
    warped = cv2.warpAffine(pixels, own, (width, height), flags=flags, borderMode=border, borderValue=grey)
    canvas = Canvas(np.asarray(warped, np.uint8))
    for box, landmarks in zip(picture.boxes, picture.landmarks, strict=True):
        canvas.add(*moved(box, landmarks, matrix, mirror=mirror))
    canvas.ignored.extend(move_box(box, matrix) for box in picture.ignored)
    return canvas


def varied(canvas: Canvas, matrix: Matrix, *, mirror: bool) -> Canvas:
    """Bring a canvas with its labels onto a new one of its size; what it does not fill is grey.

    Args:
        canvas: Not changed.
        matrix: From its pixels to those of the new one.
        mirror: Whether the matrix mirrors, so that left and right landmarks change places.
    """
    height, width = canvas.pixels.shape[:2]
    grey = (PADDING_VALUE,) * 3
    changed = Canvas(np.asarray(cv2.warpAffine(canvas.pixels, matrix, (width, height), borderValue=grey), np.uint8))
    for box, landmarks in zip(canvas.boxes, canvas.landmarks, strict=True):
        changed.add(*moved(box, landmarks, matrix, mirror=mirror))
    changed.ignored.extend(move_box(box, matrix) for box in canvas.ignored)
    return changed


def moved(box: Floats, landmarks: Floats, matrix: Matrix, *, mirror: bool = False) -> tuple[Floats, Floats]:
    """A face's box and landmarks after an affine map."""
    points = (landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return move_box(box, matrix), points[_MIRRORED_ORDER] if mirror else points


def move_box(box: Floats, matrix: Matrix) -> Floats:
    """The upright box of the mapped ellipse that a box encloses: faces are round, so turned boxes grow little."""
    centre = matrix[:, :2] @ ((box[:2] + box[2:]) / 2) + matrix[:, 2]
    halves = np.sqrt((matrix[:, :2] ** 2) @ (((box[2:] - box[:2]) / 2) ** 2))
    return np.concatenate([centre - halves, centre + halves]).astype(np.float32)


def similarity(
    *, scale: float, degrees: float, source: npt.ArrayLike, target: npt.ArrayLike, mirror: bool = False
) -> Matrix:
    """The affine map that scales, turns and perhaps mirrors, and brings the point ``source`` to ``target``."""
    turn = math.radians(degrees)
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    if mirror:
        linear = linear @ np.diag([-1.0, 1.0])
    return np.column_stack([linear, np.asarray(target) - linear @ np.asarray(source)])


def visible_share(box: Floats, width: int, height: int) -> float:
    """Share of a box's area inside a picture."""
    area = max(float((box[2] - box[0]) * (box[3] - box[1])), 1e-6)
    across = min(float(box[2]), width) - max(float(box[0]), 0.0)
    down = min(float(box[3]), height) - max(float(box[1]), 0.0)
    return max(across, 0.0) * max(down, 0.0) / area


def _shared(first: Floats, second: Floats) -> float:
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return float(max(across, 0.0) * max(down, 0.0) / max(smaller, 1e-6))
