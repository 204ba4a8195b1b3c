"""Which cell of the detector's network learns which face."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from face.support import CONFIG, POINTS

from mien_face.detection.forward import cells
from mien_face_lab.training.detector.canvas import Canvas
from mien_face_lab.training.detector.targets import BACKGROUND, IGNORED, MOST_FACES, assign, collect


def placed_cells(side: int = 64) -> tuple[Any, Any]:
    grids = CONFIG.grids(side, side)
    centres, units = cells(grids)
    return centres, (units[:, 0] / 4).astype(np.int64)


class TestTargets:
    @pytest.mark.parametrize("seed", range(20))
    def test_every_face_has_a_cell_at_its_centre(self, seed: int) -> None:
        generator = np.random.default_rng(seed)
        centres, strides = placed_cells(256)
        size = np.exp(generator.uniform(np.log(12), np.log(250)))
        middle = generator.uniform(8, 248, 2)
        box = np.concatenate([middle - size / 2, middle + size / 2]).astype(np.float32)

        assigned = assign(box[None], [], centres, strides)

        assert (assigned == 0).any()
        assert np.abs(centres[assigned == 0] - middle).max() <= max(0.2 * size, 0.6 * 32) + 1e-3
        assert set(np.unique(assigned)) <= {BACKGROUND, 0}

    @pytest.mark.parametrize(("size", "stride"), [(20, 8), (80, 16), (200, 32)])
    def test_faces_are_learnt_on_the_level_of_their_size(self, size: float, stride: int) -> None:
        centres, strides = placed_cells(256)
        box = np.array([128 - size / 2, 128 - size / 2, 128 + size / 2, 128 + size / 2], np.float32)

        assigned = assign(box[None], [], centres, strides)

        assert set(strides[assigned == 0]) == {stride}

    def test_a_small_face_before_a_large_one_keeps_its_cells(self) -> None:
        centres, strides = placed_cells(256)
        boxes = np.array([[100, 100, 148, 148], [116, 116, 136, 136]], np.float32)

        assigned = assign(boxes, [], centres, strides)

        assert (assigned == 1).any()

    def test_nothing_is_background_inside_what_may_be_a_face(self) -> None:
        centres, strides = placed_cells()
        ignored = np.array([11, 11, 39, 39], np.float32)

        assigned = assign(np.empty((0, 4), np.float32), [ignored], centres, strides)

        inside = ((centres > 11) & (centres < 39)).all(axis=1)
        assert (assigned[inside] == IGNORED).all()
        assert (assigned[~inside] == BACKGROUND).all()

    def test_faces_beyond_the_places_of_a_batch_are_ignored(self) -> None:
        canvas = Canvas(np.zeros((256, 256, 3), np.uint8))
        for number in range(MOST_FACES + 3):
            shift = np.array([16 * (number % 14), 18 * (number // 14)], np.float32)
            canvas.add(np.array([0, 0, 14, 16], np.float32) + np.tile(shift, 2), POINTS)

        batch = collect(CONFIG, [canvas])

        assert batch.assigned.max() == MOST_FACES - 1
        assert (batch.assigned == IGNORED).any()
