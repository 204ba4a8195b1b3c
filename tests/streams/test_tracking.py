"""Ids follow faces by place and motion: through crossings, gaps and clocks that jump."""

from __future__ import annotations

import numpy as np
import pytest

from mien import Box
from mien.streams import BoxTracker


def face(x: float, y: float = 100.0, side: float = 60.0) -> Box:
    return Box(x, y, side, side)


def test_ids_stay_with_faces_whatever_order_they_come_in() -> None:
    tracker = BoxTracker(max_gap=2.0)
    assert tracker.update([face(0), face(300)], 0.0) == ["face-1", "face-2"]
    assert tracker.update([face(305), face(4)], 0.1) == ["face-2", "face-1"]


def test_two_people_who_cross_keep_their_ids() -> None:
    tracker = BoxTracker(max_gap=2.0)
    for step in range(21):  # at step 10 they are in the same place
        ids = tracker.update([face(20.0 * step), face(400.0 - 20.0 * step, y=104.0)], step * 0.1)
        assert ids == ["face-1", "face-2"], f"step {step}"


def test_a_face_hidden_while_two_people_cross_is_found_again() -> None:
    tracker = BoxTracker(max_gap=2.0)
    for step in range(21):
        front, behind = face(20.0 * step), face(400.0 - 20.0 * step)
        hidden = 8 <= step <= 12
        ids = tracker.update([front] if hidden else [front, behind], step * 0.1)
        assert ids == (["face-1"] if hidden else ["face-1", "face-2"]), f"step {step}"


def test_two_people_who_cross_keep_their_ids_though_their_boxes_tremble() -> None:
    generator = np.random.default_rng(2)
    tracker = BoxTracker(max_gap=2.0)
    for step in range(41):
        shifts = generator.normal(0.0, 3.0, (2, 3))
        places = (10.0 * step, 100.0), (400.0 - 10.0 * step, 120.0)
        boxes = [face(x + dx, y + dy, 60.0 + dw) for (x, y), (dx, dy, dw) in zip(places, shifts, strict=True)]
        assert tracker.update(boxes, step * 0.1) == ["face-1", "face-2"], f"step {step}"


def test_a_face_that_stands_still_is_not_carried_off_by_a_trembling_box() -> None:
    generator = np.random.default_rng(0)
    tracker = BoxTracker(max_gap=3.0)
    for step in range(30):
        dx, dy = generator.normal(0.0, 4.0, 2)
        tracker.update([face(100 + dx, 100 + dy), face(190)], step * 0.1)
    assert tracker.update([face(190), face(100)], 4.2) == ["face-2", "face-1"]


def test_a_face_keeps_its_id_over_a_short_gap_and_loses_it_over_a_long_one() -> None:
    tracker = BoxTracker(max_gap=2.0)
    assert tracker.update([face(100)], 0.0) == ["face-1"]
    assert tracker.update([], 1.0) == []
    assert tracker.update([face(110)], 1.9) == ["face-1"]
    assert tracker.update([face(110)], 4.0) == ["face-2"]


def test_a_person_who_shifts_between_snapshots_a_second_apart_keeps_the_id() -> None:
    tracker = BoxTracker(max_gap=3.0)
    assert [tracker.update([face(x)], float(now)) for now, x in enumerate((100, 160, 90, 130))] == [["face-1"]] * 4


def test_somebody_far_away_or_of_another_size_is_somebody_else() -> None:
    tracker = BoxTracker(max_gap=2.0)
    tracker.update([face(0)], 0.0)
    assert tracker.update([face(400)], 0.1) == ["face-2"]
    assert tracker.update([face(0, side=150.0)], 0.2) == ["face-3"]


def test_ids_are_never_given_again() -> None:
    tracker = BoxTracker(max_gap=0.5)
    assert [tracker.update([face(100)], float(now)) for now in range(3)] == [["face-1"], ["face-2"], ["face-3"]]


@pytest.mark.parametrize("later", [-100.0, 10.0])
def test_a_clock_that_is_set_back_or_stands_still_keeps_the_ids(later: float) -> None:
    tracker = BoxTracker(max_gap=2.0)
    tracker.update([face(100)], 9.9)
    tracker.update([face(102)], 10.0)
    assert tracker.update([face(104)], later) == ["face-1"]
    assert tracker.update([face(106)], later + 0.1) == ["face-1"]


def test_boxes_without_area_do_no_harm() -> None:
    tracker = BoxTracker(max_gap=2.0)
    tracker.update([Box(5, 5, 0, 0)], 0.0)
    assert len(tracker.update([Box(5, 5, 0, 0), face(300)], 0.1)) == 2


def test_a_negative_gap_is_refused() -> None:
    with pytest.raises(ValueError, match="max_gap"):
        BoxTracker(max_gap=-1.0)
