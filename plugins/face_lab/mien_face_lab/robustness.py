"""What poor pictures cost: the ways in which a face's picture is spoilt, in one table, and the accuracy that is left.

Crops in, crops out; the network is run by whoever asks. The same seed spoils the same crops in the same way.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import metrics
from mien_face.config import INPUT_SIZE

Crops = npt.NDArray[np.uint8]
"""Grey faces, ``[n, 48, 48]``."""

Spoil = Callable[[Crops, np.random.Generator], Crops]


@dataclass(frozen=True, slots=True)
class Condition:
    """One way of spoiling a picture.

    Attributes:
        name: In figures.
        description: In words.
        spoil: Makes the poor pictures, from the good ones and a source of chance.
    """

    name: str
    description: str
    spoil: Spoil

    def apply(self, crops: Crops, *, seed: int = 0) -> Crops:
        """Spoil crops; each condition has chances of its own, whatever else is measured."""
        generator = np.random.default_rng((seed, zlib.crc32(self.name.encode())))
        return self.spoil(crops, generator)


@dataclass(frozen=True, slots=True)
class Degradation:
    """What a condition costs.

    Attributes:
        condition: Its name.
        accuracy: Share that is still right.
        drop: What was lost from the clean pictures' accuracy; below 0 where something was won.
        drop_interval: Low and high end of the drop's 95 % interval (bootstrap over faces, clean and spoilt together).
    """

    condition: str
    accuracy: float
    drop: float
    drop_interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "condition": self.condition,
            "accuracy": self.accuracy,
            "drop": self.drop,
            "drop_interval": list(self.drop_interval),
        }


def degradation(
    condition: Condition, *, clean: npt.NDArray[np.bool_], spoilt: npt.NDArray[np.bool_], seed: int = 0
) -> Degradation:
    """Compare the answers to the same faces.

    Args:
        condition: How the pictures were spoilt.
        clean: Whether the answer to each clean face was right, ``[n]``.
        spoilt: The same of the spoilt ones.
        seed: Of the bootstrap.
    """
    lost = clean.astype(np.float64) - spoilt
    ((low, high),) = metrics.bootstrap(len(lost), lambda chosen: np.array([lost[chosen].mean()]), seed=seed)
    return Degradation(condition.name, float(spoilt.mean()), float(lost.mean()), (float(low), float(high)))


def _brighten(crops: Crops, _: np.random.Generator, *, factor: float) -> Crops:
    return _as_grey_levels(crops.astype(np.float32) * factor)


def _add_noise(crops: Crops, generator: np.random.Generator, *, deviation: float) -> Crops:
    noise = generator.normal(0.0, deviation, crops.shape).astype(np.float32)
    return _as_grey_levels(crops + noise)


def _blur(crops: Crops, _: np.random.Generator, *, sigma: float) -> Crops:
    blurred = [cv2.GaussianBlur(crop, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for crop in crops]
    return np.stack(blurred).astype(np.uint8)


def _rotate(crops: Crops, generator: np.random.Generator, *, degrees: float) -> Crops:
    """Half of the faces to the left and half to the right."""
    signs = generator.choice((-1.0, 1.0), len(crops))
    center = ((INPUT_SIZE - 1) / 2, (INPUT_SIZE - 1) / 2)
    turned = [
        cv2.warpAffine(
            crop,
            cv2.getRotationMatrix2D(center, sign * degrees, 1.0),
            (INPUT_SIZE, INPUT_SIZE),
            borderMode=cv2.BORDER_REPLICATE,
        )
        for crop, sign in zip(crops, signs, strict=True)
    ]
    return np.stack(turned).astype(np.uint8)


def _shrink(crops: Crops, _: np.random.Generator, *, side: int) -> Crops:
    """Down to ``side`` pixels and up again, interpolated as the analyzer does."""
    small = [cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA) for crop in crops]
    return np.stack([cv2.resize(crop, (INPUT_SIZE, INPUT_SIZE)) for crop in small]).astype(np.uint8)


def _cover(crops: Crops, _: np.random.Generator, *, rows: tuple[int, int]) -> Crops:
    """Put the crop's mean grey over some rows, from side to side."""
    covered = crops.copy()
    covered[:, slice(*rows)] = _as_grey_levels(crops.mean(axis=(1, 2)))[:, None, None]
    return covered


