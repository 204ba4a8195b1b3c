"""Suppression is the greedy rule, whatever the boxes; the best answers come first, equals in their own order."""

from __future__ import annotations

import jax
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien_face.detection.forward import DetectorOutput
from mien_face.detection.nms import agreed, candidates, intersections_over_unions, suppress

COUNT = 12
OVERLAP = 0.4

corner = st.integers(0, 30)
side = st.integers(0, 20)
rows = st.lists(st.tuples(corner, corner, side, side), min_size=COUNT, max_size=COUNT)
flags = st.lists(st.booleans(), min_size=COUNT, max_size=COUNT)
compiled = jax.jit(lambda boxes, valid: suppress(boxes, valid, overlap=OVERLAP))


def as_boxes(found: list[tuple[int, int, int, int]]) -> npt.NDArray[np.float32]:
    return np.array([(x, y, x + width, y + height) for x, y, width, height in found], np.float32)


def greedy(boxes: npt.NDArray[np.float32], valid: list[bool]) -> list[bool]:
    overlaps = np.asarray(intersections_over_unions(boxes))
    kept: list[int] = []
    for index in range(len(boxes)):
        if valid[index] and all(overlaps[index, other] <= OVERLAP for other in kept):
            kept.append(index)
    return [index in kept for index in range(len(boxes))]


@given(rows, flags)
def test_it_is_the_greedy_rule(found: list[tuple[int, int, int, int]], valid: list[bool]) -> None:
    boxes = as_boxes(found)
    assert np.asarray(compiled(boxes, np.array(valid))).tolist() == greedy(boxes, valid)


def test_a_chain_of_overlaps_keeps_every_other_box() -> None:
    boxes = as_boxes([(4 * step, 0, 10, 10) for step in range(COUNT)])
    kept = np.asarray(compiled(boxes, np.ones(COUNT, bool)))
    assert kept.tolist() == [step % 2 == 0 for step in range(COUNT)]


def test_overlaps_are_those_of_areas_and_never_nan() -> None:
    overlaps = np.asarray(intersections_over_unions(as_boxes([(0, 0, 10, 10), (5, 0, 10, 10), (3, 3, 0, 0)])))
    assert overlaps[0, 1] == pytest.approx(1 / 3)
    assert overlaps[0, 0] == pytest.approx(1.0)
    assert np.isfinite(overlaps).all()


def test_candidates_are_the_best_answers_of_each_picture_and_equals_keep_their_order() -> None:
    scores = np.array([[0.0, 2.0, -3.0, 2.0], [1.0, -9.0, 0.5, -9.0]], np.float32)
    boxes = np.zeros((2, 4, 4), np.float32)
    boxes[:, :, 0] = np.arange(4) * 100
    boxes[:, :, 2:] = boxes[:, :, :2] + 10
    landmarks = np.repeat(boxes[:, :, None, :2], 5, axis=2)

    found = candidates(
        DetectorOutput(*map(jax.numpy.asarray, (scores, boxes, landmarks))), count=3, overlap=0.4, min_score=0.5
    )

    assert np.asarray(found.boxes)[..., 0].tolist() == [[100, 300, 0], [0, 200, 100]]
    assert np.asarray(found.landmarks)[..., 3, 0].tolist() == [[100, 300, 0], [0, 200, 100]]
    assert np.asarray(found.kept).tolist() == [[True, True, True], [True, True, False]]
    assert np.asarray(found.scores)[0].tolist() == pytest.approx([0.8808, 0.8808, 0.5], abs=1e-4)


def test_answers_about_one_face_agree_on_landmarks_the_surer_the_more() -> None:
    boxes = as_boxes([(0, 0, 20, 20), (1, 0, 20, 20), (60, 0, 20, 20), (5, 5, 0, 0)])
    scores = np.array([0.8, 0.4, 0.9, 0.7], np.float32)
    landmarks = np.repeat(np.array([10, 20, 70, 5], np.float32), 10).reshape(4, 5, 2)

    found = np.asarray(agreed(*map(jax.numpy.asarray, (scores, boxes, landmarks))))

    assert found[:2, 0, 0] == pytest.approx([(16 * 10 + 20) / 17] * 2)
    assert found[2:].tolist() == landmarks[2:].tolist()


def test_an_answer_without_any_score_keeps_its_landmarks() -> None:
    landmarks = np.full((1, 5, 2), 7.0, np.float32)
    boxes = np.array([[0, 0, 10, 10]], np.float32)

    found = np.asarray(agreed(*map(jax.numpy.asarray, (np.zeros(1, np.float32), boxes, landmarks))))

    np.testing.assert_allclose(found, landmarks)
