"""Crops are square, whole and grey; quality falls with what makes a face hard to read."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from mien import Box, Detection
from mien_face.crop import CROP_SIDE, crop_box, crop_face
from mien_face.quality import Quality, assess
from mien_face.settings import QualitySettings

Pixels = npt.NDArray[np.uint8]
Points = tuple[tuple[float, float], ...]
FACE = Box(170, 70, 110, 110)
LANDMARKS: Points = ((205.0, 110.0), (247.0, 108.0), (229.0, 135.0), (208.0, 152.0), (246.0, 150.0))


def judged(pixels: Pixels, box: Box = FACE) -> Quality:
    height, width = pixels.shape[:2]
    return assess(crop_box(pixels, box, margin=0.12), box, width=width, height=height, settings=QualitySettings())


def test_a_crop_keeps_grey_levels_and_place() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, 50:] = 200
    crop = crop_box(pixels, Box(20, 20, 60, 60), margin=0.0)
    assert crop.shape == (CROP_SIDE, CROP_SIDE)
    assert crop.dtype == np.uint8
    assert (crop[:, :24] == 0).all()
    assert (crop[:, 24:] == 200).all()


def test_a_margin_takes_in_the_surroundings() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[30:70, 30:70] = 255
    assert crop_box(pixels, Box(30, 30, 40, 40), margin=0.0).min() == 255
    assert crop_box(pixels, Box(30, 30, 40, 40), margin=0.5).mean() == pytest.approx(255 / 4, abs=2)


def test_a_tall_box_is_widened_not_squeezed() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, 40:60] = 255
    crop = crop_box(pixels, Box(40, 20, 20, 60), margin=0.0)
    assert crop[24].astype(bool).sum() == pytest.approx(CROP_SIDE / 3, abs=2)


def turned(pixels: Pixels, points: Points, degrees: float) -> tuple[Pixels, Detection]:
    """A picture and a face's landmarks in it, turned about the picture's centre; the box is the landmarks', widened."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    moved = (np.array(points) - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    low, high = moved.min(axis=0) - 30, moved.max(axis=0) + 30
    box = Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    picture = cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picture, np.uint8), Detection(box, 0.9, tuple((float(x), float(y)) for x, y in moved))


@pytest.mark.parametrize("degrees", [-60.0, -30.0, 15.0, 30.0, 90.0])
def test_an_aligned_crop_of_a_tilted_head_is_as_that_of_an_upright_one(astronaut: Pixels, degrees: float) -> None:
    upright = crop_face(*turned(astronaut, LANDMARKS, 0.0), margin=0.0).astype(float)
    tilted = crop_face(*turned(astronaut, LANDMARKS, degrees), margin=0.0).astype(float)
    assert np.corrcoef(upright.ravel(), tilted.ravel())[0, 1] > 0.98
    assert np.abs(upright - tilted).mean() < 6.0


def test_an_aligned_crop_has_level_eyes_where_they_belong(astronaut: Pixels) -> None:
    pixels = np.zeros_like(astronaut)
    points = ((200.0, 100.0), (240.0, 120.0), (212.0, 135.0), (185.0, 140.0), (215.0, 155.0))
    for number in (0, 1):
        cv2.circle(pixels, tuple(round(part) for part in points[number]), 4, (255, 255, 255), -1)
    crop = crop_face(pixels, Detection(Box(160, 70, 110, 110), 0.9, points), margin=0.0).astype(float)
    columns, rows = np.meshgrid(np.arange(CROP_SIDE), np.arange(CROP_SIDE))
    halves = [crop * (columns < CROP_SIDE / 2), crop * (columns >= CROP_SIDE / 2)]
    (left, left_height), (right, right_height) = (
        ((half * columns).sum() / half.sum(), (half * rows).sum() / half.sum()) for half in halves
    )
    assert left_height == pytest.approx(right_height, abs=0.6)
    assert left + right == pytest.approx(CROP_SIDE - 1, abs=3.0)
    assert left_height < CROP_SIDE / 2


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((225.0, 125.0),) * 5,
        ((0.0, 0.0), (500.0, 0.0), (250.0, 250.0), (0.0, 500.0), (500.0, 500.0)),
        ((225.0, 125.0), (226.0, 125.0), (225.0, 126.0), (225.0, 127.0), (226.0, 127.0)),
    ],
)
def test_landmarks_that_do_not_fit_the_box_are_not_followed(astronaut: Pixels, points: Points) -> None:
    by_box = crop_box(astronaut, FACE, margin=0.1)
    assert (crop_face(astronaut, Detection(FACE, 0.9, points), margin=0.1) == by_box).all()


