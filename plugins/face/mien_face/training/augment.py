"""Random changes of grey crops while training: mirror, small affine, erasing. ``normalise`` takes brightness out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a crop may be changed.

    Attributes:
        rotation: Largest turn, degrees.
        scale: Largest relative change of size.
        shift: Largest shift, pixels.
        mirror: Probability of a mirrored crop.
        erase: Probability that a rectangle is filled with the crop's mean grey.
        erase_size: Smallest and largest side of that rectangle, pixels.
    """

    rotation: float = 10.0
    scale: float = 0.1
    shift: float = 3.0
    mirror: float = 0.5
    erase: float = 0.25
    erase_size: tuple[int, int] = (6, 16)

    def scaled(self, strength: float) -> Augmentation:
        """The same changes, weaker (under 1) or stronger; mirroring and the rectangle's size stay."""
        return replace(
            self,
            rotation=self.rotation * strength,
            scale=self.scale * strength,
            shift=self.shift * strength,
            erase=min(self.erase * strength, 1.0),
        )


def augment(
    crops: npt.NDArray[np.uint8], settings: Augmentation, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Change each crop at random.

    Args:
        crops: uint8 grey, ``[count, height, width]``; not changed.
        settings: How far.
        generator: Source of randomness; the same state gives the same crops.

    Returns:
        uint8, the same shape.
    """
    result = np.empty_like(crops)
    for index, crop in enumerate(crops):
        changed = _affine(crop, settings, generator)
        if generator.random() < settings.erase:
            _erase(changed, settings.erase_size, generator)
        result[index] = changed
    return result


def _affine(
    crop: npt.NDArray[np.uint8], settings: Augmentation, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    height, width = crop.shape
    angle, stretch, right, down = generator.uniform(-1, 1, 4)
    matrix = cv2.getRotationMatrix2D(
        ((width - 1) / 2, (height - 1) / 2), angle * settings.rotation, 1 + stretch * settings.scale
    )
    matrix[:, 2] += settings.shift * right, settings.shift * down
    if generator.random() < settings.mirror:  # x -> width - 1 - x, after the rest
        matrix[0] *= -1
        matrix[0, 2] += width - 1
    turned = cv2.warpAffine(crop, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def _erase(crop: npt.NDArray[np.uint8], size: tuple[int, int], generator: np.random.Generator) -> None:
    height, width = generator.integers(size[0], size[1] + 1, 2)
    top = generator.integers(0, crop.shape[0] - height + 1)
    left = generator.integers(0, crop.shape[1] - width + 1)
    crop[top : top + height, left : left + width] = np.uint8(crop.mean())
