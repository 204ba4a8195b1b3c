"""Pictures of a customer at a counter: a portrait with soft edges on a blurred scene, at a place, size and light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np

from visits.people import Pixels, Portrait

WIDTH: Final = 640
HEIGHT: Final = 480


@dataclass(frozen=True, slots=True)
class Pose:
    """Where and how a face is in one picture.

    Attributes:
        across: Of the portrait's middle, pixels.
        down: Likewise.
        side: Height of the portrait in the picture, pixels.
        tilt: Degrees.
        light: Factor on its brightness.
        blur: Standard deviation of the picture's blur, pixels.
        mouth: How far the mouth is open beyond what the portrait shows, [0, 1].
    """

    across: float
    down: float
    side: float
    tilt: float = 0.0
    light: float = 1.0
    blur: float = 0.5
    mouth: float = 0.0


class Painter:
    """Paints pictures; scenes out of focus and the camera's noise are made once."""

    def __init__(self, scenes: Sequence[Pixels], random: np.random.Generator) -> None:
        """Begin.

        Args:
            scenes: What may be behind customers; without any, walls are.
            random: Of all that is drawn.
        """
        self._random = random
        walls = [np.full((HEIGHT, WIDTH, 3), random.integers(60, 180, 3), np.uint8) for _ in range(4)]
        blurred = [cv2.resize(cv2.GaussianBlur(scene, (0, 0), 4.0), (WIDTH, HEIGHT)) for scene in scenes]
        self._behind = blurred or walls
        self._noise = random.normal(0.0, 3.0, (2 * HEIGHT, 2 * WIDTH)).astype(np.int16)

    def backdrop(self) -> Pixels:
        """What is behind one customer."""
        return self._behind[self._random.integers(len(self._behind))]

    def paint(self, behind: Pixels, portrait: Portrait, pixels: Pixels, pose: Pose) -> Pixels:
        """One picture, uint8 RGB ``[480, 640, 3]``."""
        height, width = pixels.shape[:2]
        face = _open_mouth(pixels, portrait.mouth, pose.mouth) if pose.mouth > 0.0 else pixels
        scale = pose.side / height
        side = int(pose.side * max(1.0, width / height) * 1.2)
        left, top = int(pose.across - side / 2), int(pose.down - side / 2)
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), pose.tilt, scale)
        turn[:, 2] += side / 2 - width / 2, side / 2 - height / 2
        laid = cv2.warpAffine(face, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.warpAffine(_soft_mask(height, width), turn, (side, side))
        picture = behind.copy()
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, WIDTH), min(top + side, HEIGHT)
        if x0 < x1 and y0 < y1:
            inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
            part = mask[inside][..., None]
            here = picture[y0:y1, x0:x1]
            here[:] = np.clip(here * (1.0 - part) + laid[inside] * (part * np.float32(pose.light)), 0, 255)
        at_y, at_x = self._random.integers(HEIGHT), self._random.integers(WIDTH)
        noise = self._noise[at_y : at_y + HEIGHT, at_x : at_x + WIDTH, None]
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
        return cv2.GaussianBlur(picture, (0, 0), pose.blur) if pose.blur > 0.2 else picture


def some_pose(random: np.random.Generator) -> Pose:
    """Any pose that a customer may have; for single pictures."""
    return Pose(
        across=random.uniform(220, 420),
        down=random.uniform(190, 290),
        side=random.uniform(140, 260),
        tilt=random.normal(0.0, 4.0),
        light=random.uniform(0.75, 1.2),
        blur=random.uniform(0.3, 1.0),
        mouth=random.uniform(0.0, 1.0) * (random.uniform() < 0.3),
    )


@cache
def _soft_mask(height: int, width: int) -> np.ndarray:
    """1 in the middle, falling to 0 over the outer tenth, ``[height, width]``."""
    edge_y = np.minimum(np.arange(height), np.arange(height)[::-1])[:, None] / (0.1 * height)
    edge_x = np.minimum(np.arange(width), np.arange(width)[::-1])[None, :] / (0.1 * width)
    return np.clip(np.minimum(edge_y, edge_x), 0.0, 1.0).astype(np.float32)


def _open_mouth(pixels: Pixels, mouth: tuple[float, float], wide: float) -> Pixels:
    """Stretch what is around the mouth downwards, by at most a twentieth of the height."""
    height, width = pixels.shape[:2]
    reach = 0.05 * height * wide
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    near = np.exp(-(((across - mouth[0]) / (0.2 * width)) ** 2) - ((down - mouth[1]) / (0.2 * height)) ** 2)
    below = np.clip((down - mouth[1]) / (0.1 * height), 0.0, 1.0)
    return cv2.remap(pixels, across, down - reach * near * below, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