@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
def test_aligned_crops_of_any_size_repeat_the_border(scale: float) -> None:
    points = tuple(
        (x * scale, y * scale) for x, y in ((1.0, 1.0), (21.0, 6.0), (9.0, 12.0), (-4.0, 21.0), (16.0, 26.0))
    )
    face = Detection(Box(-15 * scale, -15 * scale, 50 * scale, 50 * scale), 0.9, points)
    crop = crop_face(np.full((40, 30, 3), 77, np.uint8), face, margin=0.0)
    assert crop.shape == (CROP_SIDE, CROP_SIDE)
    assert (crop == 77).all()


@pytest.mark.parametrize(
    "box",
    [Box(-30, -30, 60, 60), Box(80, 80, 60, 60), Box(0, 0, 1, 1), Box(99.6, 99.6, 0.3, 0.3), Box(-50, 40, 300, 20)],
)
def test_beyond_the_border_the_border_is_repeated(box: Box) -> None:
    crop = crop_box(np.full((100, 100, 3), 77, np.uint8), box, margin=0.3)
    assert crop.shape == (CROP_SIDE, CROP_SIDE)
    assert (crop == 77).all()


def test_a_clear_face_is_good(astronaut: Pixels) -> None:
    quality = judged(astronaut)
    assert quality.value > 0.9
    assert quality.issues == ()


def test_each_fault_is_named_and_lowers_the_quality(astronaut: Pixels) -> None:
    level = astronaut.astype(np.float32)
    faults = {
        "blurred": cv2.GaussianBlur(astronaut, (0, 0), 6.0),
        "dark": (level * 0.12).astype(np.uint8),
        "bright": (255 - (255 - level) * 0.15).astype(np.uint8),
        "flat": (level * 0.08 + 110).astype(np.uint8),
    }
    good = judged(astronaut).value
    for issue, pixels in faults.items():
        quality = judged(pixels)
        assert issue in quality.issues
        assert 0.0 < quality.value < 0.8 * good, issue


def test_a_small_face_is_called_small(astronaut: Pixels) -> None:
    quality = judged(cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA), Box(42, 17, 28, 28))
    assert "small" in quality.issues
    assert quality.value < 0.75


def test_a_face_cut_by_the_border_is_called_cut_off(astronaut: Pixels) -> None:
    quality = judged(np.ascontiguousarray(astronaut[:, 220:]), Box(-50, 70, 110, 110))
    assert "cut_off" in quality.issues
    assert quality.value < 0.75


def test_the_same_face_in_weaker_light_is_as_sharp(astronaut: Pixels) -> None:
    weak = (astronaut.astype(np.float32) * 0.5 + 20).astype(np.uint8)
    assert judged(weak).value == pytest.approx(judged(astronaut).value, abs=0.05)


def test_quality_falls_steadily_with_blur(astronaut: Pixels) -> None:
    values = [judged(cv2.GaussianBlur(astronaut, (0, 0), sigma)).value for sigma in (0.5, 2.0, 4.0, 6.0, 9.0)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.7 * values[0]


def test_nothing_at_all_has_low_quality_and_no_nan() -> None:
    for grey in (0, 128, 255):
        value = judged(np.full((480, 640, 3), grey, np.uint8)).value
        assert 0.0 <= value < 0.3
