"""Face detection by OpenCV's frontal Haar cascade, which comes with OpenCV: no download, no weights of ours.

The picture is made smaller first, because the cascade's time grows with the pixels and faces of interest are large.
Where that finds nothing, the picture gets a border and is searched once more for large faces only: the cascade wants
some surroundings, and a face that fills the picture or is cut by its edge has none. Of the four frontal cascades
``alt2`` finds most for its time with the fewest false alarms on real pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box, Detection, FaceDetector, PluginError
from mien_face.detection.base import PerThread, Pixels, reduction, suppress

Grey = npt.NDArray[np.uint8]
"""``[height, width]``."""

CASCADE: Final = "haarcascade_frontalface_alt2.xml"
SEARCH_SIDE: Final = 200
"""Longer side of the reduced picture where the settings say nothing, pixels."""
WINDOW: Final = 20
"""Side of the cascade's window: no smaller face can be found, pixels of the reduced picture."""
SCALE_FACTOR: Final = 1.15
"""Ratio of one searched size to the next."""
MIN_NEIGHBOURS: Final = 2
"""Windows that must agree on a face."""
BORDER: Final = 0.15
"""Border of the second search, share of the picture's longer side."""
BORDER_MIN_FACE: Final = 0.45
"""Smallest face of the second search, share of the picture's shorter side."""
MARGIN: Final = 0.12
"""With it the mean crop of portraits is most like FER2013's mean face (correlation 0.92; 0.79 without a margin),
and the network's likelihood of the portraits' labels is best."""
OVERLAP: Final = 0.4
THRESHOLD: Final = 0.2
"""Set by eye, as the scores are."""
SCORE_CENTRE: Final = 54.6
SCORE_SLOPE: Final = 2.2
"""The cascade's last-stage sum as a probability: logistic, its constants set by eye between true and false alarms."""


class HaarDetector(FaceDetector):
    """Finds frontal faces. A cascade must not be shared by threads, so each thread loads one of its own."""

    margin = MARGIN
    threshold = THRESHOLD

    def __init__(
        self, *, search_side: int, min_face_pixels: int, min_face_fraction: float, min_score: float | None = None
    ) -> None:
        """Set what is searched.

        Args:
            search_side: The picture is reduced until its longer side has so many pixels.
            min_face_pixels: Narrower faces are not looked for, pixels of the picture.
            min_face_fraction: Nor are those narrower than this share of the picture's shorter side.
            min_score: Faces of lower scores are left out, [0, 1]; None takes ``THRESHOLD``.
        """
        self._min_score = THRESHOLD if min_score is None else min_score
        self._search_side = search_side
        self._min_face_pixels = min_face_pixels
        self._min_face_fraction = min_face_fraction
        self._cascade = PerThread(lambda: load_cascade(CASCADE))

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        """Find the faces of some pictures."""
        return [self._detect(pixels) for pixels in pictures]

    def warm_up(self) -> None:
        """Load the calling thread's cascade."""
        self._cascade.get()

    def _detect(self, pixels: Pixels) -> list[Detection]:
        scale = reduction(pixels, long_side=self._search_side)
        grey = _reduced_grey(pixels, scale)  # [height, width]
        short_side = min(grey.shape)
        smallest = max(WINDOW, self._min_face_pixels * scale, self._min_face_fraction * short_side)
        found = self._search(grey, smallest)
        if not found:
            border = round(BORDER * max(grey.shape))
            wide = np.pad(grey, border, mode="edge")
            found = self._search(wide, max(smallest, BORDER_MIN_FACE * short_side), offset=border)
        kept = suppress([_enlarged(face, scale) for face in found], overlap=OVERLAP)
        return [face for face in kept if face.score >= self._min_score]

    def _search(self, grey: Grey, smallest: float, *, offset: int = 0) -> list[Detection]:
        side = math.ceil(smallest)
        if side > min(grey.shape):
            return []
        boxes, _, sums = self._cascade.get().detectMultiScale3(
            grey,
            scaleFactor=SCALE_FACTOR,
            minNeighbors=MIN_NEIGHBOURS,
            minSize=(side, side),
            outputRejectLevels=True,
        )
        return [
            Detection(Box(float(x - offset), float(y - offset), float(width), float(height)), _score(float(total)))
            for (x, y, width, height), total in zip(boxes, np.ravel(sums), strict=True)
        ]


def load_cascade(name: str) -> Any:
    """Load one of OpenCV's cascades.

    Raises:
        PluginError: OpenCV came without it.
    """
    path = Path(cv2.__file__).parent / "data" / name
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise PluginError(f"OpenCV {cv2.__version__} has no cascade {path}; install opencv-python-headless<5")
    return cascade


def _reduced_grey(pixels: Pixels, scale: float) -> Grey:
    height, width = pixels.shape[:2]
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    return grey


def _score(total: float) -> float:
    return 1.0 / (1.0 + math.exp(-SCORE_SLOPE * (total - SCORE_CENTRE)))


def _enlarged(found: Detection, scale: float) -> Detection:
    box = found.box
    return Detection(Box(box.x / scale, box.y / scale, box.width / scale, box.height / scale), found.score)
