"""How far a face's picture can be trusted: size, sharpness, light, and how much of the face is in the picture.

A poor picture lowers the confidence of what is said about the face; the answer itself is never changed or withheld.
Each measure gives a factor in [0, 1] and, where it is bad, the name of an issue; the quality is their product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box
from mien_face.detection.base import clip
from mien_face.settings import QualitySettings

CUT_OFF: Final = 0.9
"""A face is called cut off where less than this share of its box lies in the picture."""
LEAST: Final = 0.25
"""What a face keeps of its quality where one measure is at its worst: no single one is proof."""
LIGHT_RAMP: Final = 40.0
"""Grey levels over which the factor for light falls from 1 to its least, half of it either side of the threshold."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of one face's picture.

    Attributes:
        value: [0, 1]; 1 is large, sharp, well lit and whole.
        issues: Any of ``small``, ``blurred``, ``dark``, ``bright``, ``flat``, ``cut_off``, in this order.
        brightness: Mean grey level of the face, [0, 1].
    """

    value: float
    issues: tuple[str, ...]
    brightness: float


def assess(crop: npt.NDArray[np.uint8], box: Box, *, width: int, height: int, settings: QualitySettings) -> Quality:
    """Judge the picture of a face.

    Args:
        crop: Its grey square, uint8 ``[side, side]``. The network's own input, so that only such blur counts as the
            network would see.
        box: Its box, pixels of the picture; may reach over the border.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        settings: The thresholds.
    """
    size = min(box.width, box.height)
    sharp = sharpness(crop)
    light, contrast = float(crop.mean()), float(crop.std())
    visible = clip(box, width=width, height=height).area / box.area if box.area > 0 else 0.0
    half_ramp = LIGHT_RAMP / 2
    factors = (
        _ramp(size, 0.0, settings.full_size),
        _ramp(sharp, 0.0, settings.sharp),
        _ramp(light, settings.dark - half_ramp, settings.dark + half_ramp),
        _ramp(-light, -settings.bright - half_ramp, -settings.bright + half_ramp),
        _ramp(contrast, 0.0, 2 * settings.flat),
        _ramp(visible, 0.0, 1.0),
    )
    found = {
        "small": size < settings.small,
        "blurred": sharp < settings.blurred,
        "dark": light < settings.dark,
        "bright": light > settings.bright,
        "flat": contrast < settings.flat,
        "cut_off": visible < CUT_OFF,
    }
    value = float(np.prod([LEAST + (1.0 - LEAST) * factor for factor in factors]))
    return Quality(value, tuple(name for name, present in found.items() if present), min(light / 255.0, 1.0))


def sharpness(crop: npt.NDArray[np.uint8]) -> float:
    """Variance of the Laplacian over the variance of the picture: no unit, and the same in weak light as in strong."""
    grey = crop.astype(np.float32)
    variance = float(grey.var())
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / variance if variance > 1.0 else 0.0


def _ramp(value: float, low: float, high: float) -> float:
    """0 at ``low`` and below, 1 at ``high`` and above, straight between; 1 where both are the same and reached."""
    if high <= low:
        return float(value >= high)
    return min(max((value - low) / (high - low), 0.0), 1.0)
