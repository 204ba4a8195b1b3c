"""The analyzer on a real face and on bad pictures, with a stand-in for the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mien import Box, Detection, FaceDetector, FaceRegion, Findings, ImageFrame, InputError, Prediction, Utterance
from mien_face.analyzer import EmotionTables, FaceAnalyzer
from mien_face.factory import build_detector
from mien_face.settings import FaceSettings

if TYPE_CHECKING:
    from tests.face.conftest import BrightnessClassifier

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class FixedDetector:
    """Finds the same in every picture."""

    found: list[Detection]
    margin: float = 0.0
    threshold: float = 0.2

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        return [self.found for _ in pictures]

    def warm_up(self) -> None:
        pass


def region(prediction: Prediction) -> FaceRegion:
    assert isinstance(prediction.evidence, FaceRegion)
    return prediction.evidence


def tiled(face: Pixels, *, rows: int, columns: int, side: int) -> Pixels:
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return np.tile(small, (rows, columns, 1))


@pytest.fixture(scope="module")
def head(astronaut: Pixels) -> Pixels:
    """The astronaut's head with some surroundings, square."""
    return astronaut[0:230, 110:340]


def bad_pictures(astronaut: Pixels) -> dict[str, Pixels]:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    return {
        "one pixel": np.zeros((1, 1, 3), np.uint8),
        "one row": np.full((1, 6000, 3), 90, np.uint8),
        "one column": np.full((6000, 1, 3), 90, np.uint8),
        "smaller than a face": astronaut[::40, ::40].copy(),
        "black": np.zeros((480, 640, 3), np.uint8),
        "white": np.full((480, 640, 3), 255, np.uint8),
        "noise": noise,
        "very large": cv2.resize(astronaut, (8000, 6000), interpolation=cv2.INTER_NEAREST),
        "landscape strip": np.ascontiguousarray(astronaut[60:200]),
        "portrait strip": np.ascontiguousarray(astronaut[:, 150:300]),
        "fills the frame": np.ascontiguousarray(astronaut[75:185, 170:280]),
        "cut by the border": np.ascontiguousarray(astronaut[:, 215:]),
        "not contiguous": astronaut[::-1, ::-1][::-1, ::-1],
    }


def test_the_astronaut_has_one_face_where_it_is(analyzer: FaceAnalyzer, astronaut: Pixels) -> None:
    (found,) = analyzer.analyze([ImageFrame(astronaut, captured_at=3.5)])
    (face,) = found
    assert region(face).box.iou(Box(170, 70, 110, 110)) > 0.6
    assert math.fsum(face.emotions.values()) == pytest.approx(1.0)
    assert region(face).quality > 0.8
    assert region(face).issues == ()
    assert (face.interval.start, face.interval.end) == (3.5, 3.5)
    assert face.subject_id == "face-1"
    assert region(face).track_id == ""


def test_confidence_is_the_documented_product(analyzer: FaceAnalyzer, astronaut: Pixels) -> None:
    ((face,),) = analyzer.analyze([ImageFrame(astronaut)])
    expected = max(face.emotions.values()) * region(face).quality * region(face).detection_score
    assert face.confidence == pytest.approx(expected)


def test_valence_and_satisfaction_follow_the_tables(
    detector: FaceDetector, classifier: BrightnessClassifier, astronaut: Pixels
) -> None:
    tables = EmotionTables(dict.fromkeys(classifier.labels, -1.0), dict.fromkeys(classifier.labels, 0.25))
    analyzer = FaceAnalyzer(detector, classifier, tables, FaceSettings())
    ((face,),) = analyzer.analyze([ImageFrame(astronaut)])
    assert face.valence == pytest.approx(-1.0)
    assert face.satisfaction == pytest.approx(0.25)


def test_a_table_without_an_emotion_is_refused(detector: FaceDetector, classifier: BrightnessClassifier) -> None:
    with pytest.raises(ValueError, match="valence table lacks angry"):
        FaceAnalyzer(detector, classifier, EmotionTables({}, {}), FaceSettings())


def test_all_faces_of_all_pictures_go_through_the_network_in_one_call(
    analyzer: FaceAnalyzer, classifier: BrightnessClassifier, astronaut: Pixels
) -> None:
    empty = ImageFrame(np.zeros((120, 160, 3), np.uint8))
    found = analyzer.analyze([ImageFrame(astronaut), empty, ImageFrame(astronaut)])
    assert [len(faces) for faces in found] == [1, 0, 1]
    assert classifier.calls == [2]


def test_pictures_without_a_face_never_reach_the_network(
    analyzer: FaceAnalyzer, classifier: BrightnessClassifier
) -> None:
    assert analyzer.analyze([ImageFrame(np.zeros((120, 160, 3), np.uint8))]) == [[]]
    assert analyzer.analyze([]) == []
    assert classifier.calls == []


