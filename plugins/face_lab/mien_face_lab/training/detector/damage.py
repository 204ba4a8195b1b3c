"""What happens to pictures before a detector sees them: light, lenses, sensors, compression, things before faces."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien_face_lab.training.detector.canvas import Canvas
from mien_face_lab.training.detector.pictures import Floats, Pixels

_NOISE_SIDE: Final = 640
_GREY: Final = (0.299, 0.587, 0.114)


def occlude(canvas: Canvas, generator: np.random.Generator, *, share: float = 0.18) -> None:
    """Draw a mask, glasses, a hand or a bar over some of the faces."""
    for box, landmarks in zip(canvas.boxes, canvas.landmarks, strict=True):
        if generator.random() < share and box[2] - box[0] >= 20:
            draw = (_mask, _glasses, _hand, _bar)[generator.choice(4, p=(0.35, 0.35, 0.2, 0.1))]
            draw(canvas.pixels, box, landmarks, generator)


def damage(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Change light and colours, and make the picture worse, each with its own probability."""
    chance = generator.random
    if chance() < 0.9:
        pixels = _tones(pixels, generator)
    if chance() < 0.15:
        pixels = _unlit_side(pixels, generator)
    if chance() < 0.15:
        grey = pixels @ np.array(_GREY, np.float32)
        pixels = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    if chance() < 0.3:
        pixels = _coarser(pixels, generator)
    if chance() < 0.2:
        pixels = _blurred(pixels, generator)
    if chance() < 0.3:
        pixels = _noisy(pixels, generator)
    if chance() < 0.3:
        _, code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(12, 85))])
        pixels = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return pixels


