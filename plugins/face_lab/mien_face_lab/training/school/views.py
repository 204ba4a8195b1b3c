"""Random changes of faces as batched tensor operations, on whatever device they are: a face is never copied to a CPU.

There are two kinds. A *view* is the face as another camera and another crop would have it: size, place, angle, light.
Teachers are asked about views, and students learn what they say of the very same ones ("consistent teaching", Beyer et
al. 2022). What *spoils* a face, and its mirror image, come on top for the student alone: it is to answer as the
teachers do where it sees less than they.

Shapes: n faces, s their height and width. Grey levels are 0 to 255.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as functional

from mien_face.preprocess import MIN_CONTRAST

_LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """How far a view may be from the face as it is.

    Attributes:
        scale: Largest change of size, as the logarithm of a factor.
        shift: Largest shift, as a share of the side.
        rotation: Largest turn, degrees.
        contrast: Largest change of contrast and of gamma, as the logarithm of a factor.
        brightness: Largest change of brightness, grey levels.
        gradient: Largest darkening or brightening from one side of the face to the other, grey levels.
        mild: Share of the faces that are changed by a third of all that.
    """

    scale: float = 0.22
    shift: float = 0.11
    rotation: float = 15.0
    contrast: float = 0.4
    brightness: float = 50.0
    gradient: float = 60.0
    mild: float = 0.5


@dataclass(frozen=True, slots=True)
class Spoiling:
    """How often faces are spoilt, as probabilities.

    Attributes:
        erase: A rectangle is filled with the crop's mean grey.
        cover: The upper or lower part is covered.
        blur: The face is blurred.
        coarse: It is reduced and enlarged again.
        noise: It is noisy.
    """

    erase: float = 0.25
    cover: float = 0.05
    blur: float = 0.08
    coarse: float = 0.08
    noise: float = 0.15

    def scaled(self, factor: float) -> Spoiling:
        """The same, that much more or less often."""
        return Spoiling(*(min(1.0, factor * getattr(self, name)) for name in self.__slots__))


class Chance:
    """Random numbers for n faces, from a generator of their device.

    Args:
        count: How many faces.
        generator: On the device of the faces.
    """

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self._count = count
        self._generator = generator

    def uniform(self, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """[n, 1, 1, 1] within [low, high)."""
        shape = (self._count, 1, 1, 1)
        drawn = torch.rand(shape, generator=self._generator, device=self._generator.device)
        return low + (high - low) * drawn

    def happens(self, probability: float) -> torch.Tensor:
        """Bool, [n, 1, 1, 1]."""
        return self.uniform() < probability

    def normal(self, side: int) -> torch.Tensor:
        """[n, 1, s, s]."""
        shape = (self._count, 1, side, side)
        return torch.randn(shape, generator=self._generator, device=self._generator.device)


def view(faces: torch.Tensor, settings: ViewSettings, generator: torch.Generator) -> torch.Tensor:
    """Each face as seen otherwise.

    Args:
        faces: Grey levels, float ``[n, 1, s, s]``.
        settings: How far.
        generator: The same state gives the same views, on the same device.

    Returns:
        Grey levels, float ``[n, 1, s, s]``.
    """
    chance = Chance(len(faces), generator)
    reach = torch.where(chance.happens(settings.mild), 1 / 3, 1.0)
    size = torch.exp(reach * chance.uniform(-settings.scale, settings.scale))
    angle = reach * chance.uniform(-settings.rotation, settings.rotation) * (math.pi / 180)
    right, down = (reach * chance.uniform(-settings.shift, settings.shift) * 2 for _ in range(2))
    cosine, sine = torch.cos(angle) / size, torch.sin(angle) / size
    rows = torch.cat([cosine, -sine, right, sine, cosine, down], dim=3).reshape(-1, 2, 3)
    grid = functional.affine_grid(rows, list(faces.shape), align_corners=False)
    turned = functional.grid_sample(faces, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return _lit(turned, settings, chance, reach)


def _lit(faces: torch.Tensor, settings: ViewSettings, chance: Chance, reach: torch.Tensor) -> torch.Tensor:
    """In other light, and clipped as a camera does."""
    gamma = torch.exp(reach * chance.uniform(-settings.contrast, settings.contrast))
    lit: torch.Tensor = 255 * (faces / 255).clamp(_LEAST, 1) ** gamma
    mean = lit.mean((2, 3), keepdim=True)
    lit = mean + (lit - mean) * torch.exp(reach * chance.uniform(-settings.contrast, settings.contrast))
    lit = lit + reach * chance.uniform(-settings.brightness, settings.brightness)
    along = torch.linspace(-0.5, 0.5, faces.shape[-1], device=faces.device)
    across, down = (reach * chance.uniform(-settings.gradient, settings.gradient) for _ in range(2))
    return (lit + across * along + down * along[:, None]).clamp(0, 255)


def spoil(faces: torch.Tensor, settings: Spoiling, generator: torch.Generator) -> torch.Tensor:
    """Half of the faces mirrored, and some covered, blurred, coarse or noisy; the same shape."""
    chance = Chance(len(faces), generator)
    faces = torch.where(chance.happens(0.5), faces.flip(3), faces)
    faces = torch.where(chance.happens(settings.blur), _blurred(faces, chance.uniform(0.5, 1.8)), faces)
    faces = torch.where(chance.happens(settings.coarse), _coarse(faces), faces)
    noisy = faces + chance.normal(faces.shape[-1]) * chance.uniform(3, 18)
    faces = torch.where(chance.happens(settings.noise), noisy.clamp(0, 255), faces)
    return _hidden(faces, settings, chance)


def standardise(faces: torch.Tensor) -> torch.Tensor:
    """Mean 0 and deviation 1, as ``mien_face.preprocess`` does it: [n, 1, s, s]."""
    deviation, mean = torch.std_mean(faces, (2, 3), correction=0, keepdim=True)
    return (faces - mean) / deviation.clamp(min=MIN_CONTRAST)


def _blurred(faces: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """By a Gaussian of its own for each face, cut off at 4 pixels."""
    away = torch.arange(-4, 5, device=faces.device, dtype=faces.dtype)
    kernel = torch.exp(-(away**2) / (2 * sigma.reshape(-1, 1) ** 2))
    kernel = kernel / kernel.sum(1, keepdim=True)
    padded = functional.pad(faces, (4, 4, 4, 4), mode="replicate").transpose(0, 1)
    along = functional.conv2d(padded, kernel[:, None, None, :], groups=len(faces))
    return functional.conv2d(along, kernel[:, None, :, None], groups=len(faces)).transpose(0, 1)


def _coarse(faces: torch.Tensor) -> torch.Tensor:
    """As from a distance: half the pixels, enlarged again."""
    small = functional.avg_pool2d(faces, 2)
    return functional.interpolate(small, size=list(faces.shape[2:]), mode="bilinear", align_corners=False)


def _hidden(faces: torch.Tensor, settings: Spoiling, chance: Chance) -> torch.Tensor:
    """A rectangle erased, or the upper or lower part covered; never both."""
    side = faces.shape[-1]
    draw, mean = chance.uniform(), faces.mean((2, 3), keepdim=True)
    at = torch.arange(side, device=faces.device)
    height, width = (chance.uniform(side / 8, side / 2.6) for _ in range(2))
    top, left = chance.uniform() * (side - height), chance.uniform() * (side - width)
    rows, columns = at[:, None].expand(side, side), at.expand(side, side)
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    faces = torch.where(inside & (draw < settings.erase), mean, faces)
    reach = chance.uniform(0.3, 0.5) * side
    covered = torch.where(chance.happens(0.5), rows < reach, rows >= side - reach)
    hit = (draw >= settings.erase) & (draw < settings.erase + settings.cover)
    return torch.where(covered & hit, chance.uniform(0, 255), faces)
