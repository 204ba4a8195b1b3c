"""Who the customer is: the most prominent face, held on to; or everybody; and never who stands in a left-out region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from mien import Box
from mien.session import CustomerPolicy

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
    followed = session()
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
    followed = session()
    followed.push(snapshot(face(subject_id="a", box=NEAR)))
    state = followed.push(snapshot(face(0.0, subject_id="b", box=FAR, at=2), at=2))
    assert state.subject_id == "a"
    assert state.satisfaction.contributions["face"].samples == 1
    state = followed.push(snapshot(face(subject_id="b", box=FAR, at=4), at=4))
    assert state.subject_id == "b"
    assert state.satisfaction.contributions["face"].samples == 2


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
