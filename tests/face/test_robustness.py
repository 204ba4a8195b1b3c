"""Each way of spoiling a picture does what it says, and the loss is that of the same faces."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from mien_face_lab.robustness import ALL, CONDITIONS, Condition, cut_name, degradation

BY_NAME = {condition.name: condition for condition in ALL}


@pytest.fixture(scope="module")
def crops() -> npt.NDArray[np.uint8]:
    """Soft shapes with a bright mouth, nothing near black or white."""
    rows, columns = np.mgrid[:48, :48]
    face = 90 + 40 * np.cos((rows - 24) / 9) * np.cos((columns - 24) / 9)
    face[34:38, 16:32] += 60
    return np.stack([face, face.T, face[::-1]]).astype(np.uint8)


@pytest.mark.parametrize("condition", ALL, ids=lambda condition: condition.name)
def test_every_condition_spoils_each_face_the_same_way_each_time(
    condition: Condition, crops: npt.NDArray[np.uint8]
) -> None:
    before = crops.copy()
    first, second = condition.apply(crops), condition.apply(crops)

    assert (first.dtype, first.shape) == (np.uint8, crops.shape)
    assert np.array_equal(first, second)
    assert np.array_equal(crops, before), "the pictures that came in are not changed"
    assert all((spoilt != crop).any() for spoilt, crop in zip(first, crops, strict=True))


def test_brightness_is_multiplied_and_clipped(crops: npt.NDArray[np.uint8]) -> None:
    assert BY_NAME["brightness_0.4"].apply(crops).mean() == pytest.approx(0.4 * crops.mean(), abs=0.5)
    bright = BY_NAME["brightness_1.8"].apply(crops)
    assert np.array_equal(bright, np.minimum(np.rint(crops * 1.8), 255))
    assert bright.max() == 255


def test_noise_has_the_deviation_that_is_named() -> None:
    grey = np.full((4, 48, 48), 128, np.uint8)

    noisy = BY_NAME["noise_15"].apply(grey).astype(float)

    assert noisy.std() == pytest.approx(15, abs=0.3)
    assert noisy.mean() == pytest.approx(128, abs=0.5)


def test_blur_and_low_resolution_take_out_fine_detail(crops: npt.NDArray[np.uint8]) -> None:
    fine = np.zeros((1, 48, 48), np.uint8)
    fine[:, :, ::2] = 200

    for name in ("blur_1.5", "size_24"):
        assert BY_NAME[name].apply(fine)[:, :, 8:-8].std() < 0.05 * fine.std()
        assert BY_NAME[name].apply(crops).std() > 0.85 * crops.std(), "coarse shapes stay"


def test_rotation_turns_some_faces_left_and_some_right() -> None:
    bars = np.zeros((20, 48, 48), np.uint8)
    bars[:, 23:25] = 255

    turned = BY_NAME["rotation_15"].apply(bars)

    right_end = turned[:, :, 44].argmax(axis=1)
    rise = round(20.5 * np.tan(np.radians(15)))
    assert {abs(int(end) - 24) for end in right_end} <= {rise - 1, rise, rise + 1}
    assert {bool(end > 24) for end in right_end} == {True, False}


@pytest.mark.parametrize(("name", "hidden"), [("lower_covered", slice(29, 48)), ("upper_covered", slice(0, 24))])
def test_covering_hides_its_rows_and_nothing_else(name: str, hidden: slice, crops: npt.NDArray[np.uint8]) -> None:
    covered = BY_NAME[name].apply(crops)

    assert all(np.ptp(face[hidden]) == 0 for face in covered)
    seen = np.ones(48, np.bool_)
    seen[hidden] = False
    assert np.array_equal(covered[:, seen], crops[:, seen])


def test_contrast_is_stretched_about_the_mean_and_clipped(crops: npt.NDArray[np.uint8]) -> None:
    flat, steep = BY_NAME["contrast_0.4"].apply(crops), BY_NAME["contrast_2"].apply(crops)

    assert flat.mean() == pytest.approx(crops.mean(), abs=0.5)
    assert flat.std() == pytest.approx(0.4 * crops.std(), rel=0.05)
    mean = crops.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(steep, np.clip(mean + 2 * (crops - mean), 0, 255), atol=1)


def test_light_from_a_side_brightens_one_side_of_each_face() -> None:
    lit = BY_NAME["side_light"].apply(np.full((20, 48, 48), 128, np.uint8)).astype(float)

    differences = lit[:, :, -1].mean(axis=1) - lit[:, :, 0].mean(axis=1)
    assert set(differences) == {-120.0, 120.0}


def test_a_cut_makes_the_face_larger_or_smaller_and_moves_it_in_each_direction() -> None:
    square = np.zeros((40, 48, 48), np.uint8)
    square[:, 14:34, 14:34] = 255

    for scale in (0.8, 1.2):
        area = BY_NAME[cut_name(scale, 0.0)].apply(square).astype(float).sum(axis=(1, 2)) / 255
        assert area == pytest.approx((20 * scale) ** 2, rel=0.03)
    moved = BY_NAME[cut_name(1.0, 0.1)].apply(square).astype(float)
    places = np.arange(48) - 23.5
    right, down = (moved.sum(axis=axis) @ places / moved.sum(axis=(1, 2)) for axis in (1, 2))
    assert np.hypot(right, down) == pytest.approx(4.8, abs=0.05)
    assert {(round(float(x)), round(float(y))) for x, y in zip(right, down, strict=True)} == {
        (5, 0),
        (-5, 0),
        (0, 5),
        (0, -5),
    }


def test_the_loss_is_counted_over_the_same_faces() -> None:
    clean = np.arange(100) < 80
    spoilt = np.arange(100) < 50

    found = degradation(CONDITIONS[0], clean=clean, spoilt=spoilt)

    assert (found.accuracy, found.drop) == (0.5, pytest.approx(0.3))
    low, high = found.drop_interval
    assert 0.2 < low < 0.3 < high < 0.41


def test_nothing_lost_has_an_interval_of_nothing() -> None:
    right = np.arange(10) < 5

    assert degradation(CONDITIONS[0], clean=right, spoilt=right).drop_interval == (0.0, 0.0)
