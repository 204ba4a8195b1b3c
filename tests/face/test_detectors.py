"""The detectors and their shared geometry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from mien import Box, ConfigError, Detection, FaceDetector
from mien_face.detection.base import clip, suppress
from mien_face.factory import build_detector
from mien_face.settings import DetectorName, FaceSettings

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def haar() -> FaceDetector:
    return build_detector(FaceSettings(detector=DetectorName.HAAR))


def test_haar_gives_the_same_from_many_threads_at_once(haar: FaceDetector, astronaut: Pixels) -> None:
    (alone,) = haar.detect([astronaut])
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(haar.detect, [[astronaut]] * 12))
    assert alone
    assert together == [[alone]] * 12


def test_haar_scores_a_clear_face_high(haar: FaceDetector, astronaut: Pixels) -> None:
    ((face,),) = haar.detect([astronaut])
    assert 0.8 < face.score <= 1.0


def test_haar_leaves_out_faces_below_the_least_size(astronaut: Pixels) -> None:
    for settings in (
        FaceSettings(detector=DetectorName.HAAR, min_face_pixels=200),
        FaceSettings(detector=DetectorName.HAAR, min_face_fraction=0.4),
    ):
        assert build_detector(settings).detect([astronaut]) == [[]]


def test_haar_finds_a_face_that_fills_the_picture_by_looking_beyond_its_border(
    haar: FaceDetector, astronaut: Pixels
) -> None:
    ((face,),) = haar.detect([np.ascontiguousarray(astronaut[80:180, 175:275])])
    assert face.box.iou(Box(-5, -10, 110, 110)) > 0.6
    assert face.box.y < 0


def test_overlapping_detections_leave_the_best() -> None:
    best, same, other = (Detection(Box(x, 0, 10, 10), score) for x, score in ((0, 0.9), (2, 0.8), (30, 0.1)))
    assert suppress([other, same, best], overlap=0.4) == [best, other]


def test_a_box_inside_another_is_the_same_face() -> None:
    outer, inner = Detection(Box(0, 0, 100, 100), 0.9), Detection(Box(40, 40, 20, 20), 0.5)
    assert suppress([inner, outer], overlap=0.4) == [outer]


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(-5, -5, 10, 10), Box(0, 0, 5, 5)),
        (Box(95, 40, 10, 30), Box(95, 40, 5, 10)),
        (Box(200, 200, 10, 10), Box(100, 50, 0, 0)),
        (Box(10, 10, 5, 5), Box(10, 10, 5, 5)),
    ],
)
def test_clip_keeps_what_lies_in_the_picture(box: Box, inside: Box) -> None:
    assert clip(box, width=100, height=50) == inside


def test_an_unknown_detector_is_an_error_that_lists_what_is_known() -> None:
    with pytest.raises(
        ConfigError, match=r"\[plugins.face\] detector: there is no detector 'mtcnn'; known are: haar, mien"
    ):
        build_detector(FaceSettings(detector="mtcnn"))
