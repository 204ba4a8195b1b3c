"""Which cell answers for which face: assigned by place and size alone, so that no engine has to take part.

As in FCOS (Tian et al. 2019), cells near a face's centre learn it, on the levels whose range its size is in; as ranges
overlap, faces between two levels are learnt on both. Where faces overlap, the smallest one wins.

Shapes: n pictures, a cells, k places for faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mien_face.detection.config import LANDMARKS, STRIDES, DetectorConfig
from mien_face.detection.forward import cells
from mien_face_lab.training.detector.canvas import Canvas
from mien_face_lab.training.detector.pictures import Floats, Pixels

BACKGROUND: Final = -1
IGNORED: Final = -2

MOST_FACES: Final = 40
"""Places for faces in a batch; the smallest faces of a fuller canvas are ignored."""

_RANGES: Final = ((0.0, 52.0), (40.0, 112.0), (84.0, float("inf")))
"""Sizes of the faces (geometric mean of the sides, pixels) that each level answers for."""

_NEAR_SIZE: Final = 0.2
_NEAR_STRIDES: Final = 0.6
"""A cell is near where it is within a fifth of the face's size, or 0.6 strides if that is more, of its centre: the
second makes sure that every face has a cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a step learns from.

    Attributes:
        images: RGB, uint8 ``[n, h, w, 3]``.
        assigned: For each cell the number of its face, ``BACKGROUND`` or ``IGNORED``, int32 ``[n, a]``.
        boxes: Left, top, right, bottom in pixels, ``[n, k, 4]``; ones where there is no face.
        landmarks: ``[n, k, 5, 2]``.
    """

    images: Pixels
    assigned: npt.NDArray[np.int32]
    boxes: Floats
    landmarks: Floats

    def part(self, index: int, count: int) -> Batch:
        """Every ``count``-th picture from ``index`` on."""
        each = slice(index, None, count)
        return Batch(self.images[each], self.assigned[each], self.boxes[each], self.landmarks[each])


def collect(config: DetectorConfig, canvases: Sequence[Canvas]) -> Batch:
    """Make a batch of canvases of one size."""
    images = np.stack([canvas.pixels for canvas in canvases])
    centres, _ = cells(config.grids(*images.shape[1:3]))
    strides = np.concatenate(
        [
            np.full(rows * columns, stride)
            for (rows, columns), stride in zip(config.grids(*images.shape[1:3]), STRIDES, strict=True)
        ]
    )
    boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (len(canvases), MOST_FACES, 1))
    landmarks = np.zeros((len(canvases), MOST_FACES, LANDMARKS, 2), np.float32)
    assigned = np.empty((len(canvases), len(centres)), np.int32)
    for index, canvas in enumerate(canvases):
        order = sorted(range(len(canvas.boxes)), key=lambda face: -_size(canvas.boxes[face]))
        learnt, left_out = order[:MOST_FACES], order[MOST_FACES:]
        for place, face in enumerate(learnt):
            boxes[index, place], landmarks[index, place] = canvas.boxes[face], canvas.landmarks[face]
        ignored = [*canvas.ignored, *(canvas.boxes[face] for face in left_out)]
        assigned[index] = assign(boxes[index, : len(learnt)], ignored, centres, strides)
    return Batch(images, assigned, boxes, landmarks)


def assign(
    boxes: Floats, ignored: Sequence[Floats], centres: Floats, strides: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Assign the cells of one picture.

    Args:
        boxes: Of faces, largest first, ``[faces, 4]``.
        ignored: Boxes in which no cell is background.
        centres: Of the cells, ``[a, 2]``.
        strides: Of the cells, ``[a]``.

    Returns:
        For each cell the number of its face, ``BACKGROUND`` or ``IGNORED``.
    """
    assigned = np.full(len(centres), BACKGROUND, np.int32)
    for box in ignored:
        inside = ((centres >= box[:2]) & (centres <= box[2:])).all(axis=1)
        assigned[inside] = IGNORED
        if not inside.any():  # smaller than a cell: the nearest one of the finest level
            assigned[np.abs(centres - (box[:2] + box[2:]) / 2).max(axis=1) <= strides / 2] = IGNORED
    for number, box in enumerate(boxes):  # smaller faces overwrite larger ones
        size = _size(box)
        near = np.maximum(_NEAR_SIZE * size, _NEAR_STRIDES * strides)
        close = (np.abs(centres - (box[:2] + box[2:]) / 2) <= near[:, None]).all(axis=1)
        for stride, (low, high) in zip(STRIDES, _RANGES, strict=True):
            if low <= size < high:
                assigned[close & (strides == stride)] = number
    return assigned


def _size(box: Floats) -> float:
    return float(np.sqrt(max(0.0, float((box[2] - box[0]) * (box[3] - box[1])))))
