"""A session's face stream: ids on faces."""

from __future__ import annotations

import numpy as np
import pytest

from mien import Box, FaceRegion, ImageFrame, InputError, Prediction, StreamSettings, TimeInterval, Utterance
from mien_face.stream import FaceStream


def frame(captured_at: float) -> ImageFrame:
    return ImageFrame(np.full((48, 64, 3), 200, np.uint8), captured_at=captured_at)


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


def test_every_picture_that_the_host_gives_is_taken_as_it_is() -> None:
    stream = FaceStream(StreamSettings(snapshot_interval_seconds=1.0))
    for at in (0.0, 0.1):
        picture = frame(at)
        assert stream.push(picture) == [picture]


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