def _stretch(crops: Crops, _: np.random.Generator, *, factor: float) -> Crops:
    mean = crops.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
    return _as_grey_levels(mean + (crops - mean) * np.float32(factor))


def _light_from_a_side(crops: Crops, generator: np.random.Generator, *, levels: float) -> Crops:
    """Half of the faces from the left and half from the right."""
    along = np.linspace(-0.5, 0.5, crops.shape[2], dtype=np.float32)
    signs = generator.choice((-1.0, 1.0), len(crops)).astype(np.float32)
    return _as_grey_levels(crops + np.float32(levels) * signs[:, None, None] * along)


def _cut(crops: Crops, generator: np.random.Generator, *, scale: float, shift: float) -> Crops:
    """The face larger or smaller in its square, and off its middle: a quarter each to the left, right, up and down."""
    middle = (INPUT_SIZE - 1) / 2
    cut = []
    for crop, (right, down) in zip(crops, _DIRECTIONS[generator.integers(0, 4, len(crops))], strict=True):
        matrix = cv2.getRotationMatrix2D((middle, middle), 0.0, scale)
        matrix[:, 2] += (shift * INPUT_SIZE * right, shift * INPUT_SIZE * down)
        cut.append(cv2.warpAffine(crop, matrix, (INPUT_SIZE, INPUT_SIZE), borderMode=cv2.BORDER_REPLICATE))
    return np.stack(cut).astype(np.uint8)


_DIRECTIONS: Final = np.array(((1, 0), (-1, 0), (0, 1), (0, -1)))


def _as_grey_levels(values: npt.NDArray[np.floating[Any]]) -> Crops:
    levels: Crops = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels


CONDITIONS: Final = (
    Condition("brightness_0.4", "brightness x 0.4", partial(_brighten, factor=0.4)),
    Condition("brightness_1.8", "brightness x 1.8, clipped at white", partial(_brighten, factor=1.8)),
    Condition("noise_15", "Gaussian noise, deviation 15 of 255", partial(_add_noise, deviation=15.0)),
    Condition("blur_1.5", "Gaussian blur, sigma 1.5 pixels of 48", partial(_blur, sigma=1.5)),
    Condition("rotation_15", "turned by 15 degrees, left or right", partial(_rotate, degrees=15.0)),
    Condition("size_24", "face of 24 x 24 pixels, enlarged", partial(_shrink, side=24)),
    Condition("contrast_0.4", "contrast x 0.4", partial(_stretch, factor=0.4)),
    Condition("contrast_2", "contrast x 2, clipped at black and white", partial(_stretch, factor=2.0)),
    Condition("side_light", "light from a side, 120 grey levels", partial(_light_from_a_side, levels=120.0)),
    Condition("lower_covered", "lower face covered (lowest 40 %: mouth and chin)", partial(_cover, rows=(29, 48))),
    Condition("upper_covered", "upper face covered (highest half: brow and eyes)", partial(_cover, rows=(0, 24))),
)
"""What is measured. Pixels are those of the network's 48 x 48 input."""

CUT_SCALES: Final = (0.8, 0.9, 1.0, 1.1, 1.2)
"""Sizes of the face in its square, where 1 is the data's own."""

CUT_SHIFTS: Final = (0.0, 0.05, 0.1)
"""How far it is off its middle, as a share of the side."""


def cut_name(scale: float, shift: float) -> str:
    """Name of the condition of ``CUTS`` that has this size and place."""
    return f"cut_{scale:g}_{shift:g}"


CUTS: Final = tuple(
    Condition(
        cut_name(scale, shift),
        f"face x {scale:g}, {shift:.0%} off its middle",
        partial(_cut, scale=scale, shift=shift),
    )
    for scale in CUT_SCALES
    for shift in CUT_SHIFTS
    if (scale, shift) != (1.0, 0.0)
)
"""Crops as others cut them: tighter, looser, off their middle."""

ALL: Final = (*CONDITIONS, *CUTS)
"""Everything that is measured, each of which looks at all faces once more."""
