"""Late, early, repeated, and clocks that jump: everything counts once, in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

Make: TypeAlias = Callable[..., Any]


def test_out_of_order_within_the_tolerance_counts_by_its_time(session: Make, snapshot: Make, face: Make) -> None:
    readings = [(0.9, 0.0), (0.2, 1.0), (0.6, 2.0), (0.4, 3.0)]
    ordered, shuffled = session(), session()
    for satisfaction, at in readings:
        ordered.push(snapshot(face(satisfaction, at=at), at=at))
    for i in (0, 3, 1, 2):
        satisfaction, at = readings[i]
        shuffled.push(snapshot(face(satisfaction, at=at), at=at))
    one, other = ordered.state(), shuffled.state()
    assert other.satisfaction.score == pytest.approx(one.satisfaction.score)
    assert other.satisfaction.interval.low == pytest.approx(one.satisfaction.interval.low, abs=0.03)
    assert other.snapshots == 4
    assert other.emotion_percentages == one.emotion_percentages


def test_a_duplicate_is_not_counted_twice(session: Make, snapshot: Make, face: Make) -> None:
    followed = session()
    once = followed.push(snapshot(face(0.8, at=1), face(0.3, at=1, subject_id="b"), at=1))
    again = followed.push(snapshot(face(0.3, at=1, subject_id="b"), face(0.8, at=1), at=1))
    assert again == once
    assert followed.close().duplicates == 1


def test_a_duplicate_after_the_memory_is_full_is_refused_as_late(session: Make, snapshot: Make, face: Make) -> None:
    followed = session(late_tolerance_seconds=1000.0, max_snapshots=1000)
    for at in range(600):
        followed.push(snapshot(face(at=at), at=at))
    before = followed.state()
    for at in (5, 150, 250, 340, 345, 599):
        followed.push(snapshot(face(at=at), at=at))
    assert followed.state() == before
    summary = followed.close()
    assert (summary.late, summary.duplicates) == (4, 2)


def test_too_late_does_not_count(session: Make, snapshot: Make, face: Make) -> None:
    followed = session(late_tolerance_seconds=5.0)
    followed.push(snapshot(face(0.9, at=20), at=20))
    before = followed.state()
    assert followed.push(snapshot(face(0.1, at=14.9), at=14.9)) == before
    assert followed.push(snapshot(face(0.1, at=15.0), at=15.0)).snapshots == 2
    assert followed.close().late == 1


def test_speech_may_lag_pictures(session: Make, snapshot: Make, face: Make, words: Make) -> None:
    followed = session(late_tolerance_seconds=5.0)
    for at in range(20):
        followed.push(snapshot(face(at=at), at=at))
    assert followed.push(words(0.2, at=2.0)).utterances == 1


def test_a_clock_that_jumps_ahead_does_not_wipe_the_evidence(session: Make, snapshot: Make, face: Make) -> None:
    followed = session(half_life_seconds=20.0)
    for at in range(10):
        followed.push(snapshot(face(0.9, at=at), at=at))
    state = followed.push(snapshot(face(0.1, at=1e9), at=1e9))
    assert state.at == pytest.approx(9 + 30.0)
    assert state.satisfaction.score > 0.5
    after = followed.push(snapshot(face(0.1, at=1e9 + 1), at=1e9 + 1))
    assert after.at == pytest.approx(40.0)
    assert after.snapshots == 12


def test_one_wild_time_stamp_costs_nothing_after_it(session: Make, snapshot: Make, face: Make) -> None:
    followed = session()
    for at in (0.0, 1.0, 5e8, 2.0, 3.0, 4.0):
        state = followed.push(snapshot(face(at=at), at=at))
    assert state.snapshots >= 3
    later = [followed.push(snapshot(face(at=at), at=at)).snapshots for at in (50.0, 51.0, 52.0)]
    assert later[-1] - state.snapshots >= 2


def test_a_clock_set_back_loses_two_pictures_and_goes_on(session: Make, snapshot: Make, face: Make) -> None:
    followed = session()
    for at in range(1000, 1010):
        followed.push(snapshot(face(at=at), at=at))
    for at in range(10, 20):
        state = followed.push(snapshot(face(0.2, at=at), at=at))
    assert state.snapshots == 18
    assert state.at == pytest.approx(1009 + 7)
    assert followed.close().late == 2


def test_resending_everything_counts_nothing_twice(session: Make, snapshot: Make, face: Make) -> None:
    followed = session()
    sent = [snapshot(face(at=at), at=at) for at in range(60)]
    for each in sent:
        followed.push(each)
    before = followed.state()
    for each in sent:
        followed.push(each)
    assert followed.state() == before


def test_negative_times_are_times(session: Make, snapshot: Make) -> None:
    followed = session()
    followed.push(snapshot(at=-2.0))
    assert followed.push(snapshot(at=-1.0)).snapshots == 2
