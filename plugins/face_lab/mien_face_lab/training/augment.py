"""Random changes of grey crops while training: what a camera, a hand or a mask does to a face.

``normalise`` takes brightness and contrast out later, so those are not changed here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

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
        cover: Probability that the upper or the lower part of the face is covered with one grey.
        cover_rows: Fewest and most rows so covered.
        blur: Probability of a Gaussian blur.
        blur_sigma: Its smallest and largest standard deviation, pixels.
        coarse: Probability that the crop is seen as from a distance: reduced, and enlarged again.
        coarse_side: Smallest and largest side of the reduced crop, pixels.
        noise: Probability of Gaussian noise.
        noise_deviation: Its smallest and largest standard deviation, grey levels.
    """

    rotation: float = 10.0
    scale: float = 0.1
    shift: float = 3.0
    mirror: float = 0.5
    erase: float = 0.25
    erase_size: tuple[int, int] = (6, 16)
    cover: float = 0.0
    cover_rows: tuple[int, int] = (14, 23)
    blur: float = 0.0
    blur_sigma: tuple[float, float] = (0.5, 1.6)
    coarse: float = 0.0
    coarse_side: tuple[int, int] = (20, 35)
    noise: float = 0.0
    noise_deviation: tuple[float, float] = (3.0, 16.0)

    def scaled(self, strength: float) -> Augmentation:
        """The same changes, weaker (under 1) or stronger; mirroring and the ranges of sizes stay."""
        return replace(
            self.likelier(strength),
            rotation=self.rotation * strength,
            scale=self.scale * strength,
            shift=self.shift * strength,
        )

    def likelier(self, factor: float) -> Augmentation:
        """The same changes, but what hides or spoils a face happens that much more often (or, under 1, less often)."""
        return replace(self, **{name: min(getattr(self, name) * factor, 1.0) for name in _PROBABILITIES})


_PROBABILITIES: Final = ("erase", "cover", "blur", "coarse", "noise")
"""What ``Augmentation.likelier`` makes likelier."""

ROBUST: Final = Augmentation(
    rotation=12.0,
    scale=0.12,
    shift=3.5,
    erase=0.28,
    erase_size=(6, 18),
    cover=0.04,
    blur=0.065,
    coarse=0.065,
    noise=0.12,
)
"""For long runs of a network that must also read covered, blurred, small and noisy faces."""


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
        _hide(changed, settings, generator)
        result[index] = _spoil(changed, settings, generator)
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


def _hide(crop: npt.NDArray[np.uint8], settings: Augmentation, generator: np.random.Generator) -> None:
    """Erase a rectangle, or cover a part of the face; never both."""
    draw = generator.random()
    if draw < settings.erase:
        _erase(crop, settings.erase_size, generator)
    elif draw < settings.erase + settings.cover:
        rows = generator.integers(settings.cover_rows[0], settings.cover_rows[1] + 1)
        covered = slice(len(crop) - rows, None) if generator.random() < 0.5 else slice(0, rows)
        crop[covered] = np.uint8(generator.integers(0, 256))


def _spoil(
    crop: npt.NDArray[np.uint8], settings: Augmentation, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Blur the crop or make it coarse, and add noise."""
    draw = generator.random()
    if draw < settings.blur:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), generator.uniform(*settings.blur_sigma)), np.uint8)
    elif draw < settings.blur + settings.coarse:
        side = int(generator.integers(settings.coarse_side[0], settings.coarse_side[1] + 1))
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        crop = np.asarray(cv2.resize(small, crop.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    if generator.random() < settings.noise:
        noisy = crop + generator.normal(0, generator.uniform(*settings.noise_deviation), crop.shape)
        crop = np.clip(noisy, 0, 255).astype(np.uint8)
    return crop


def _erase(crop: npt.NDArray[np.uint8], size: tuple[int, int], generator: np.random.Generator) -> None:
    height, width = generator.integers(size[0], size[1] + 1, 2)
    top = generator.integers(0, crop.shape[0] - height + 1)
    left = generator.integers(0, crop.shape[1] - width + 1)
    crop[top : top + height, left : left + width] = np.uint8(crop.mean())
