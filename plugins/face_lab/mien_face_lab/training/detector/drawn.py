"""Things that are no faces, drawn onto canvases: lettering, discs, fists, stained walls.

Photographs have too few of what detectors take for faces at a counter: signs and badges, plates, a hand on the till, a
wall with a stain. Nothing that is drawn here has two eyes over a mouth.
"""

from __future__ import annotations

import math
import string
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from mien_face_lab.training.detector.canvas import Canvas
from mien_face_lab.training.detector.pictures import Pixels

Point: TypeAlias = npt.NDArray[np.float64]

Generator: TypeAlias = np.random.Generator

_SMALLEST: Final = 14.0
_LETTERS: Final = string.ascii_letters + string.digits + "&%#@!?8O0Q"
_FONTS: Final = 8
"""Of OpenCV's, all of them."""
_FOLD: Final = 0.55
"""Brightness of the skin between two fingers."""


def draw_decoys(canvas: Canvas, generator: Generator) -> None:
    """Draw one to four of them where no face is."""
    side = canvas.pixels.shape[0]
    for _ in range(int(generator.integers(1, 5))):
        size = math.exp(generator.uniform(math.log(_SMALLEST), math.log(0.6 * side)))
        centre = generator.uniform(0, side, 2)
        reach = np.array([size, size]) * 0.75
        if not canvas.covers(np.concatenate([centre - reach, centre + reach]).astype(np.float32), 0.0):
            draw = (_lettering, _disc, _fist, _stain)[generator.choice(4, p=(0.35, 0.2, 0.2, 0.25))]
            draw(canvas.pixels, centre, size, generator)


def _lettering(pixels: Pixels, centre: Point, size: float, generator: Generator) -> None:
    """A few letters in one or two lines, perhaps on a plate."""
    words = ["".join(generator.choice(list(_LETTERS), int(generator.integers(1, 6)))) for _ in range(2)]
    lines = words[: int(generator.integers(1, 3))]
    font, thick = int(generator.integers(_FONTS)), max(1, round(size * generator.uniform(0.02, 0.12)))
    (width, height), _ = cv2.getTextSize(max(lines, key=len), font, 1.0, 1)
    scale = size / max(width, len(lines) * height)
    left, top = centre - size / 2
    if generator.random() < 0.5:
        low, high = _point(centre - 0.6 * size), _point(centre + 0.6 * size)
        cv2.rectangle(pixels, low, high, _colour(generator), -1, cv2.LINE_AA)
    for row, line in enumerate(lines):
        place = _point(np.array([left, top + (row + 1) * height * scale * 1.15]))
        cv2.putText(pixels, line, place, font, scale, _colour(generator), thick, cv2.LINE_AA)


def _disc(pixels: Pixels, centre: Point, size: float, generator: Generator) -> None:
    """Discs and rings in each other: a badge, a clock, a plate, a lamp."""
    stretch, angle = generator.uniform(0.75, 1.3), float(generator.uniform(0, 180))
    radius = size / 2
    for _ in range(int(generator.integers(1, 5))):
        axes = (max(1, round(radius)), max(1, round(radius * stretch)))
        thick = -1 if generator.random() < 0.6 else max(1, round(radius * 0.12))
        cv2.ellipse(pixels, _point(centre), axes, angle, 0, 360, _colour(generator), thick, cv2.LINE_AA)
        radius *= generator.uniform(0.45, 0.9)
    if generator.random() < 0.4:
        for _ in range(int(generator.integers(1, 4))):
            turn = generator.uniform(0, 2 * math.pi)
            tip = centre + size / 2 * generator.uniform(0.4, 0.9) * np.array([math.cos(turn), math.sin(turn)])
            cv2.line(pixels, _point(centre), _point(tip), _colour(generator), max(1, round(size * 0.05)), cv2.LINE_AA)


def _fist(pixels: Pixels, centre: Point, size: float, generator: Generator) -> None:
    """Four bent fingers side by side, a thumb across them, and the back of the hand."""
    shade = generator.uniform(0.3, 1.05)
    skin = np.minimum(np.array([232, 185, 158]) * shade * generator.uniform(0.9, 1.1, 3), 255)
    turn = generator.uniform(-math.pi, math.pi)
    along, across = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    thick = max(2, round(0.24 * size))
    cv2.circle(
        pixels, _point(centre + 0.3 * size * across), max(2, round(0.5 * size)), _tone(skin, 0.85), -1, cv2.LINE_AA
    )
    for finger in range(4):
        base = centre + (finger - 1.5) * 0.24 * size * along
        start, end = (_point(base + reach * size * across) for reach in (-0.3, 0.25))
        cv2.line(pixels, start, end, _tone(skin, _FOLD), thick, cv2.LINE_AA)
        cv2.line(pixels, start, end, _tone(skin, generator.uniform(0.9, 1.05)), max(1, round(0.8 * thick)), cv2.LINE_AA)
    start, end = (_point(centre + 0.18 * size * across + reach * size * along) for reach in (-0.45, 0.25))
    cv2.line(pixels, start, end, _tone(skin, _FOLD), thick, cv2.LINE_AA)
    cv2.line(pixels, start, end, _tone(skin, 0.98), max(1, round(0.8 * thick)), cv2.LINE_AA)


def _stain(pixels: Pixels, centre: Point, size: float, generator: Generator) -> None:
    """A soft patch of a few uneven blots: a wall, cloth, bark."""
    side = max(8, round(1.3 * size))
    left, top = (round(float(value)) for value in centre - side / 2)
    low_x, low_y = max(0, left), max(0, top)
    high_x, high_y = min(pixels.shape[1], left + side), min(pixels.shape[0], top + side)
    if high_x - low_x < 4 or high_y - low_y < 4:
        return
    coarse = int(generator.integers(2, 8))
    shape = (coarse, coarse, 3 if generator.random() < 0.3 else 1)
    blots = generator.normal(0, 1, shape).astype(np.float32) * generator.uniform(5, 45)
    blots = np.broadcast_to(blots, (coarse, coarse, 3)) + np.array(_colour(generator), np.float32)
    patch = cv2.resize(np.ascontiguousarray(blots), (side, side), interpolation=cv2.INTER_CUBIC)
    grid = np.abs(np.linspace(-1, 1, side, dtype=np.float32)) ** 4
    opacity = np.clip((1 - np.sqrt(grid[None] + grid[:, None])) / generator.uniform(0.1, 0.6), 0, 1)[..., None]
    inside = (slice(low_y - top, high_y - top), slice(low_x - left, high_x - left))
    region = pixels[low_y:high_y, low_x:high_x]
    mixed = opacity[inside] * patch[inside] + (1 - opacity[inside]) * region
    region[:] = np.clip(mixed, 0, 255).astype(np.uint8)


def _point(place: Point) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))


def _tone(colour: Point, gain: float) -> tuple[int, int, int]:
    red, green, blue = np.clip(colour * gain, 0, 255).astype(int).tolist()
    return red, green, blue


def _colour(generator: Generator) -> tuple[int, int, int]:
    """Any, grey or of skin."""
    draw = generator.random()
    if draw < 0.4:
        red, green, blue = generator.integers(0, 256, 3).tolist()
    elif draw < 0.75:
        red = green = blue = int(generator.integers(0, 256))
    else:
        return _tone(np.array([232, 185, 158]), generator.uniform(0.25, 1.08))
    return red, green, blue
