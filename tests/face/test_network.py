"""The expression network: its layers, and that all that walks it, trained or folded, says the same."""

from __future__ import annotations

import jax
import numpy as np
import numpy.typing as npt
import pytest

from mien_face import gathered, winograd
from mien_face.config import Arrays, NetworkConfig
from mien_face.forward import convolution, forward, prepare
from mien_face.labels import Head
from mien_face_lab.folding import fold
from mien_face_lab.training.jax_engine import JaxEngine
from mien_face_lab.training.recipe import Recipe
from mien_face_lab.training.state import initial_arrays, is_statistic

SMALL = NetworkConfig(stem=4, widths=(4, 6, 8), depths=(1, 1, 2))


def lived_in(config: NetworkConfig) -> Arrays:
    """Arrays as after some training: no scale, mean or variance has its first value."""
    generator = np.random.default_rng(3)
    arrays = initial_arrays(config, 0)
    for name, array in arrays.items():
        if name.endswith((".scale", ".variance")):
            arrays[name] = generator.uniform(0.5, 1.5, array.shape).astype(np.float32)
        elif name.endswith((".bias", ".mean")):
            arrays[name] = generator.normal(0, 0.3, array.shape).astype(np.float32)
    return arrays


def pictures(count: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(5).standard_normal((count, 48, 48, 1), np.float32)


def trained_logits(config: NetworkConfig, arrays: Arrays, images: npt.NDArray[np.float32]) -> dict[Head, np.ndarray]:
    return JaxEngine(config, Recipe()).logits(arrays, images)


def test_both_heads_answer_for_every_picture() -> None:
    outputs = trained_logits(SMALL, initial_arrays(SMALL, 0), pictures(3))

    assert {head: logits.shape for head, logits in outputs.items()} == {Head.FER2013: (3, 7), Head.FERPLUS: (3, 8)}


def test_the_default_network_has_the_documented_size() -> None:
    config = NetworkConfig()
    arrays = initial_arrays(config, 0)
    parameters = {name: array for name, array in arrays.items() if not is_statistic(name)}

    assert sum(array.size for array in parameters.values()) == 1_256_847


def test_layers_are_listed_as_they_run() -> None:
    config = NetworkConfig(stem=4, widths=(4, 6), depths=(1, 1))

    layers = config.layers()

    assert [layer.name for layer in layers] == [
        *("stem", "blocks.0.first", "blocks.0.second"),
        *("blocks.1.first", "blocks.1.second", "blocks.1.shortcut"),
    ]
    assert [(layer.inputs, layer.outputs) for layer in layers] == [(1, 4), (4, 4), (4, 4), (4, 6), (6, 6), (4, 6)]
    assert [layer.reduction for layer in layers] == [2, 2, 2, 4, 4, 4]
    assert config.operations() == 2 * (24**2 * 4 * (25 + 2 * 9 * 4) + 12**2 * 6 * (9 * 4 + 9 * 6 + 4))
    assert config.parameters() == sum(array.size for array in fold(config, initial_arrays(config, 0)).values())


@pytest.mark.parametrize("count", [1, 4], ids=["gathered", "filtered"])
def test_the_folded_network_answers_as_the_unfolded_one(count: int) -> None:
    config = NetworkConfig(stem=4, widths=(4, 6, 8), depths=(1, 1, 2))
    arrays = lived_in(config)
    images = pictures(count)
    outputs = trained_logits(config, arrays, images)
    expected = np.concatenate([outputs[head] for head in Head], axis=1)

    found = jax.jit(lambda folded, images: forward(config, folded, images))(
        prepare(config, fold(config, arrays)), images
    )

    assert np.abs(expected).max() > 0.01  # an untrained network that says nothing would prove nothing
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"widths": (4, 6), "depths": (1,)},
        {"stem": 0},
        {"dropout": 1.0},
    ],
)
def test_impossible_sizes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        NetworkConfig(**wrong)  # type: ignore[arg-type]


def test_a_config_survives_json() -> None:
    assert NetworkConfig.from_json(SMALL.to_json()) == SMALL


@pytest.mark.parametrize("side", [1, 2, 3, 5, 6])
def test_winograds_convolution_is_a_convolution(side: int) -> None:
    generator = np.random.default_rng(1)
    images = generator.standard_normal((3, side, side, 5), np.float32)
    kernel = generator.standard_normal((3, 3, 5, 4), np.float32)
    expected = jax.lax.conv_general_dilated(
        images, kernel, (1, 1), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )

    found = winograd.convolve(jax.numpy.asarray(images), jax.numpy.asarray(winograd.transform_kernel(kernel)))

    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(("height", "side", "stride"), [(6, 3, 1), (12, 3, 2), (4, 5, 2), (3, 1, 1)])
def test_gathered_neighbours_make_a_convolution(height: int, side: int, stride: int) -> None:
    generator = np.random.default_rng(1)
    images = generator.standard_normal((2, height, height, 5), np.float32)
    kernel = generator.standard_normal((side, side, 5, 4), np.float32)

    found = gathered.convolve(jax.numpy.asarray(images), jax.numpy.asarray(kernel), stride)

    np.testing.assert_allclose(found, convolution(images, kernel, stride), atol=1e-4)
