"""From pictures to crops, and copies of training data."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from mien import Box, InputError
from mien_face.crop import crop_box
from mien_face.factory import build_detector
from mien_face.settings import DetectorName, FaceSettings
from mien_face_lab.training import prepare
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.prepare import (
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


def made_up(labels: tuple[int, ...] = (3, 3, 3, 4)) -> FaceData:
    count = len(labels)
    crops = np.random.default_rng(0).integers(0, 256, (count, 48, 48)).astype(np.uint8)
    return FaceData(crops, np.array(labels), np.ones((count, 10), np.float32))


def grey(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def test_the_largest_face_is_cut_out(astronaut: npt.NDArray[np.uint8]) -> None:
    picture = grey(astronaut)
    haar = build_detector(FaceSettings(detector=DetectorName.HAAR))

    crop = prepare_picture(picture, Preparation(), crop=Crop.HAAR)

    found = max(haar.detect([astronaut])[0], key=lambda each: each.box.width)
    expected = crop_box(astronaut, found.box, margin=haar.margin)
    assert crop.shape == (48, 48)
    assert np.corrcoef(crop.ravel(), expected.ravel())[0, 1] > 0.8


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
        prepare_crops(data.take(np.arange(1)), Preparation(crop=Crop.HAAR), source="some.csv")


class BrightSpots:
    """Takes bright spots for eyes, in place of the cascade: what is tested is the turning."""

    def detectMultiScale(self, grey: npt.NDArray[np.uint8], **_: object) -> list[tuple[int, int, int, int]]:  # noqa: N802
        _, _, stats, _ = cv2.connectedComponentsWithStats((grey > 128).astype(np.uint8))
        return [(int(x), int(y), int(width), int(height)) for x, y, width, height, _ in stats[1:]]


@pytest.mark.parametrize("eyes", [((35, 30), (65, 45)), ((35, 45), (65, 30))])
def test_eyes_are_made_level(monkeypatch: pytest.MonkeyPatch, eyes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    monkeypatch.setattr(prepare, "_eye_cascade", BrightSpots)
    picture = np.zeros((100, 100), np.uint8)
    for centre in eyes:
        cv2.circle(picture, centre, 5, 255, -1)

    levelled = level_eyes(picture, Box(0.0, 0.0, 100.0, 100.0))

    _, _, _, centres = cv2.connectedComponentsWithStats((levelled > 128).astype(np.uint8))
    (_, first), (_, second) = centres[1:]
    assert first == pytest.approx(second, abs=1)


def test_a_line_too_steep_for_eyes_turns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "_eye_cascade", BrightSpots)
    picture = np.zeros((100, 100), np.uint8)
    for centre in ((40, 10), (60, 45)):
        cv2.circle(picture, centre, 5, 255, -1)

    assert level_eyes(picture, Box(0.0, 0.0, 100.0, 100.0)) is picture


PORTRAITS = Path(__file__).parents[3] / "shared" / "data" / "faces" / "portraits.parquet"


@pytest.mark.skipif(not PORTRAITS.exists(), reason="needs the portraits in shared/data")
def test_the_eyes_of_real_portraits_end_nearly_level() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = next(parquet.ParquetFile(PORTRAITS).iter_batches(batch_size=20, columns=["image", "boxes", "landmarks"]))
    slopes = []
    for row in (row for row in table.to_pylist() if row["landmarks"]):
        portrait = cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_GRAYSCALE)
        (x1, y1), (x2, y2) = np.reshape(row["landmarks"][0], (-1, 2))[:2]
        angle = prepare.eye_angle(np.asarray(portrait, np.uint8), Box(*row["boxes"][0]))
        if angle is not None:
            slopes.append(abs(np.degrees(np.arctan2(y2 - y1, x2 - x1)) - angle))
    assert len(slopes) >= 12
    assert np.median(slopes) < 4


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
