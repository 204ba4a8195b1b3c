"""The shipped detector on a real face and on bad pictures; and what is wrong with weights is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from mien import Box, Detection, Detections, WeightsError, load_weights, save_weights
from mien_face.detection.inference import BUCKETS, DetectionNetwork
from mien_face.detection.own import OwnDetector
from mien_face.factory import DETECTOR_MANIFEST, build_detector
from mien_face.settings import DetectorName, FaceSettings

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def network() -> DetectionNetwork:
    return DetectionNetwork.load(DETECTOR_MANIFEST)


@pytest.fixture(scope="module")
def own(network: DetectionNetwork) -> OwnDetector:
    return OwnDetector(network, search_side=320, min_face_pixels=40, min_face_fraction=0.1)


@pytest.fixture(scope="module")
def everything(network: DetectionNetwork) -> OwnDetector:
    """It takes whatever the network answers for a face, to have boxes to look at in any picture."""
    return OwnDetector(network, search_side=320, min_face_pixels=1, min_face_fraction=0.0, min_score=0.0)


def damaged(tmp_path: Path, **changes: object) -> Path:
    """The shipped weights with something of their manifest changed."""
    manifest, arrays = load_weights(DETECTOR_MANIFEST)
    kept = {
        name: getattr(manifest, name) for name in ("name", "version", "network", "license", "config", "calibration")
    }
    save_weights(tmp_path / "detector.json", arrays, labels=manifest.labels, **(kept | changes))
    return tmp_path / "detector.json"


def inside(points: tuple[tuple[float, float], ...], box: Box) -> bool:
    return all(box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height for x, y in points)


def test_faces_that_are_too_small_are_left_out_and_counted(network: DetectionNetwork, astronaut: Pixels) -> None:
    asked = OwnDetector(network, search_side=320, min_face_pixels=40, min_face_fraction=0.5)
    (found,) = asked.detect([astronaut])
    assert isinstance(found, Detections)
    assert (found, found.too_small) == ([], 1)


def test_the_astronaut_has_one_face_with_its_landmarks(own: OwnDetector, astronaut: Pixels) -> None:
    ((face,),) = own.detect([astronaut])
    assert face.box.iou(Box(178, 62, 92, 112)) > 0.6
    assert face.score > own.threshold
    assert inside(face.landmarks, face.box)
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    assert right_mouth[0] < left_mouth[0]


def test_pictures_of_all_sizes_go_together_and_say_what_they_say_alone(own: OwnDetector, astronaut: Pixels) -> None:
    pictures = [
        astronaut,
        np.ascontiguousarray(astronaut[:, ::-1]),
        cv2.resize(astronaut, (640, 480)),
        np.zeros((3, 900, 3), np.uint8),
        np.ascontiguousarray(astronaut[:200]),
        astronaut,
    ]
    assert len(pictures) > BUCKETS[-1]
    together = own.detect(pictures)
    assert [len(faces) for faces in together] == [1, 1, 1, 0, 1, 1]
    for picture, faces in zip(pictures, together, strict=True):
        assert_close(faces, own.detect([picture])[0])


def test_many_threads_get_what_one_gets(own: OwnDetector, astronaut: Pixels) -> None:
    alone = own.detect([astronaut])
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(own.detect, [[astronaut]] * 8)) == [alone] * 8


def test_a_face_is_found_at_the_same_place_in_a_reduced_picture(own: OwnDetector, astronaut: Pixels) -> None:
    ((large,),) = own.detect([astronaut])
    ((small,),) = own.detect([cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)])
    assert Box(*(2 * part for part in (small.box.x, small.box.y, small.box.width, small.box.height))).iou(
        large.box
    ) == pytest.approx(1.0, abs=0.25)


def test_faces_below_the_least_size_are_left_out(astronaut: Pixels) -> None:
    for settings in (
        FaceSettings(detector=DetectorName.MIEN, min_face_pixels=200),
        FaceSettings(detector=DetectorName.MIEN, min_face_fraction=0.5),
        FaceSettings(detector=DetectorName.MIEN, min_detection_score=1.0),
    ):
        assert build_detector(settings).detect([astronaut]) == [[]]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 3000), (3000, 1), (8000, 8000), (37, 21), (480, 640)])
def test_whatever_it_answers_is_finite_and_centred_in_the_picture(
    everything: OwnDetector, height: int, width: int
) -> None:
    pixels = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    (found,) = everything.detect([pixels])
    assert everything.detect([pixels]) == [found]
    assert found or min(height, width) == 1
    for face in found:
        centre = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
        assert 0 <= centre[0] < width
        assert 0 <= centre[1] < height
        assert np.isfinite(face.landmarks).all()
        assert 0.0 <= face.score <= 1.0


def test_no_pictures_have_no_faces(own: OwnDetector) -> None:
    assert own.detect([]) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "another"}, "holds weights of 'another'; the face detector needs 'mien-face-detector'"),
        ({"config": {"stem": 8}}, "do not fit its config"),
        ({"config": {"stern": 8}}, "not fit for the face detector"),
        ({"calibration": {"overlap": 0.4}}, r"needs a calibration.threshold in \[0, 1\], got None"),
        ({"calibration": {"overlap": 4, "threshold": 0.4}}, r"calibration.overlap in \[0, 1\], got 4"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        DetectionNetwork.load(damaged(tmp_path, **changes))


def assert_close(found: list[Detection], expected: list[Detection]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-4)
        assert one.landmarks == pytest.approx(np.array(other.landmarks), abs=0.01)
        assert one.box.iou(other.box) > 0.999
