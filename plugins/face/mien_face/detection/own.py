"""Face detection by mien's own network, which ships with it: boxes with five landmarks, in one compiled program.

The picture is reduced by area averaging to the network's input (see ``letterbox``); pictures of one input size go
through the network together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from mien import Box, Detection, Detections, FaceDetector
from mien_face.detection.base import Pixels
from mien_face.detection.inference import BUCKETS, DetectionNetwork, FoundFaces
from mien_face.detection.letterbox import Placement, draw, fitting_side, input_shapes, place
from mien_face.detection.turned import LOOK_SIDE, levelled

MARGIN: Final = 0.02
"""As YuNet's, whose boxes it learned from."""

LEAST_ORDER: Final = 0.2
"""Sine of the angle from the eyes' line to the line from eyes to mouth, which is 1 in a face seen from the front,
however it is turned in the picture; of labelled faces, profiles too, 99 in 100 have 0.9 and more."""


class OwnDetector(FaceDetector):
    """Finds faces with landmarks. Deterministic, and safe to call from several threads."""

    margin = MARGIN

    def __init__(
        self,
        network: DetectionNetwork,
        *,
        search_side: int | None,
        min_face_pixels: int,
        min_face_fraction: float,
        min_score: float | None = None,
    ) -> None:
        """Set what is searched.

        Args:
            network: Loaded.
            search_side: Pictures are brought to so many pixels on their longer side; none takes what shows the smallest
                face asked for clearly enough, picture by picture.
            min_face_pixels: Narrower faces are dropped.
            min_face_fraction: So are those narrower than this share of the picture's shorter side.
            min_score: So are those that the network trusts less, [0, 1]; none takes the detector's threshold.
        """
        self._network = network
        self._search_side = search_side
        self._min_face_pixels = min_face_pixels
        self._min_face_fraction = min_face_fraction
        self._min_score = network.threshold if min_score is None else min_score

    @property
    def threshold(self) -> float:
        """What the weights' manifest says, chosen on validation pictures."""
        return self._network.threshold

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        """Find the faces of some pictures, and count those that are left out as too small."""
        placements = [self._place(*pixels.shape[:2]) for pixels in pictures]
        found = [Detections() for _ in pictures]
        for shape in sorted({placement.shape for placement in placements}):
            chosen = [index for index, placement in enumerate(placements) if placement.shape == shape]
            images = np.empty((len(chosen), *shape, 3), np.uint8)
            for image, index in zip(images, chosen, strict=True):
                draw(pictures[index], placements[index], image)
            for index, faces in zip(chosen, self._network.find(images, min_score=self._min_score), strict=True):
                found[index] = self._in_picture(faces, placements[index], pictures[index])
        return [self._levelled(pixels, faces) for pixels, faces in zip(pictures, found, strict=True)]

    def warm_up(self) -> None:
        """Compile for the least input, or the one asked for, and for closer looks; other sizes wait until needed."""
        for shape in input_shapes(self._search_side or self._network.config.long_side):
            for count in BUCKETS:
                self._network.compile(count, shape)
        self._network.compile(BUCKETS[-1], (LOOK_SIDE, LOOK_SIDE))

    def _levelled(self, pixels: Pixels, faces: Detections) -> list[Detection]:
        """With a closer look at what is taken for a face; not at what is only asked for to be judged."""
        sure = self._network.threshold
        looked_at = (levelled(self._network, pixels, face) if face.score >= sure else face for face in faces)
        return Detections(looked_at, too_small=faces.too_small)

    def _place(self, height: int, width: int) -> Placement:
        side = self._search_side
        if side is None:
            least = self._network.config.long_side
            side = fitting_side(height, width, smallest=self._smallest(height, width), least=least)
        return place(height, width, long_side=side)

    def _smallest(self, height: int, width: int) -> float:
        """The smallest face asked for, pixels of the picture."""
        return max(self._min_face_pixels, self._min_face_fraction * min(width, height))

    def _in_picture(self, faces: FoundFaces, placement: Placement, pixels: Pixels) -> Detections:
        """Faces in pixels of the picture: large enough, their centre inside it, their parts in order."""
        height, width = pixels.shape[:2]
        smallest = self._smallest(height, width)
        scale = np.array([placement.scale_x, placement.scale_y], np.float64)
        offset = np.array([placement.left, placement.top], np.float64)
        corners = (faces.boxes.reshape(-1, 2, 2) - offset) / scale  # [faces, 2, (x, y)]
        landmarks = (faces.landmarks - offset) / scale  # [faces, 5, (x, y)]
        inside = Detections()
        for score, (low, high), points in zip(faces.scores.tolist(), corners, landmarks, strict=True):
            centre = (low + high) / 2
            if not (0 <= centre[0] < width and 0 <= centre[1] < height) or order(points) < LEAST_ORDER:
                continue
            if min(high - low) < smallest:
                inside.too_small += score >= self._network.threshold
                continue
            box = Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
            inside.append(Detection(box, score, tuple((float(x), float(y)) for x, y in points)))
        return inside


def order(landmarks: npt.NDArray[np.float64]) -> float:
    """How far landmarks, ``[5, 2]``, are in a face's order.

    Returns:
        1 where the mouth lies square to the eyes' line, on the side on which every face has it that is not mirrored;
        below 0 on the other side.
    """
    right_eye, left_eye, _, right_mouth, left_mouth = landmarks
    across, down = left_eye - right_eye, (right_mouth + left_mouth - right_eye - left_eye) / 2
    lengths = float(np.hypot(*across) * np.hypot(*down))
    return float(across[0] * down[1] - across[1] * down[0]) / lengths if lengths > 0.0 else 0.0