def _tones(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Brightness, contrast, gamma and the light's colour through one table; sometimes very dark or over-exposed."""
    levels = np.arange(256, dtype=np.float32)[:, None] / 255
    kind = generator.random()
    if kind < 0.08:  # dark
        gain, gamma = generator.uniform(0.12, 0.45), generator.uniform(1.0, 1.5)
    elif kind < 0.16:  # over-exposed
        gain, gamma = generator.uniform(1.4, 2.6), generator.uniform(0.6, 1.0)
    else:
        gain, gamma = generator.uniform(0.7, 1.3), float(np.exp(generator.uniform(-0.35, 0.35)))
    tint = generator.uniform(0.85, 1.15, 3) if generator.random() < 0.4 else np.ones(3)
    table = gain * levels**gamma * tint + generator.uniform(-0.08, 0.08)
    return np.asarray(cv2.LUT(pixels, (255 * np.clip(table, 0, 1))[None].astype(np.uint8)), np.uint8)


def _unlit_side(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Light that falls off from one side to the other."""
    height, width = pixels.shape[:2]
    corners = generator.uniform(0.3, 1.3, (2, 2)).astype(np.float32)
    light = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    return np.asarray(np.minimum(pixels * light, 255), np.uint8)


def _coarser(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Fewer pixels, brought back to the old size."""
    factor = generator.uniform(0.4, 0.8)
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _blurred(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Out of focus, or moved."""
    if generator.random() < 0.6:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), generator.uniform(0.5, 1.6)), np.uint8)
    side = int(generator.integers(3, 8))
    kernel = np.zeros((side, side), np.float32)
    angle = generator.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (side - 1) / 2
    middle = (side - 1) / 2
    start, end = (np.round(middle + sign * reach).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)


def _noisy(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    bank = _noise_bank()
    height, width = pixels.shape[:2]
    top, left = (int(value) for value in generator.integers(0, (_NOISE_SIDE - height, _NOISE_SIDE - width)))
    noise = bank[top : top + height, left : left + width]
    if generator.random() < 0.5:
        noise = noise[..., :1]
    return np.clip(pixels + np.float32(generator.uniform(2, 18)) * noise, 0, 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _noise_bank() -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((_NOISE_SIDE, _NOISE_SIDE, 3), np.float32)


def _colour(generator: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = generator.integers(0, 256, 3).tolist()
    if generator.random() < 0.5:  # white, light blue, black: what masks and frames are
        red, green, blue = ((235, 235, 235), (150, 190, 225), (25, 25, 28))[int(generator.integers(3))]
    return red, green, blue


def _mask(pixels: Pixels, box: Floats, landmarks: Floats, generator: np.random.Generator) -> None:
    """A face mask: from the nose to below the chin, from cheek to cheek, along the face's own axes."""
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    down, across = mouth - eyes, left_eye - right_eye
    bridge = eyes + down * generator.uniform(0.25, 0.55)
    bridge = bridge + (nose - eyes) @ across / max(float(across @ across), 1e-6) * across * 0.5
    chin = mouth + down * generator.uniform(0.5, 0.75)
    points = [
        bridge,
        eyes + 0.45 * down + 0.85 * across,
        mouth + 0.2 * down + 0.75 * across,
        chin + 0.3 * across,
        chin - 0.3 * across,
        mouth + 0.2 * down - 0.75 * across,
        eyes + 0.45 * down - 0.85 * across,
    ]
    shape = np.round(points).astype(np.int32)
    cv2.fillPoly(pixels, [shape], _colour(generator), cv2.LINE_AA)
    if generator.random() < 0.5:
        cv2.polylines(pixels, [shape[:4]], isClosed=False, color=_colour(generator), lineType=cv2.LINE_AA)


def _glasses(pixels: Pixels, box: Floats, landmarks: Floats, generator: np.random.Generator) -> None:
    across = landmarks[1] - landmarks[0]
    distance = float(np.hypot(*across))
    colour, thick = _colour(generator), max(1, round(distance * generator.uniform(0.03, 0.1)))
    if generator.random() < 0.4:
        thick = -1  # sunglasses
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    axes = (round(distance * generator.uniform(0.3, 0.42)), round(distance * generator.uniform(0.2, 0.36)))
    for eye in landmarks[:2]:
        centre = (round(float(eye[0])), round(float(eye[1])))
        cv2.ellipse(pixels, centre, (max(axes[0], 1), max(axes[1], 1)), angle, 0, 360, colour, thick, cv2.LINE_AA)
    ends = np.round([landmarks[0] + 0.3 * across, landmarks[0] + 0.7 * across]).astype(int).tolist()
    cv2.line(pixels, ends[0], ends[1], colour, max(1, abs(thick)), cv2.LINE_AA)


def _hand(pixels: Pixels, box: Floats, landmarks: Floats, generator: np.random.Generator) -> None:
    """Fingers: rounded strokes of skin from outside over a lower corner of the face."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    shade = generator.uniform(0.35, 1.0)
    skin = (int(235 * shade), int(180 * shade), int(150 * shade))
    left = generator.random() < 0.5
    start_x = float(box[0] if left else box[2])
    for finger in range(int(generator.integers(2, 5))):
        y = float(box[1]) + height * (0.55 + 0.14 * finger + generator.uniform(-0.02, 0.02))
        reach = width * generator.uniform(0.25, 0.5)
        start = (round(start_x), round(y + height * 0.15))
        end = (round(start_x + (reach if left else -reach)), round(y))
        tone = tuple(int(value * generator.uniform(0.9, 1.0)) for value in skin)
        cv2.line(pixels, start, end, tone, max(2, round(height * 0.11)), cv2.LINE_AA)


def _bar(pixels: Pixels, box: Floats, landmarks: Floats, generator: np.random.Generator) -> None:
    """Something straight before the face: a third of it at most."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    if generator.random() < 0.5:
        left = box[0] + generator.uniform(-0.1, 0.9) * width
        corners = (left, box[1] - 0.2 * height, left + generator.uniform(0.08, 0.3) * width, box[3] + 0.2 * height)
    else:
        top = box[1] + generator.uniform(0.6, 0.95) * height
        corners = (box[0] - 0.2 * width, top, box[2] + 0.2 * width, top + generator.uniform(0.1, 0.3) * height)
    left, top, right, bottom = (round(float(value)) for value in corners)
    cv2.rectangle(pixels, (left, top), (right, bottom), _colour(generator), -1)
