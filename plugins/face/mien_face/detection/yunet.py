"""Face detection by YuNet, a small network that OpenCV runs. Its file is not ours to ship: the settings name it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box, ConfigError
from mien_face.detection.base import Detection, PerThread, Pixels, reduction

NMS_THRESHOLD: Final = 0.3
TOP_K: Final = 500
"""Candidates kept before overlapping ones are dropped."""
LANDMARKS: Final = 5
THRESHOLD: Final = 0.2
"""Low: a customer who is overlooked is worse than one who is doubted."""
MARGIN: Final = 0.02
"""Between what makes portraits' mean crop most like FER2013's mean face (0.05) and what the network reads best (0)."""


class YuNetDetector:
    """Finds faces, turned ones too, with five landmarks. Threads must not share a network: each loads its own."""

    margin = MARGIN
    threshold = THRESHOLD

    def __init__(
        self,
        path: Path,
        *,
        search_side: int,
        min_face_pixels: int,
        min_face_fraction: float,
        min_score: float | None = None,
    ) -> None:
        """Load the network once, so that a wrong file is found out at once.

        Args:
            path: YuNet's ONNX file.
            search_side: The picture is reduced until its longer side has so many pixels.
            min_face_pixels: Narrower faces are dropped.
            min_face_fraction: So are those narrower than this share of the picture's shorter side.
            min_score: So are those that the network trusts less, [0, 1]; none takes the detector's threshold.

        Raises:
            ConfigError: The file is missing, or is not YuNet.
        """
        self._search_side = search_side
        self._min_face_pixels = min_face_pixels
        self._min_face_fraction = min_face_fraction
        score = THRESHOLD if min_score is None else min_score
        self._network = PerThread(lambda: _load_network(path, score))
        self._network.get()

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        """Find the faces of some pictures."""
        return [self._detect(pixels) for pixels in pictures]

    def warm_up(self) -> None:
        """Load the calling thread's network."""
        self._network.get()

    def _detect(self, pixels: Pixels) -> list[Detection]:
        height, width = pixels.shape[:2]
        scale = reduction(pixels, long_side=self._search_side)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        network = self._network.get()
        network.setInputSize(size)
        _, rows = network.detect(picture)
        smallest = max(self._min_face_pixels, self._min_face_fraction * min(width, height))
        return [] if rows is None else list(read_rows(rows, scale=scale, smallest=smallest))


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
        raise ConfigError(f"[plugins.face] yunet_path: there is no file {path}; download YuNet's ONNX file and name it")
    try:
        network = cv2.FaceDetectorYN.create(str(path), "", (64, 64), min_score, NMS_THRESHOLD, TOP_K)
        network.detect(np.zeros((64, 64, 3), np.uint8))
    except cv2.error as error:
        raise ConfigError(
            f"[plugins.face] yunet_path: {path} is not a YuNet file that OpenCV {cv2.__version__} can run "
            "(expected face_detection_yunet_2023mar.onnx of OpenCV's model zoo)"
        ) from error
    return network
