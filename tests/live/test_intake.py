"""The host's intake: snapshots on time, and excluded regions black before any plugin is shown a picture."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mien import ImageFrame
from mien.live.intake import Intake, blanked


def frame(captured_at: float) -> ImageFrame:
    return ImageFrame(np.full((48, 64, 3), 200, np.uint8), captured_at=captured_at)


def taken(times: list[float], *, interval: float) -> list[float]:
    intake = Intake(interval)
    return [time for time in times if intake.take(frame(time)) is not None]


def test_one_picture_an_interval_is_taken() -> None:
    times = [count / 10 for count in range(25)]
    assert taken(times, interval=1.0) == [0.0, 1.0, 2.0]


def test_an_interval_of_zero_takes_every_picture() -> None:
    assert taken([0.0, 0.0, 0.03], interval=0.0) == [0.0, 0.0, 0.03]


def test_a_camera_that_is_a_little_early_still_gives_a_picture_a_second() -> None:
    assert taken([0.0, 0.995, 1.99], interval=1.0) == [0.0, 0.995, 1.99]


def test_a_late_picture_is_dropped_and_a_clock_set_back_is_followed() -> None:
    assert taken([100.0, 99.9, 5.0, 5.5, 6.0], interval=1.0) == [100.0, 5.0, 6.0]


def test_a_clock_that_jumps_ahead_costs_nothing() -> None:
    assert taken([0.0, 1e9, 1e9 + 0.5, 1e9 + 1.0], interval=1.0) == [0.0, 1e9, 1e9 + 1.0]


def test_excluded_regions_are_black_and_the_callers_picture_is_untouched() -> None:
    original = frame(2.0)
    ready = Intake(1.0, ((0.5, 0.0, 0.5, 1.0),)).take(original)
    assert ready is not None
    assert ready.captured_at == 2.0
    assert (ready.pixels[:, 32:] == 0).all()
    assert (ready.pixels[:, :32] == 200).all()
    assert (original.pixels == 200).all()


def test_excluded_regions_are_rounded_outwards_and_stay_in_the_picture() -> None:
    shown = blanked(frame(0.0), ((0.9, 0.49, 0.9, 0.02),)).pixels
    assert (shown[23:25, 57:] == 0).all()
    assert (shown[:, :57] == 200).all()


def test_without_regions_the_picture_is_handed_on_as_it_is() -> None:
    original = frame(0.0)
    assert blanked(original, ()) is original


@pytest.mark.parametrize("region", [(0.0, 0.0, 1.5, 1.0), (-0.1, 0.0, 0.5, 0.5), (math.nan, 0.0, 0.5, 0.5)])
def test_a_region_outside_the_picture_is_refused(region: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="four fractions"):
        Intake(1.0, (region,))


@pytest.mark.parametrize("interval", [-1.0, math.inf, math.nan])
def test_an_interval_that_is_none_is_refused(interval: float) -> None:
    with pytest.raises(ValueError, match="interval must be finite"):
        Intake(interval)
