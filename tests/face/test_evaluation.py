"""Figures, held against cases worked by hand and against scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mien_face_lab.evaluation import evaluate, intervals

NAMES = ("a", "b", "c")


def test_figures_agree_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 3, 200)
    probabilities = generator.dirichlet((1, 1, 1), 200)
    probabilities[np.arange(200), labels] += 0.3
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    answers = probabilities.argmax(axis=1)

    found = evaluate(probabilities, labels, NAMES)

    assert found.n == 200
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, answers))
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(labels, answers))
    assert found.macro_f1 == pytest.approx(metrics.f1_score(labels, answers, average="macro"))
    assert found.nll == pytest.approx(metrics.log_loss(labels, probabilities))
    assert np.array(found.confusion).tolist() == metrics.confusion_matrix(labels, answers).tolist()
    expected = metrics.precision_recall_fscore_support(labels, answers)
    for index, name in enumerate(NAMES):
        each = found.per_class[name]
        assert [each.precision, each.recall, each.f1, each.support] == pytest.approx([row[index] for row in expected])


def test_calibration_error_is_the_weighted_gap_of_confidence_and_accuracy() -> None:
    # two at confidence 0.9, one of them right: gap 0.4; two at 0.6, both right: gap 0.4; the mean over faces is 0.4
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])

    assert evaluate(probabilities, np.array([0, 1, 0, 1]), NAMES[:2]).ece == pytest.approx(0.4)


def test_certain_and_right_answers_have_no_calibration_error() -> None:
    assert evaluate(np.eye(3), np.arange(3), NAMES).ece == 0


def test_a_class_that_does_not_occur_counts_in_no_mean() -> None:
    found = evaluate(np.eye(3)[[0, 1, 1]], np.array([0, 1, 1]), NAMES)

    assert (found.balanced_accuracy, found.macro_f1) == (1, 1)
    assert found.per_class["c"].support == 0


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_labels_out_of_range_are_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match=r"labels must be in \[0, 3\)"):
        evaluate(np.full((2, 3), 1 / 3), np.array(labels), NAMES)


def test_nothing_to_judge_is_refused() -> None:
    with pytest.raises(ValueError, match="a face at least"):
        evaluate(np.zeros((0, 3)), np.zeros(0, np.int64), NAMES)


def test_intervals_hold_the_figures_and_shrink_with_more_faces() -> None:
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 2, 900)
    probabilities = generator.dirichlet((1, 1, 1), 900)
    probabilities[np.arange(900), labels] += 0.4
    probabilities /= probabilities.sum(axis=1, keepdims=True)

    figures, found = evaluate(probabilities, labels, NAMES), intervals(probabilities, labels, NAMES)
    few = intervals(probabilities[:100], labels[:100], NAMES)

    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        low, high = getattr(found, name)
        assert low < getattr(figures, name) < high
        assert high - low < np.diff(getattr(few, name))
    assert found.recall.keys() == {"a", "b"}, "a class without faces has no recall"
    assert all(low < figures.per_class[name].recall < high for name, (low, high) in found.recall.items())


def test_figures_become_plain_data() -> None:
    found = evaluate(np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]), np.array([0, 1]), NAMES)

    plain = json.loads(json.dumps(found.to_json()))

    assert plain["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert plain["calibration"] == {"confidence": [0.8, 0.9], "accuracy": [1.0, 1.0], "counts": [1, 1]}
    assert plain["per_class"]["a"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
