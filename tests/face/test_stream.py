"""A session's face stream: snapshots on time, excluded regions blank, ids on faces."""

from __future__ import annotations

import numpy as np
import pytest

from mien import Box, FaceRegion, ImageFrame, InputError, Prediction, StreamSettings, TimeInterval, Utterance
from mien_face.stream import FaceStream, blanked


def frame(captured_at: float) -> ImageFrame:
    return ImageFrame(np.full((48, 64, 3), 200, np.uint8), captured_at=captured_at)


def taken(times: list[float], *, interval: float) -> list[float]:
    stream = FaceStream(StreamSettings(snapshot_interval_seconds=interval))
    return [time for time in times if stream.push(frame(time))]


def seen_at(x: float) -> Prediction:
    return Prediction(
        modality="face",
        emotions={"happy": 1.0},
        valence=1.0,
        satisfaction=1.0,
        confidence=1.0,
        interval=TimeInterval(0.0, 0.0),
        evidence=FaceRegion(Box(x, 10, 20, 20), quality=1.0),
    )


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
    stream = FaceStream(StreamSettings(exclude_regions=((0.5, 0.0, 0.5, 1.0),)))
    (ready,) = stream.push(original)
    assert isinstance(ready, ImageFrame)
    assert ready.captured_at == 2.0
    assert (ready.pixels[:, 32:] == 0).all()
    assert (ready.pixels[:, :32] == 200).all()
    assert (original.pixels == 200).all()


def test_excluded_regions_are_rounded_outwards_and_stay_in_the_picture() -> None:
    shown = blanked(frame(0.0), ((0.9, 0.49, 0.9, 0.02),)).pixels
    assert (shown[23:25, 57:] == 0).all()
    assert (shown[:, :57] == 200).all()


def test_faces_get_ids_that_stay() -> None:
    stream = FaceStream(StreamSettings())
    first = stream.observe(frame(0.0), [seen_at(0), seen_at(40)])
    second = stream.observe(frame(1.0), [seen_at(41), seen_at(1)])
    assert [prediction.subject_id for prediction in first] == ["face-1", "face-2"]
    assert [prediction.subject_id for prediction in second] == ["face-2", "face-1"]
    assert isinstance(second[0].evidence, FaceRegion)
    assert second[0].evidence.track_id == "face-2"


def test_a_prediction_without_a_face_passes_untouched() -> None:
    bare = Prediction(
        modality="face",
        emotions={"happy": 1.0},
        valence=0.0,
        satisfaction=0.5,
        confidence=0.5,
        interval=TimeInterval(0.0, 0.0),
        subject_id="somebody",
    )
    assert FaceStream(StreamSettings()).observe(frame(0.0), [bare, seen_at(3)])[0] == bare


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(InputError, match="takes pictures, got a Utterance"):
        FaceStream(StreamSettings()).push(Utterance("hello"))


@pytest.mark.parametrize("region", [(0.0, 0.0, 1.5, 1.0), (-0.1, 0.0, 0.5, 0.5), (float("nan"), 0.0, 0.5, 0.5)])
def test_a_region_outside_the_picture_is_refused(region: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="four fractions"):
        FaceStream(StreamSettings(exclude_regions=(region,)))
