"""What the shipped detector must not take for a face, and faces that are not upright."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from mien import FaceDetector
from mien_face.crop import aligned_frame

Pixels = npt.NDArray[np.uint8]

SKIN = (226, 178, 150)


def wall() -> Pixels:
    """Plaster with soft stains, and the shadow of something."""
    coarse = np.random.default_rng(3).normal(0, 14, (9, 12, 1)).astype(np.float32)
    stains = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)[..., None]
    pixels = np.clip(np.array([196, 188, 172]) + stains, 0, 255).astype(np.uint8)
    cv2.rectangle(pixels, (420, 120), (520, 480), (140, 134, 122), -1)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 2), np.uint8)


def lettering() -> Pixels:
    """A sign with words in several sizes."""
    pixels = np.full((480, 640, 3), (24, 60, 120), np.uint8)
    for row, (text, scale) in enumerate((("OPEN 8-20", 3.0), ("coffee & cake", 2.0), ("100 %", 4.0))):
        cv2.putText(pixels, text, (40, 130 + 140 * row), row, scale, (240, 236, 220), 6, cv2.LINE_AA)
    return pixels


def discs() -> Pixels:
    """Plates and badges: discs in discs, of many sizes."""
    pixels = np.full((480, 640, 3), (90, 70, 60), np.uint8)
    generator = np.random.default_rng(5)
    for radius in (110, 80, 60, 45, 30, 20):
        centre = (int(generator.integers(100, 540)), int(generator.integers(100, 380)))
        for share in (1.0, 0.8, 0.3):
            colour = tuple(int(value) for value in generator.integers(60, 256, 3))
            cv2.circle(pixels, centre, round(share * radius), colour, -1, cv2.LINE_AA)
    return pixels


def fist() -> Pixels:
    """A fist held up: four bent fingers with dark lines between them, and a thumb across."""
    pixels = np.full((480, 640, 3), (170, 176, 180), np.uint8)
    cv2.rectangle(pixels, (250, 280), (390, 480), tuple(round(0.85 * part) for part in SKIN), -1)
    for finger in range(4):
        left = 220 + 52 * finger
        cv2.rectangle(pixels, (left, 140), (left + 50, 270), (120, 84, 70), -1)
        cv2.ellipse(pixels, (left + 25, 200), (23, 66), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    cv2.ellipse(pixels, (310, 270), (100, 32), -8, 0, 360, (214, 164, 136), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.5), np.uint8)


@pytest.mark.parametrize("draw", [wall, lettering, discs, fist])
def test_what_is_drawn_without_a_face_has_none(detector: FaceDetector, draw: Callable[[], Pixels]) -> None:
    pixels = draw()

    assert detector.detect([pixels, pixels[:, ::-1].copy(), cv2.resize(pixels, (320, 240))]) == [[], [], []]


@pytest.mark.parametrize("degrees", [0, 30, -60, 90, -90, 135, -135, 180])
def test_a_turned_face_is_levelled_or_left_out(detector: FaceDetector, astronaut: Pixels, degrees: int) -> None:
    head = astronaut[0:240, 100:340]
    turn = cv2.getRotationMatrix2D((120, 120), -degrees, 1.0)  # OpenCV turns the other way
    turn[:, 2] += 60
    turned = np.asarray(cv2.warpAffine(head, turn, (360, 360), borderValue=(127, 127, 127)), np.uint8)

    (found,) = detector.detect([turned])

    assert len(found) <= 1
    assert found or abs(degrees) > 60
    for face in found:
        frame = aligned_frame(face)
        assert frame is not None
        off = (math.degrees(frame.angle) - degrees + 180) % 360 - 180
        assert abs(off) < 25
