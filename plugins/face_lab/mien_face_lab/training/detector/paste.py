"""Pasting a portrait, or a piece of a scene that is no face, into a canvas without a border that gives it away."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien_face_lab.training.detector.canvas import Canvas, Matrix, moved
from mien_face_lab.training.detector.pictures import Floats, Picture, Pixels

_MASK_SIDE: Final = 48


def paste_face(
    canvas: Canvas, portrait: Picture, matrix: Matrix, generator: np.random.Generator, *, mirror: bool
) -> bool:
    """Paste a portrait's face; its box and landmarks are noted.

    Returns:
        Whether any of it is on the canvas.
    """
    box = portrait.boxes[0]
    pixels = portrait.pixels()
    if generator.random() < 0.7 and _is_grey(pixels):
        pixels = _tinted(pixels, generator)
    mask = face_mask(pixels.shape[0], pixels.shape[1], box, generator)
    if not _blend(canvas.pixels, pixels, mask, matrix, generator):
        return False
    canvas.add(*moved(box, portrait.landmarks[0], matrix, mirror=mirror))
    return True


def paste_decoy(canvas: Canvas, scene: Picture, box: Floats, matrix: Matrix, generator: np.random.Generator) -> None:
    """Paste a piece of a face-free picture just as a face would be, so that blending gives nothing away."""
    pixels = scene.pixels()
    _blend(canvas.pixels, pixels, face_mask(pixels.shape[0], pixels.shape[1], box, generator), matrix, generator)


def face_mask(height: int, width: int, box: Floats, generator: np.random.Generator) -> npt.NDArray[np.float32]:
    """Opacity of a picture's pixels, [height, width]: a blurred super-ellipse around a box, 0 at the border."""
    centre, halves = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    halves = halves * generator.uniform(0.98, 1.25, 2)
    roundness = generator.uniform(2, 6)
    x = (np.arange(_MASK_SIDE) + 0.5) * (width / _MASK_SIDE)
    y = (np.arange(_MASK_SIDE) + 0.5) * (height / _MASK_SIDE)
    across = np.abs((x - centre[0]) / halves[0]) ** roundness
    down = np.abs((y - centre[1]) / halves[1]) ** roundness
    distance = (across[None, :] + down[:, None]) ** (1 / roundness)  # 1 on the border of the super-ellipse
    softness = generator.uniform(0.06, 0.3)
    inside = np.clip((1 - distance) / softness + 0.5, 0, 1)
    margin = generator.uniform(0.01, 0.08)
    edge_x = np.clip(np.minimum(x, width - x) / (margin * width), 0, 1)
    edge_y = np.clip(np.minimum(y, height - y) / (margin * height), 0, 1)
    mask = (inside * edge_x[None, :] * edge_y[:, None]).astype(np.float32)
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _blend(
    target: Pixels, source: Pixels, mask: npt.NDArray[np.float32], matrix: Matrix, generator: np.random.Generator
) -> bool:
    """Lay a picture over another through a mask, its colours brought nearer; touch only what it covers."""
    height, width = target.shape[:2]
    corners = np.array([[0, 0], [source.shape[1], 0], [0, source.shape[0]], [source.shape[1], source.shape[0]]])
    reached = corners @ matrix[:, :2].T + matrix[:, 2]
    left, top = (max(0, int(value)) for value in reached.min(0))
    right, bottom = int(min(width, reached[:, 0].max() + 1)), int(min(height, reached[:, 1].max() + 1))
    if right - left < 2 or bottom - top < 2:
        return False
    while abs(np.linalg.det(matrix[:, :2])) < 0.3 and min(source.shape[:2]) >= 8:
        source = np.asarray(cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        mask = np.asarray(cv2.resize(mask, source.shape[1::-1], interpolation=cv2.INTER_AREA), np.float32)
        matrix = matrix @ np.diag([2.0, 2.0, 1.0])
    shifted = matrix - np.array([[0, 0, left], [0, 0, top]])
    size = (right - left, bottom - top)
    warped = cv2.warpAffine(source, shifted, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    laid = np.asarray(warped, np.uint8)
    opacity = np.asarray(cv2.warpAffine(mask, shifted, size, flags=cv2.INTER_LINEAR), np.float32)
    region = np.ascontiguousarray(target[top:bottom, left:right])
    gain = _matching_gain(laid, region, generator)
    matched = cv2.multiply(laid, np.append(gain, 1.0).astype(np.float64))  # saturates
    target[top:bottom, left:right] = cv2.blendLinear(matched, region, opacity, 1 - opacity)
    return True


def _matching_gain(laid: Pixels, region: Pixels, generator: np.random.Generator) -> npt.NDArray[np.float32]:
    """Factors of the colours that bring one picture's brightness and tint part of the way to another's."""
    own, other = (np.array(cv2.mean(pixels)[:3]) + 8 for pixels in (laid, region))
    strength = generator.uniform(0, 0.7) if generator.random() < 0.7 else 0.0
    gain = np.clip(other / own, 0.4, 2.0) ** strength
    return np.asarray(gain * generator.uniform(0.85, 1.15), np.float32)


def _is_grey(pixels: Pixels) -> bool:
    row = pixels[pixels.shape[0] // 2].astype(np.int16)
    return bool(np.abs(row[:, 0] - row[:, 2]).mean() < 3)


def _tinted(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """A grey face in a colour that skin has, under lights of several colours."""
    gain = np.array([generator.uniform(1.05, 1.35), generator.uniform(0.88, 1.02), generator.uniform(0.6, 0.95)])
    levels = np.arange(256)[:, None] / 255  # bright parts lose their colour, as in photographs
    table = 255 * np.clip(levels * (gain + (1 - gain) * levels**2), 0, 1)
    return np.asarray(cv2.LUT(pixels, table[None].astype(np.uint8)), np.uint8)
