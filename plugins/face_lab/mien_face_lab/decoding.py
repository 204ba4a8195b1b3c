"""Decodes the pictures of data sets by OpenCV, whatever they are; ``mien.decode_image`` is for what callers send."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def decode_grey(content: bytes) -> npt.NDArray[np.uint8] | None:
    """A picture as uint8 ``[height, width]``; None where it cannot be decoded."""
    return _decode(content, cv2.IMREAD_GRAYSCALE)


def decode_rgb(content: bytes) -> npt.NDArray[np.uint8] | None:
    """A picture as uint8 RGB ``[height, width, 3]``; None where it cannot be decoded."""
    return _decode(content, cv2.IMREAD_COLOR_RGB)


def _decode(content: bytes, flags: int) -> npt.NDArray[np.uint8] | None:
    if not content:
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:  # more pixels than OpenCV takes
        return None
    return None if picture is None else np.asarray(picture, np.uint8)
