"""Face detection by YuNet, a small network that OpenCV runs. Its file does not come along: the settings name it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box, ConfigError, Detection, DetectorSettings, FaceDetector

Pixels = npt.NDArray[np.uint8]
"""uint8 RGB, ``[height, width, 3]``."""

SEARCH_SIDE: Final = 480
"""Longer side of the searched picture where nobody asks for another, pixels."""
NMS_THRESHOLD: Final = 0.3
TOP_K: Final = 500
"""Candidates kept before overlapping ones are dropped."""
LANDMARKS: Final = 5
THRESHOLD: Final = 0.2
"""Low: a customer who is overlooked is worse than one who is doubted."""
MARGIN: Final = 0.02
"""Between what makes portraits' mean crop most like FER2013's mean face (0.05) and what the network reads best (0)."""


class YuNetDetector(FaceDetector):
    """Finds faces, turned ones too, with five landmarks. Threads must not share a network: each loads its own."""

    margin = MARGIN
    threshold = THRESHOLD

    def __init__(self, path: Path, asked: DetectorSettings) -> None:
        """Load the network once, so that a wrong file is found out at once.

        Args:
            path: YuNet's ONNX file.
            asked: Size of search, smallest face and lowest score.

        Raises:
            ConfigError: The file is missing, or is not YuNet.
        """
        self._path = path
        self._asked = asked
        self._score = THRESHOLD if asked.min_score is None else asked.min_score
        self._local = threading.local()
        self._network()

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        """Find the faces of some pictures."""
        return [self._detect(pixels) for pixels in pictures]

    def warm_up(self) -> None:
        """Load the calling thread's network."""
        self._network()

    def _detect(self, pixels: Pixels) -> list[Detection]:
        height, width = pixels.shape[:2]
        scale = min(1.0, (self._asked.search_side or SEARCH_SIDE) / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        network = self._network()
        network.setInputSize(size)
        _, rows = network.detect(picture)
        smallest = max(self._asked.min_face_pixels, self._asked.min_face_fraction * min(width, height))
        return [] if rows is None else list(read_rows(rows, scale=scale, smallest=smallest))

    def _network(self) -> Any:
        """The calling thread's own."""
        if not hasattr(self._local, "network"):
            self._local.network = _load_network(self._path, self._score)
        return self._local.network


def read_rows(rows: npt.NDArray[np.float32], *, scale: float, smallest: float) -> Iterable[Detection]:
    """Turn YuNet's answer into detections.

    Args:
        rows: ``[faces, 15]``: x, y, width, height, five landmarks (x, y), score, in pixels of the reduced picture.
        scale: The reduction that was applied to the picture.
        smallest: Narrower faces are left out, pixels of the picture.
    """
    for row in rows[np.isfinite(rows).all(axis=1)]:
        x, y, width, height = (float(value) / scale for value in row[:4])
        if min(width, height) < smallest:
            continue
        points = row[4 : 4 + 2 * LANDMARKS].reshape(LANDMARKS, 2) / scale
        landmarks = tuple((float(across), float(down)) for across, down in points)
        yield Detection(Box(x, y, width, height), min(max(float(row[14]), 0.0), 1.0), landmarks)


def _load_network(path: Path, min_score: float) -> Any:
    if not path.is_file():
        raise ConfigError(f"[plugins.yunet] path: there is no file {path}; download YuNet's ONNX file and name it")
    try:
        network = cv2.FaceDetectorYN.create(str(path), "", (64, 64), min_score, NMS_THRESHOLD, TOP_K)
        network.detect(np.zeros((64, 64, 3), np.uint8))
    except cv2.error as error:
        raise ConfigError(
            f"[plugins.yunet] path: {path} is not a YuNet file that OpenCV {cv2.__version__} can run "
            "(expected face_detection_yunet_2023mar.onnx of OpenCV's model zoo)"
        ) from error
    return network
