"""The detector's network: its shape, its cells, and the same answers folded and unfolded."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import numpy.typing as npt
import pytest

from mien_face.config import Arrays
from mien_face.detection.config import OUTPUTS, SIZE_MULTIPLE, UNIT, DetectorConfig
from mien_face.detection.forward import DetectorOutput, cells, decode, forward, normalise, quarters
from mien_face_lab.detection.folding import fold
from mien_face_lab.training.detector.step import initial_arrays
from mien_face_lab.training.jax_operations import JaxOperations

CONFIG = DetectorConfig(stem=4, widths=(4, 8, 8), depths=(0, 1, 1), bottleneck=4, heads=(4, 4, 8))


def random_arrays(seed: int = 0) -> Arrays:
    """Arrays of which none is a no-operation, so that every layer matters."""
    generator = np.random.default_rng(seed)
    arrays = initial_arrays(CONFIG, seed)
    for name, array in arrays.items():
        if not name.endswith(".kernel"):
            arrays[name] = (array + generator.uniform(0.1, 0.9, array.shape)).astype(np.float32)
    return arrays


def run(arrays: Arrays, images: npt.NDArray[Any]) -> DetectorOutput:
    """The folded network's answers."""
    compiled = jax.jit(lambda arrays, images: forward(CONFIG, arrays, images))
    return DetectorOutput(*compiled(fold(CONFIG, arrays), images))


def pictures(count: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3)).astype(np.uint8)


def test_the_shipped_shape_stays_within_its_budget() -> None:
    config = DetectorConfig()

    assert config.flops(240, 320) <= 140e6
    assert sum(2 * layer.side**2 * layer.inputs * layer.outputs for layer in config.layers()) <= 2e6  # float16 bytes


def test_layers_are_listed_as_they_run() -> None:
    layers = {layer.name: layer for layer in CONFIG.layers()}

    assert list(layers) == [
        *("stem", "stages.0.down"),
        *(f"stages.1.{name}" for name in ("down", "blocks.0.reduce", "blocks.0.mix", "blocks.0.expand")),
        *(f"stages.2.{name}" for name in ("down", "blocks.0.reduce", "blocks.0.mix", "blocks.0.expand")),
        *(f"levels.2.{name}" for name in ("lateral", "mix", "answer")),
        *(f"levels.1.{name}" for name in ("lateral", "above", "mix", "answer")),
        *(f"levels.0.{name}" for name in ("lateral", "above", "mix", "answer")),
    ]
    above = layers["levels.1.above"]  # from the coarser level, four outputs for each cell of it
    assert (above.inputs, above.outputs, above.reduction) == (8, 16, 32)
    assert [name for name, layer in layers.items() if not layer.normalised] == [
        f"levels.{level}.answer" for level in (2, 1, 0)
    ]


def test_a_configuration_survives_json() -> None:
    assert DetectorConfig.from_json(CONFIG.to_json()) == CONFIG


@pytest.mark.parametrize(
    "fields",
    [{"widths": (8, 8)}, {"stem": 0}, {"depths": (-1, 0, 0)}, {"long_side": 100}, {"long_side": 0}],
)
def test_an_impossible_configuration_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must"):
        DetectorConfig(**fields)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValueError, match="not a detector's configuration"):
        DetectorConfig.from_json({"depth": 3})


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 16, got 40x64"):
        run(random_arrays(), pictures(1, 40, 64))


@pytest.mark.parametrize(("height", "width"), [(48, 80), (SIZE_MULTIPLE, SIZE_MULTIPLE)])
def test_every_cell_answers(height: int, width: int) -> None:
    count = sum(rows * columns for rows, columns in CONFIG.grids(height, width))

    output = run(random_arrays(), pictures(2, height, width))

    assert output.scores.shape == (2, count)
    assert output.boxes.shape == (2, count, 4)
    assert output.landmarks.shape == (2, count, 5, 2)
    assert np.isfinite(np.asarray(output.boxes)).all()
    assert (np.asarray(output.boxes[..., 2:]) > np.asarray(output.boxes[..., :2])).all()


def test_bytes_and_floats_are_the_same_picture() -> None:
    arrays, images = random_arrays(), pictures(1, 48, 80)

    as_bytes, as_floats = run(arrays, images), run(arrays, images.astype(np.float32))

    np.testing.assert_array_equal(as_bytes.scores, as_floats.scores)


def test_folding_changes_nothing_in_evaluation() -> None:
    arrays, images = random_arrays(), pictures(2, 48, 80)

    def evaluate(images: jax.Array) -> DetectorOutput:
        return decode(CONFIG.walk(JaxOperations(arrays, train=False), normalise(images)))

    expected = DetectorOutput(*jax.jit(evaluate)(images))
    found = run(arrays, images)

    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-2, rtol=1e-4)
    np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=1e-2, rtol=1e-4)


def test_a_cell_that_answers_zeros_means_a_box_of_its_unit_around_it() -> None:
    grids = ((4, 4), (2, 2), (1, 1))
    answers = [jax.numpy.zeros((1, *grid, OUTPUTS)) for grid in grids]

    output = decode(answers)

    np.testing.assert_allclose(output.boxes[0, 0], np.array([4, 4, 4, 4]) + 4 * UNIT * np.array([-1, -1, 1, 1]))
    np.testing.assert_allclose(output.boxes[0, -1], np.array([16, 16, 16, 16]) + 16 * UNIT * np.array([-1, -1, 1, 1]))
    np.testing.assert_allclose(output.landmarks[0, 5], np.full((5, 2), 12))


def test_cells_are_ordered_by_level_row_and_column() -> None:
    centres, units = cells(((1, 2), (1, 1), (1, 1)))

    np.testing.assert_array_equal(centres, [[4, 4], [12, 4], [8, 8], [16, 16]])
    np.testing.assert_array_equal(units[:, 0], [32, 32, 64, 128])


def test_quarters_stay_beside_each_other() -> None:
    coarse = np.arange(2 * 8, dtype=np.float32).reshape(1, 1, 2, 8)

    fine = np.asarray(quarters(jax.numpy.asarray(coarse), 2, 3))

    assert fine.shape == (1, 2, 3, 2)
    np.testing.assert_array_equal(fine[0, 0, 0], coarse[0, 0, 0, :2])  # upper left
    np.testing.assert_array_equal(fine[0, 0, 1], coarse[0, 0, 0, 2:4])  # upper right
    np.testing.assert_array_equal(fine[0, 1, 0], coarse[0, 0, 0, 4:6])  # lower left
    np.testing.assert_array_equal(fine[0, 0, 2], coarse[0, 0, 1, :2])
