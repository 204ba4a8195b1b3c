"""From pictures to crops, and copies of training data."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from mien import Box, InputError
from mien_face.training.faces import FaceData
from mien_face.training.prepare import (
    Crop,
    Equalise,
    NoFaceError,
    Preparation,
    equalised,
    extend,
    level_eyes,
    prepare_crops,
    prepare_picture,
)

FACE = Box(160.0, 60.0, 130.0, 130.0)
"""Of the astronaut, about."""


def made_up(labels: tuple[int, ...] = (3, 3, 3, 4)) -> FaceData:
    count = len(labels)
    crops = np.random.default_rng(0).integers(0, 256, (count, 48, 48)).astype(np.uint8)
    return FaceData(crops, np.array(labels), np.ones((count, 10), np.float32))


def grey(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def test_the_largest_face_is_cut_out(astronaut: npt.NDArray[np.uint8]) -> None:
    picture = grey(astronaut)

    crop = prepare_picture(picture, Preparation(), crop=Crop.HAAR)

    side = round(FACE.width * 1.2)
    about = picture[50 : 50 + side, 150 : 150 + side]
    small = np.asarray(cv2.resize(about, (48, 48), interpolation=cv2.INTER_AREA))
    assert crop.shape == (48, 48)
    assert np.corrcoef(crop.ravel(), small.ravel())[0, 1] > 0.4


def test_a_picture_without_a_face_is_no_crop() -> None:
    with pytest.raises(NoFaceError):
        prepare_picture(np.full((100, 120), 90, np.uint8), Preparation(), crop=Crop.HAAR)


def test_a_whole_picture_keeps_its_middle() -> None:
    picture = np.zeros((60, 100), np.uint8)
    picture[:, 20:80] = 200

    assert (prepare_picture(picture, Preparation(), crop=Crop.WHOLE) == 200).all()


def test_crops_without_preparation_stay_as_they_are() -> None:
    data = made_up()

    assert prepare_crops(data, Preparation(), source="test") is data
    np.testing.assert_array_equal(prepare_picture(data.crops[0], Preparation(), crop=Crop.WHOLE), data.crops[0])


def test_crops_whose_face_is_not_found_again_are_listed(astronaut: npt.NDArray[np.uint8]) -> None:
    face = prepare_picture(grey(astronaut), Preparation(), crop=Crop.HAAR)
    data = FaceData(np.stack([np.full((48, 48), 90, np.uint8), face]), np.array([3, 4]), np.zeros((2, 10), np.float32))

    kept = prepare_crops(data, Preparation(crop=Crop.HAAR), source="some.csv")

    assert kept.labels.tolist() == [4]
    assert [(each.where, each.why) for each in kept.skipped] == [
        ("some.csv, face 0", "the Haar cascade finds no face in it")
    ]
    with pytest.raises(InputError, match="finds no face in any of the 1 pictures"):
        prepare_crops(data.head(1), Preparation(crop=Crop.HAAR), source="some.csv")


def test_eyes_are_made_level(astronaut: npt.NDArray[np.uint8]) -> None:
    picture = grey(astronaut)
    centre = (FACE.x + FACE.width / 2, FACE.y + FACE.height / 2)

    def turned(angle: float) -> npt.NDArray[np.uint8]:
        matrix = cv2.getRotationMatrix2D(centre, angle, 1.0)
        return np.asarray(cv2.warpAffine(picture, matrix, (512, 512)), np.uint8)

    def face(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        return image[80:170, 180:270].astype(np.float64).ravel()

    tilted = turned(15)
    upright = level_eyes(picture, FACE)
    levelled = level_eyes(tilted, FACE)

    before = np.corrcoef(face(tilted), face(upright))[0, 1]
    after = np.corrcoef(face(levelled), face(upright))[0, 1]
    assert after > before + 0.1


def test_without_eyes_nothing_is_turned() -> None:
    picture = np.full((80, 80), 50, np.uint8)

    assert level_eyes(picture, Box(0.0, 0.0, 80.0, 80.0)) is picture


@pytest.mark.parametrize("how", [Equalise.HISTOGRAM, Equalise.CLAHE])
def test_equalising_spreads_grey_levels(how: Equalise) -> None:
    flat = np.random.default_rng(0).integers(100, 120, (48, 48)).astype(np.uint8)

    assert equalised(flat, how).std() > 1.5 * flat.std()
    np.testing.assert_array_equal(equalised(flat, Equalise.NONE), flat)


def test_copies_are_added_mirrored_and_turned() -> None:
    data = made_up()

    more = extend(data, Preparation(mirrored_copies=True, affine_copies=2), seed=0)

    assert len(more) == 4 * 2 * 3
    np.testing.assert_array_equal(more.crops[:4], data.crops)
    np.testing.assert_array_equal(more.crops[4:8], data.crops[:, :, ::-1])
    assert np.bincount(more.labels).tolist() == [0, 0, 0, 18, 6]
    np.testing.assert_array_equal(
        more.crops, extend(data, Preparation(mirrored_copies=True, affine_copies=2), seed=0).crops
    )


def test_balancing_brings_every_class_to_the_same_number() -> None:
    data = made_up((3,) * 9 + (4, 4))

    balanced = extend(data, Preparation(balance=5), seed=0)

    assert np.bincount(balanced.labels).tolist() == [0, 0, 0, 5, 5]
    originals = {crop.tobytes() for crop in data.crops}
    assert sum(crop.tobytes() in originals for crop in balanced.crops) == 7
