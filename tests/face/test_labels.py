"""Vote rules, worked by hand, and the tables about emotions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from mien_face.labels import (
    DEFAULT_MEANINGS,
    FER2013_LABELS,
    FERPLUS_LABELS,
    ferplus_as_fer2013,
    majority_labels,
    vote_targets,
)

# neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face
CLEAR = [8, 1, 0, 0, 0, 0, 0, 0, 1, 0]  # 8 of 8 once single votes are dropped
SPLIT = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]  # half is not more than half
UNKNOWN_COUNTS = [4, 0, 0, 0, 0, 0, 0, 0, 5, 0]  # 4 of 9
OUTLIERS = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
NO_FACE = [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]


def votes(*rows: list[int]) -> npt.NDArray[np.float32]:
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("row", "expected"), [(CLEAR, 0), (SPLIT, -1), (UNKNOWN_COUNTS, -1), (OUTLIERS, -1), (NO_FACE, -1)]
)
def test_the_majority_needs_more_than_half_of_the_cleaned_votes(row: list[int], expected: int) -> None:
    assert majority_labels(votes(row)).tolist() == [expected]


def test_targets_are_shares_of_the_cleaned_votes_for_emotions() -> None:
    targets, weights = vote_targets(votes([6, 2, 1, 0, 0, 0, 0, 0, 0, 2]))

    assert targets[0].tolist() == [0.75, 0.25, 0, 0, 0, 0, 0, 0]
    assert weights[0] == pytest.approx(0.8)  # 8 of the 10 votes left are for an emotion


@pytest.mark.parametrize("row", [OUTLIERS, NO_FACE])
def test_a_picture_without_votes_for_an_emotion_weighs_nothing(row: list[int]) -> None:
    targets, weights = vote_targets(votes(row))

    assert weights.tolist() == [0]
    assert targets.sum() == pytest.approx(1)


def test_ferplus_emotions_land_on_their_fer2013_namesakes() -> None:
    mapped = ferplus_as_fer2013(np.eye(8, dtype=np.float32))

    names = [FER2013_LABELS[index] for index in mapped.argmax(axis=1)]
    assert dict(zip(FERPLUS_LABELS, names, strict=True)) == {
        "neutral": "neutral",
        "happiness": "happy",
        "surprise": "surprise",
        "sadness": "sad",
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fear",
        "contempt": "angry",
    }
    assert (mapped.sum(axis=1) == 1).all()


def test_every_emotion_has_a_meaning_within_its_ranges() -> None:
    assert set(DEFAULT_MEANINGS) == set(FER2013_LABELS)
    for meaning in DEFAULT_MEANINGS.values():
        assert -1 <= meaning.valence <= 1
        assert 0 <= meaning.satisfaction <= 1
    assert max(DEFAULT_MEANINGS, key=lambda label: DEFAULT_MEANINGS[label].satisfaction) == "happy"
