"""A closer look at a face that is not surely upright: which way up is it?

A detector that learned upright faces finds one that lies or stands on its head too, with a lower score, and takes its
forehead for a chin; what its landmarks say of the angle is not to be trusted then. So a face of which the detector is
less than sure is cut out, turned in eight steps, and looked at again: it is the way up in which it is most like a face.
Where that is another one than upright, its angle is found more closely by four more looks, and it comes back with the
landmarks of the best, where they are in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box, Detection
from mien_face.detection.base import Pixels
from mien_face.detection.config import PADDING_VALUE

if TYPE_CHECKING:
    from mien_face.detection.inference import DetectionNetwork, Floats

SURELY_UPRIGHT: Final = 0.88
"""Score from which a face is not looked at again; faces that are turned by more than 60 degrees have less."""

LEAST_GAIN: Final = 0.05
"""By how much the score of a turned look must exceed the upright one's to be believed."""

LEAST_SIZE: Final = 48.0
"""Shorter side of a face's box, pixels, from which a look tells: of smaller ones that were upright and not surely so,
one in ten seemed turned."""

LOOK_SIDE: Final = 96
"""Height and width of the network's input for a look, pixels."""

_REACH: Final = 2.0
"""Side of what is looked at, in longer sides of the face's box."""

_OFF_CENTRE: Final = 0.2
"""How far from the middle an answer may lie, in sides of the look, to be one about the same face."""

_TURNS: Final = tuple(math.radians(degrees) for degrees in range(0, 360, 45))
_CLOSER: Final = tuple(math.radians(degrees) for degrees in (-20, -10, 10, 20))

Matrix = npt.NDArray[np.float64]
"""Of an affine map, ``[2, 3]``."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What was seen of a face, upright in the look.

    Attributes:
        score: [0, 1]; 0 where nothing was seen.
        box: Left, top, right, bottom, pixels of the look.
        landmarks: ``[5, 2]``, pixels of the look.
        angle: By which the look is turned, radians, clockwise as seen.
        matrix: From the picture to the look.
    """

    score: float
    box: Floats
    landmarks: Floats
    angle: float
    matrix: Matrix


def levelled(network: DetectionNetwork, pixels: Pixels, face: Detection) -> Detection:
    """The same face, with landmarks of the way up that it has; itself where it is upright.

    Args:
        network: That found it.
        pixels: The picture, uint8 RGB ``[height, width, 3]``.
        face: Found in it.
    """
    if face.score >= SURELY_UPRIGHT or min(face.box.width, face.box.height) < LEAST_SIZE:
        return face
    looks = _looks(network, pixels, face.box, _TURNS)
    best = max(looks, key=lambda look: look.score)
    if best.score < looks[0].score + LEAST_GAIN:
        return face
    closer = _looks(network, pixels, face.box, [best.angle + each for each in _CLOSER])
    return _in_picture(max(best, *closer, key=lambda look: look.score), face)


def _looks(network: DetectionNetwork, pixels: Pixels, box: Box, angles: Sequence[float]) -> list[_Look]:
    matrices = [_matrix(box, angle) for angle in angles]
    grey = (PADDING_VALUE,) * 3
    images = np.stack([cv2.warpAffine(pixels, matrix, (LOOK_SIDE, LOOK_SIDE), borderValue=grey) for matrix in matrices])
    seen = network.find(np.asarray(images, np.uint8), min_score=0.0)
    looks = []
    for faces, angle, matrix in zip(seen, angles, matrices, strict=True):
        middles = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
        near = np.flatnonzero(np.abs(middles - LOOK_SIDE / 2).max(axis=1, initial=0.0) <= _OFF_CENTRE * LOOK_SIDE)
        if len(near):  # best score first
            which = int(near[0])
            looks.append(_Look(float(faces.scores[which]), faces.boxes[which], faces.landmarks[which], angle, matrix))
        else:
            looks.append(_Look(0.0, np.zeros(4, np.float32), np.zeros((5, 2), np.float32), angle, matrix))
    return looks


def _matrix(box: Box, angle: float) -> Matrix:
    """The map that undoes a clockwise turn of a face and brings it to the middle of a look."""
    scale = LOOK_SIDE / (_REACH * max(box.width, box.height))
    linear = scale * np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    centre = np.array([box.x + box.width / 2, box.y + box.height / 2])
    return np.column_stack([linear, LOOK_SIDE / 2 - linear @ centre])


def _in_picture(look: _Look, face: Detection) -> Detection:
    back = np.linalg.inv(look.matrix[:, :2])
    points = (look.landmarks - look.matrix[:, 2]) @ back.T
    low, high = look.box[:2].astype(np.float64), look.box[2:].astype(np.float64)
    centre = back @ ((low + high) / 2 - look.matrix[:, 2])
    halves = np.sqrt(back**2 @ ((high - low) / 2) ** 2)  # of the upright box around the ellipse in the turned one
    box = Box(*(float(value) for value in (*(centre - halves), *(2 * halves))))
    return Detection(box, face.score, tuple((float(x), float(y)) for x, y in points))