def test_a_picture_says_the_same_alone_and_in_a_batch(analyzer: FaceAnalyzer, astronaut: Pixels) -> None:
    flipped = ImageFrame(np.ascontiguousarray(astronaut[:, ::-1]))
    together = analyzer.analyze([flipped, ImageFrame(astronaut)])
    assert together[1] == analyzer.analyze([ImageFrame(astronaut)])[0]


def test_twenty_faces_are_found_largest_first(classifier: BrightnessClassifier, head: Pixels) -> None:
    settings = FaceSettings(search_side=640, min_face_fraction=0.05)
    analyzer = FaceAnalyzer(build_detector(settings), classifier, _tables(classifier), settings)
    (found,) = analyzer.analyze([ImageFrame(tiled(head, rows=4, columns=5, side=200))])
    areas = [region(face).box.area for face in found]
    assert len(found) == 20
    assert areas == sorted(areas, reverse=True)
    assert [face.subject_id for face in found] == [f"face-{number}" for number in range(1, 21)]


def test_a_picture_that_is_one_tight_face_of_48_pixels_says_what_was_left_out(
    classifier: BrightnessClassifier, head: Pixels
) -> None:
    """Such crops are what databases of faces hold; as a photograph, one is under the default minimum."""
    settings = FaceSettings()
    analyzer = FaceAnalyzer(build_detector(settings), classifier, _tables(classifier), settings)
    small = np.asarray(Image.fromarray(head).resize((64, 64)), np.uint8)
    (found,) = analyzer.analyze([ImageFrame(small)])
    assert isinstance(found, Findings)
    assert found == []
    assert "at least 1 face left out: under 40 pixels or 10%" in found.remark


def test_max_faces_keeps_the_largest(detector: FaceDetector, classifier: BrightnessClassifier) -> None:
    crowd = FixedDetector([Detection(Box(10.0 * n, 10.0, 20.0 + n, 20.0 + n), 0.9) for n in range(5)])
    analyzer = FaceAnalyzer(crowd, classifier, _tables(classifier), FaceSettings(max_faces=2))
    (found,) = analyzer.analyze([ImageFrame(np.full((100, 100, 3), 80, np.uint8))])
    assert [region(face).box.width for face in found] == [24.0, 23.0]


def test_faces_below_the_least_score_or_outside_the_picture_are_dropped(classifier: BrightnessClassifier) -> None:
    doubtful = FixedDetector([Detection(Box(1, 1, 30, 30), 0.05), Detection(Box(-50, -50, 40, 40), 0.9)])
    analyzer = FaceAnalyzer(doubtful, classifier, _tables(classifier), FaceSettings())
    assert analyzer.analyze([ImageFrame(np.full((100, 100, 3), 80, np.uint8))]) == [[]]


def test_bad_pictures_are_answered_soundly_and_twice_the_same(analyzer: FaceAnalyzer, astronaut: Pixels) -> None:
    for name, pixels in bad_pictures(astronaut).items():
        first = analyzer.analyze([ImageFrame(pixels)])
        assert first == analyzer.analyze([ImageFrame(pixels)]), name
        height, width = pixels.shape[:2]
        for face in first[0]:
            box = region(face).box
            assert 0 <= box.x < box.x + box.width <= width, name
            assert 0 <= box.y < box.y + box.height <= height, name


@pytest.mark.parametrize("name", ["one pixel", "one row", "one column", "black", "white", "noise"])
def test_there_is_no_face_where_nothing_is(analyzer: FaceAnalyzer, astronaut: Pixels, name: str) -> None:
    assert analyzer.analyze([ImageFrame(bad_pictures(astronaut)[name])]) == [[]]


@pytest.mark.parametrize("name", ["very large", "portrait strip", "fills the frame", "not contiguous"])
def test_the_face_is_found_in_awkward_pictures(analyzer: FaceAnalyzer, astronaut: Pixels, name: str) -> None:
    (found,) = analyzer.analyze([ImageFrame(bad_pictures(astronaut)[name])])
    assert len(found) == 1


def test_a_sample_that_is_no_picture_is_refused(analyzer: FaceAnalyzer) -> None:
    with pytest.raises(InputError, match="takes pictures, got a Utterance"):
        analyzer.analyze([Utterance("hello")])


def test_warm_up_reaches_the_network(analyzer: FaceAnalyzer, classifier: BrightnessClassifier) -> None:
    analyzer.warm_up()
    assert classifier.calls == [0]


def _tables(classifier: BrightnessClassifier) -> EmotionTables:
    return EmotionTables(dict.fromkeys(classifier.labels, 0.0), dict.fromkeys(classifier.labels, 0.5))
