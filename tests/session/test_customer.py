"""Who the customer is: the most prominent face, held on to; or everybody; and never who stands in a left-out region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from mien import Box
from mien.session import CustomerPolicy, SessionEnd

Make: TypeAlias = Callable[..., Any]

NEAR = Box(220, 140, 200, 200)
FAR = Box(20, 20, 60, 60)


def test_the_largest_most_central_face_is_the_customer(session: Make, snapshot: Make, face: Make) -> None:
    followed = session()
    state = followed.push(
        snapshot(face(0.1, subject_id="queue", box=FAR, emotion="sad"), face(0.9, subject_id="customer", box=NEAR))
    )
    assert state.subject_id == "customer"
    assert state.satisfaction.score == pytest.approx(0.9)
    assert state.emotion_percentages == {"happy": 100.0, "neutral": 0.0, "sad": 0.0}
    assert state.subjects == {}


def test_of_two_equal_faces_the_central_one_is_the_customer(session: Make, snapshot: Make, face: Make) -> None:
    middle, edge = Box(270, 190, 100, 100), Box(0, 0, 105, 105)
    state = session().push(snapshot(face(subject_id="edge", box=edge), face(subject_id="middle", box=middle)))
    assert state.subject_id == "middle"


def test_a_face_that_leans_in_for_a_moment_does_not_become_the_customer(
    session: Make, snapshot: Make, face: Make
) -> None:
    followed = session(new_customer="restart")
    big, small = Box(120, 40, 400, 400), Box(270, 190, 100, 100)
    chosen = []
    for at, leaning in enumerate([False, True, True, False, True, True, True, True]):
        box = big if leaning else FAR
        state = followed.push(
            snapshot(face(subject_id="a", box=small, at=at), face(subject_id="b", box=box, at=at), at=at)
        )
        chosen.append(state.subject_id)
    assert chosen == ["a"] * 6 + ["b"] * 2


def test_a_customer_who_looks_away_stays_the_customer_for_a_while(session: Make, snapshot: Make, face: Make) -> None:
    followed = session(new_customer="restart")
    followed.push(snapshot(face(subject_id="a", box=NEAR)))
    state = followed.push(snapshot(face(0.0, subject_id="b", box=FAR, at=2), at=2))
    assert state.subject_id == "a"
    assert state.satisfaction.contributions["face"].samples == 1
    state = followed.push(snapshot(face(subject_id="b", box=FAR, at=4), at=4))
    assert state.subject_id == "b"
    assert state.satisfaction.contributions["face"].samples == 1


def test_words_belong_to_the_customer(session: Make, snapshot: Make, face: Make, words: Make) -> None:
    followed = session()
    followed.push(snapshot(face()))
    assert set(followed.push(words(0.8)).satisfaction.contributions) == {"face", "voice"}


def test_everybody_has_their_own_satisfaction_and_the_group_has_one(session: Make, snapshot: Make, face: Make) -> None:
    followed = session(customer_policy=CustomerPolicy.ALL)
    for at in range(5):
        state = followed.push(
            snapshot(face(0.9, subject_id="a", at=at), face(0.1, subject_id="b", at=at, emotion="sad"), at=at)
        )
    assert state.subject_id == ""
    assert {name: round(each.score, 3) for name, each in state.subjects.items()} == {"a": 0.9, "b": 0.1}
    assert state.satisfaction.score == pytest.approx(0.5)
    assert state.emotion_percentages == {"happy": 50.0, "neutral": 0.0, "sad": 50.0}
    assert {name: round(each.score, 3) for name, each in followed.close().subjects.items()} == {"a": 0.9, "b": 0.1}


def test_a_crowd_does_not_grow_the_session_and_the_group_keeps_it(session: Make, snapshot: Make, face: Make) -> None:
    followed = session(customer_policy=CustomerPolicy.ALL, max_snapshots=1000)
    for at in range(100):
        state = followed.push(snapshot(face(subject_id=f"s{at}", at=at), at=at))
    assert list(state.subjects) == [f"s{at}" for at in range(84, 100)]
    assert followed.close().overall.contributions["face"].samples == 100


def test_who_stands_in_a_left_out_region_is_nobody(session: Make, snapshot: Make, face: Make) -> None:
    followed = session(exclude_regions=((0.0, 0.0, 0.25, 1.0),))
    staff = Box(0, 100, 150, 300)  # its middle lies at 12 % of the width
    state = followed.push(snapshot(face(0.0, subject_id="staff", box=staff), face(0.9, subject_id="a", box=NEAR)))
    assert state.subject_id == "a"
    alone = followed.push(snapshot(face(0.0, subject_id="staff", box=staff, at=60), at=60))
    assert alone.subject_id == "a"
    assert alone.satisfaction.score == pytest.approx(0.9)


def standing(face: Make, snapshot: Make, subject_id: str, times: range | list[float], **given: Any) -> list[Any]:
    """Somebody who stands at the counter, a picture every half second."""
    return [snapshot(face(subject_id=subject_id, at=at, **given), at=at) for at in times]


HALVES = [each / 2 for each in range(9)]


def ends(session: Any, observations: list[Any]) -> list[float]:
    """When the session had ended."""
    return [each.at for each in observations if session.end is None and session.push(each).end is not None]


def test_a_next_customer_ends_the_session_within_a_second_and_is_no_part_of_it(
    session: Make, snapshot: Make, face: Make
) -> None:
    followed = session()
    assert ends(followed, standing(face, snapshot, "a", HALVES, box=NEAR)) == []
    followed.push(snapshot(face(subject_id="a", box=Box(0, 140, 120, 200), at=4.5), at=4.5))
    for at in (5.0, 5.5, 6.0, 6.5):
        followed.push(snapshot(at=at))
    following = standing(face, snapshot, "b", [7.0, 7.5, 8.0, 8.5], satisfaction=0.0, box=NEAR)
    [end] = ends(followed, following)
    assert end <= 8.0
    summary = followed.close()
    assert summary.end is SessionEnd.NEXT_CUSTOMER
    assert summary.overall.score == pytest.approx(0.9), "nothing of the next one counts"
    assert (summary.interval.start, summary.interval.end) == (0.0, 4.5), "nor does the time in which nobody was there"


def test_a_customer_who_comes_back_under_another_track_is_the_same(session: Make, snapshot: Make, face: Make) -> None:
    followed = session()
    times = HALVES
    assert ends(followed, standing(face, snapshot, "a", times, box=NEAR)) == []
    back = standing(face, snapshot, "b", [at + 7 for at in times], box=Box(230, 150, 190, 190))
    assert ends(followed, back) == []
    assert followed.close().overall.contributions["face"].samples == 18


def test_who_passes_by_in_front_of_the_customer_is_not_the_next_one(session: Make, snapshot: Make, face: Make) -> None:
    followed = session()
    assert ends(followed, standing(face, snapshot, "a", HALVES, box=NEAR)) == []
    passing = [
        snapshot(face(subject_id="p", at=at, box=Box(left, 100, 260, 260)), at=at)
        for at, left in ((4.5, 0), (5.0, 180), (5.5, 370))
    ]
    assert ends(followed, passing) == []
    assert ends(followed, standing(face, snapshot, "a", [6.0, 6.5, 7.0], box=NEAR)) == []


def test_a_track_that_left_by_the_border_and_comes_back_is_somebody_else(
    session: Make, snapshot: Make, face: Make
) -> None:
    followed = session()
    assert ends(followed, standing(face, snapshot, "a", HALVES, box=NEAR)) == []
    leaving = [snapshot(face(subject_id="a", at=4.5, box=Box(0, 140, 110, 200)), at=4.5), snapshot(at=5.0)]
    assert ends(followed, leaving) == []
    coming = snapshot(face(subject_id="a", at=5.5, box=Box(60, 140, 200, 200)), at=5.5)
    assert followed.push(coming).end is SessionEnd.NEXT_CUSTOMER


def test_a_session_may_begin_anew_with_the_next_customer(
    session: Make, snapshot: Make, face: Make, words: Make
) -> None:
    followed = session(new_customer="restart", expected_modalities=frozenset({"face"}))
    assert ends(followed, standing(face, snapshot, "a", HALVES, box=NEAR)) == []
    followed.push(snapshot(face(subject_id="a", box=Box(0, 140, 120, 200), at=4.5), at=4.5))
    following = standing(face, snapshot, "b", [7.0, 7.5, 8.0, 8.5], satisfaction=0.2, box=NEAR)
    assert ends(followed, following) == []
    followed.push(words(0.9, at=4.0))
    summary = followed.close()
    assert summary.overall.score == pytest.approx(0.2), "the one before said those words"
    assert summary.interval.start > 4.5


def test_words_of_the_next_customer_are_not_those_of_the_one_before(
    session: Make, snapshot: Make, face: Make, words: Make
) -> None:
    followed = session()
    assert ends(followed, standing(face, snapshot, "a", HALVES, box=NEAR)) == []
    followed.push(snapshot(face(subject_id="a", box=Box(0, 140, 120, 200), at=4.5), at=4.5))
    assert ends(followed, standing(face, snapshot, "b", [7.0, 7.5, 8.0], box=NEAR)) != []
    followed.push(words(0.1, at=6.5))
    followed.push(words(0.9, at=3.0))
    summary = followed.close()
    assert (summary.utterances, summary.overall.contributions["voice"].score) == (1, pytest.approx(0.9))
