"""A picture with what was seen in it: boxes on the picture, and beside it the satisfaction gauge and emotion bars.

Numbers and bars stand in a panel at the right, so that nothing hides a face. Drawing only: no file is read or written.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien.annotate.panel import draw_panel
from mien.annotate.picture import draw_faces
from mien.annotate.style import BACKGROUND, subjects_of
from mien.types import AnalysisResult, ImageFrame

_UNITS_HIGH: Final = 720
"""Height of the panel's layout in units; a unit is a pixel in a picture of this height."""

_PANEL_UNITS_WIDE: Final = 320
_SMALLEST_UNIT: Final = 0.75
"""Pixels a unit, at the least: smaller, and the panel's text could not be read."""

_COMFORTABLE_SIDE: Final = 480
_LARGEST_SIDE: Final = 1920
"""A picture with a shorter side below the first is enlarged, unless its longer side would then be over the second."""


def annotate(frame: ImageFrame, result: AnalysisResult, *, caption: str = "") -> npt.NDArray[np.uint8]:
    """Draw a result beside and on its picture.

    Args:
        frame: The picture that was analysed; small ones are enlarged.
        result: What was seen in it.
        caption: A few characters in the panel's corner, such as the time.

    Returns:
        uint8 RGB ``[height, width, 3]``; the size depends on the frame's size only, so that a video's frames match.
    """
    pixels, scale = _enlarged(frame.pixels)
    height, width, _ = pixels.shape
    unit = max(height / _UNITS_HIGH, _SMALLEST_UNIT) if height <= 3 * width else max(width / 480, _SMALLEST_UNIT)
    total = max(height, round(_UNITS_HIGH * unit))
    subjects = subjects_of(result)
    drawn = draw_faces(pixels, subjects, scale=scale, unit=unit)
    panel = draw_panel(
        (round(_PANEL_UNITS_WIDE * unit), total), result.satisfaction, subjects, unit=unit, caption=caption
    )
    canvas = np.empty((total, width + panel.shape[1], 3), np.uint8)
    canvas[:] = BACKGROUND
    top = (total - height) // 2
    canvas[top : top + height, :width] = drawn
    canvas[:, width:] = panel
    return canvas


def _enlarged(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], float]:
    """The picture at a size at which lines and letters can be read, and by how much it was enlarged."""
    height, width, _ = pixels.shape
    scale = min(_COMFORTABLE_SIDE / min(height, width), _LARGEST_SIDE / max(height, width))
    if scale <= 1.0:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8), scale
