"""Annotated pictures: sizes, faces left uncovered, and colours that stay with a person."""

import numpy as np
import pytest

from mien import (
    UNKNOWN_SATISFACTION,
    AnalysisResult,
    Box,
    FaceRegion,
    ImageFrame,
    Prediction,
    ScoreInterval,
    TimeInterval,
)
from mien.annotate import annotate
from mien.annotate.style import subjects_of
from mien.types import Satisfaction, Verdict

GROUND = 90


def face(box: Box, *, track_id: str = "", label: str = "happiness") -> Prediction:
    return Prediction(
        modality="face",
        emotions={label: 0.8, "neutral": 0.2},
        valence=0.5,
        satisfaction=0.7,
        confidence=0.9,
        interval=TimeInterval(0, 0),
        evidence=FaceRegion(box, quality=1.0, track_id=track_id),
    )


def result(*predictions: Prediction, verdict: Verdict = Verdict.GOOD) -> AnalysisResult:
    satisfaction = Satisfaction(score=0.8, interval=ScoreInterval(0.6, 0.9), confidence=0.7, verdict=verdict)
    return AnalysisResult(predictions=predictions, satisfaction=satisfaction)


def plain(height: int, width: int) -> ImageFrame:
    return ImageFrame(np.full((height, width, 3), GROUND, np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (48, 48), (480, 640), (1080, 1920), (1600, 300)])
def test_any_picture_gets_a_panel_and_the_size_depends_on_the_picture_only(size: tuple[int, int]) -> None:
    frame = plain(*size)
    several = [face(Box(0, 0, size[1] / 3, size[0] / 3), label="e" * 80) for _ in range(30)]
    empty = annotate(frame, AnalysisResult(predictions=(), satisfaction=UNKNOWN_SATISFACTION))
    full = annotate(frame, result(*several), caption="12.0 s")
    assert empty.shape == full.shape
    assert empty.dtype == np.uint8
    assert empty.shape[0] >= max(540, size[0])
    assert empty.shape[1] >= size[1] + 240


def test_the_picture_itself_is_not_changed() -> None:
    frame = plain(480, 640)
    annotate(frame, result(face(Box(100, 100, 100, 100))))
    assert (frame.pixels == GROUND).all()


def test_nothing_is_drawn_over_faces_side_by_side() -> None:
    boxes = [Box(60 + 180 * column, 100 + 200 * row, 120, 140) for row in range(3) for column in range(4)]
    drawn = annotate(plain(800, 800), result(*(face(box) for box in boxes)))
    for box in boxes:
        inside = drawn[int(box.y) + 9 : int(box.y + box.height) - 9, int(box.x) + 9 : int(box.x + box.width) - 9]
        corners_cut = inside[12:-12, 12:-12]
        assert (corners_cut == GROUND).all()


def test_boxes_are_drawn_where_the_face_is_also_in_an_enlarged_picture() -> None:
    drawn = annotate(plain(48, 48), result(face(Box(12, 12, 24, 24))))
    picture = drawn[30:510, :480].astype(int)  # 48 pixels become 480, with the panel 540 high
    changed = np.argwhere(np.abs(picture - GROUND).sum(axis=2) > 60)
    below_tag = changed[changed[:, 0] > 112]
    assert below_tag.min(axis=0) == pytest.approx([116, 116], abs=6)
    assert below_tag.max(axis=0) == pytest.approx([362, 362], abs=6)


def test_a_face_that_reaches_over_the_edge_is_drawn() -> None:
    drawn = annotate(plain(480, 640), result(face(Box(-50, -50, 200, 200)), face(Box(600, 440, 200, 200))))
    assert (drawn[30:510, :640] != GROUND).any()


def test_the_verdict_changes_the_panel() -> None:
    frame = plain(480, 640)
    good, poor = (annotate(frame, result(verdict=verdict)) for verdict in (Verdict.GOOD, Verdict.POOR))
    assert (good[:, 640:] != poor[:, 640:]).any()
    assert (good[:, :640] == poor[:, :640]).all()


def test_a_tracked_face_keeps_its_colour_when_others_come_and_go() -> None:
    box = Box(0, 0, 10, 10)
    alone = subjects_of(result(face(box, track_id="t2")))
    among_others = subjects_of(result(face(box, track_id="t1"), face(box, track_id="t2"), face(box, track_id="t3")))
    assert alone[0].name == "t2"
    assert alone[0].color == among_others[1].color
    assert len({subject.color for subject in among_others}) == 3
