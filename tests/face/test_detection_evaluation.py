"""Matching and average precision hold what they promise for any boxes, and the figures agree with cases by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import Box, Detection
from mien_face_lab.detection.evaluation import (
    OVERLAP,
    MatchKind,
    average_precision,
    evaluate_detections,
    landmark_error,
    match,
)
from mien_face_lab.detection.labelled import LabelledFace, LabelledPicture
from mien_face_lab.detection.parts import Pose, pose_of

POINTS = ((10.0, 10.0), (30.0, 10.0), (20.0, 20.0), (12.0, 30.0), (28.0, 30.0))

numbers = st.floats(0, 60)
boxes = st.builds(Box, numbers, numbers, st.floats(4, 40), st.floats(4, 40))
ranked = st.lists(st.tuples(st.sampled_from((0.1, 0.3, 0.5, 0.7, 0.9)), st.booleans()), max_size=12)


def picture(*faces: LabelledFace, uncertain: tuple[Box, ...] = ()) -> LabelledPicture:
    return LabelledPicture("a test", b"", faces, uncertain)


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6), st.lists(boxes, max_size=3))
def test_no_face_is_taken_twice_and_right_boxes_overlap_theirs(
    found: list[Box], faces: list[Box], ignored: list[Box]
) -> None:
    answers = match(found, faces, ignored)
    taken = [answer.face for answer in answers if answer.face is not None]
    assert len(answers) == len(found)
    assert len(set(taken)) == len(taken)
    for box, answer in zip(found, answers, strict=True):
        assert (answer.kind is MatchKind.RIGHT) == (answer.face is not None)
        if answer.face is not None:
            assert box.iou(faces[answer.face]) >= OVERLAP


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_what_is_worse_scored_changes_nothing_of_what_is_better(found: list[Box], faces: list[Box]) -> None:
    answers = match(found, faces)
    for count in range(len(found)):
        assert match(found[:count], faces) == answers[:count]


@given(st.lists(boxes, max_size=6))
def test_faces_found_as_they_are_are_all_right(faces: list[Box]) -> None:
    assert all(answer.kind is MatchKind.RIGHT for answer in match(faces, faces))


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_ignored_boxes_only_ever_forgive(found: list[Box], ignored: list[Box]) -> None:
    without, given_some = match(found, []), match(found, [], ignored)
    for before, after in zip(without, given_some, strict=True):
        assert before.kind is MatchKind.FALSE
        assert after.kind in (MatchKind.FALSE, MatchKind.IGNORED)


@given(ranked, st.integers(0, 5))
def test_average_precision_is_a_share_that_order_cannot_change(rows: list[tuple[float, bool]], more: int) -> None:
    faces = sum(right for _, right in rows) + more
    found = average_precision([score for score, _ in rows], [right for _, right in rows], faces)
    backwards = average_precision([score for score, _ in rows[::-1]], [right for _, right in rows[::-1]], faces)
    if faces == 0:
        assert found is None
        return
    assert found is not None
    assert 0.0 <= found <= 1.0 + 1e-9
    assert found == pytest.approx(backwards)


@given(ranked)
def test_a_false_box_below_all_others_costs_nothing(rows: list[tuple[float, bool]]) -> None:
    scores, right = [score for score, _ in rows], [found for _, found in rows]
    assert average_precision([*scores, 0.01], [*right, False], 9) == pytest.approx(average_precision(scores, right, 9))


@given(ranked)
def test_a_false_box_above_all_others_never_helps(rows: list[tuple[float, bool]]) -> None:
    scores, right = [score for score, _ in rows], [found for _, found in rows]
    better, worse = average_precision(scores, right, 9), average_precision([*scores, 0.99], [*right, False], 9)
    assert better is not None
    assert worse is not None
    assert worse <= better + 1e-12


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20, unique_by=lambda row: row[0]))
def test_average_precision_is_the_area_under_the_envelope(rows: list[tuple[float, bool]]) -> None:
    faces = sum(right for _, right in rows) + 1
    ordered = [right for _, right in sorted(rows, reverse=True)]
    hits = np.cumsum(ordered)
    precisions = hits / np.arange(1, len(rows) + 1)
    by_hand = sum(max(precisions[place:]) / faces for place, right in enumerate(ordered) if right)
    found = average_precision([score for score, _ in rows], [right for _, right in rows], faces)
    assert found == pytest.approx(by_hand)


def test_the_figures_agree_with_a_case_by_hand() -> None:
    face, small = Box(0, 0, 40, 40), Box(100, 100, 12, 12)
    crowd = picture(LabelledFace(face, POINTS), LabelledFace(small), uncertain=(Box(200, 200, 30, 30),))
    found = [
        Detection(Box(2, 0, 40, 40), 0.9, tuple((x + 2, y) for x, y in POINTS)),  # right, 2 of 20 pixels off
        Detection(Box(100, 100, 13, 12), 0.8),  # a face too small to count
        Detection(Box(201, 201, 20, 20), 0.8),  # on an uncertain box
        Detection(Box(300, 0, 30, 30), 0.7),  # false
        Detection(Box(300, 90, 30, 30), 0.3),  # below the threshold
    ]
    missed, empty = picture(LabelledFace(Box(50, 50, 100, 100))), picture()
    alarm = [Detection(Box(0, 0, 9, 9), 0.6)]

    figures = evaluate_detections(
        [(crowd, found), (missed, []), (empty, alarm), (empty, [])], min_size=24, threshold=0.5
    )

    assert (figures.pictures, figures.faces, figures.recall) == (4, 2, 0.5)
    assert figures.precision == pytest.approx(1 / 3)
    assert figures.false_positives_per_image == pytest.approx(2 / 4)
    assert figures.ap50 == pytest.approx(0.5)
    assert figures.landmark_error == pytest.approx(0.1)
    assert (figures.face_free_pictures, figures.face_free_with_false) == (2, 0.5)
    assert [(size.from_size, size.to_size, size.faces, size.recall) for size in figures.by_size] == [
        (32, 48, 1, 1.0),
        (96, 128, 1, 0.0),
    ]


@pytest.mark.parametrize(
    ("nose", "pose"), [(20, Pose.FRONTAL), (25, Pose.FRONTAL), (28, Pose.HALF), (12, Pose.HALF), (40, Pose.PROFILE)]
)
def test_the_nose_tells_how_far_a_face_is_turned(nose: float, pose: Pose) -> None:
    turned = (POINTS[0], POINTS[1], (nose, 20.0), *POINTS[3:])
    upside_down = tuple((-x, -y) for x, y in turned)

    assert pose_of(turned) is pose_of(upside_down) is pose
    assert pose_of(()) is pose_of(((5.0, 5.0),) * 5) is Pose.UNKNOWN


def test_figures_are_given_by_pose_and_by_group() -> None:
    face, other = LabelledFace(Box(0, 0, 40, 40), POINTS), LabelledFace(Box(100, 0, 40, 40))
    shop = LabelledPicture("a test", b"", (face, other), group="shop")
    street = LabelledPicture("a test", b"", (), group="street")
    found = [Detection(Box(0, 0, 40, 40), 0.9, POINTS), Detection(Box(0, 200, 40, 40), 0.9)]

    figures = evaluate_detections([(shop, found), (street, []), (street, found[1:])], min_size=24, threshold=0.5)

    assert [(each.pose, each.faces, each.recall) for each in figures.by_pose] == [
        (Pose.FRONTAL, 1, 1.0),
        (Pose.UNKNOWN, 1, 0.0),
    ]
    assert [
        (each.group, each.pictures, each.faces, each.recall, each.false_positives_per_image)
        for each in figures.by_group
    ] == [("shop", 1, 2, 0.5, 1.0), ("street", 2, 0, None, 0.5)]


def test_two_boxes_on_one_face_are_one_right_and_one_false() -> None:
    face = LabelledFace(Box(0, 0, 40, 40))
    twice = [Detection(Box(0, 0, 40, 40), 0.9), Detection(Box(1, 1, 40, 40), 0.8)]
    figures = evaluate_detections([(picture(face), twice)], min_size=24, threshold=0.5)
    assert (figures.recall, figures.precision) == (1.0, 0.5)


def test_without_a_case_there_is_no_figure() -> None:
    figures = evaluate_detections([(picture(), [])], min_size=24, threshold=0.5)
    assert (figures.recall, figures.precision, figures.ap50, figures.landmark_error) == (None,) * 4
    assert figures.face_free_with_false == 0.0


def test_nothing_to_judge_by_is_refused() -> None:
    with pytest.raises(ValueError, match="no picture"):
        evaluate_detections([], min_size=24, threshold=0.5)


def test_landmarks_are_judged_only_where_both_sides_have_them() -> None:
    face = LabelledFace(Box(0, 0, 40, 40), POINTS)
    assert landmark_error((), face) is None
    assert landmark_error(POINTS, LabelledFace(face.box)) is None
    assert landmark_error(POINTS, face) == 0.0


def test_eyes_in_one_place_are_a_measure_still() -> None:
    profile = LabelledFace(Box(0, 0, 40, 40), ((5.0, 5.0),) * 5)
    assert landmark_error(((5.0, 8.0),) * 5, profile) == pytest.approx(3 / (0.15 * 40))
