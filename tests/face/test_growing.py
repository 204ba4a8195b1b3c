"""A wider, deeper network that begins where a smaller one ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from face.small_networks import SMALL, logits, trained

from mien import WeightsError
from mien.training import Checkpoints, Kind
from mien_face.config import NetworkConfig
from mien_face.labels import Head
from mien_face_lab.training.growing import grow
from mien_face_lab.training.networks import (
    RESNET,
    RESNET_DEEP,
    RESNET_WIDE,
    RESNETS,
    Changes,
    first_weights,
)
from mien_face_lab.training.state import initial_arrays, initial_state

NO_FACES = np.empty((0, 48, 48), np.uint8)


@pytest.mark.parametrize(
    "large",
    [
        NetworkConfig(stem=5, widths=(4, 6), depths=(1, 1), dropout=0.0),
        NetworkConfig(stem=3, widths=(7, 6), depths=(1, 1), dropout=0.0),
        NetworkConfig(stem=3, widths=(4, 6), depths=(2, 3), dropout=0.0),
        NetworkConfig(stem=8, widths=(9, 16), depths=(2, 2), dropout=0.3),
    ],
    ids=["stem", "width", "depth", "all"],
)
def test_a_grown_network_answers_as_the_one_it_grew_from(large: NetworkConfig) -> None:
    arrays = trained(SMALL)
    grown = grow(arrays, large, seed=3)

    expected, found = logits(SMALL, arrays), logits(large, grown)
    for head in Head:
        np.testing.assert_allclose(found[head], expected[head], atol=1e-5)
    assert {name: array.shape for name, array in grown.items()} == {
        name: array.shape for name, array in initial_arrays(large, 0).items()
    }


def test_new_channels_have_something_to_say() -> None:
    """Each computes a feature already, so that its gradient does not stay at zero."""
    grown = grow(trained(SMALL), NetworkConfig(stem=5, widths=(8, 12), depths=(1, 1)), seed=3)

    assert np.abs(grown["stem.kernel"][..., 3:]).min(axis=(0, 1, 2)).max() > 0
    assert np.abs(grown["blocks.1.second.kernel"][..., 6:]).sum() > 0


def test_a_network_of_the_same_shape_stays_as_it_is() -> None:
    arrays = trained(SMALL)

    for name, array in grow(arrays, SMALL, seed=3).items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize(
    ("smaller", "message"),
    [
        (NetworkConfig(stem=2, widths=(4, 6), depths=(1, 1)), r"does not fit into .*array stem\.kernel"),
        (NetworkConfig(stem=3, widths=(4, 5), depths=(1, 1)), r"does not fit into .*array blocks\.1"),
        (NetworkConfig(stem=3, widths=(4,), depths=(1,)), r"with \(1, 1\) blocks does not fit into one with \(1,\)"),
        (NetworkConfig(stem=4, widths=(4, 6), depths=(1, 1)), "first block"),
    ],
    ids=["stem", "width", "stages", "first block"],
)
def test_a_network_that_does_not_fit_is_refused(smaller: NetworkConfig, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        grow(trained(SMALL), smaller, seed=0)


def test_arrays_of_something_else_are_refused() -> None:
    with pytest.raises(WeightsError, match="not the weights of a network to start from"):
        grow({"0.kernel": np.zeros((3, 3, 1, 8), np.float32)}, SMALL, seed=0)


@pytest.mark.parametrize(("small", "large"), [(RESNET, RESNET_WIDE), (RESNET_WIDE, RESNET_DEEP)])
def test_each_network_can_start_from_the_one_before(tmp_path: Path, small: str, large: str) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(Kind.LAST, initial_state(RESNETS[small].config, 0), epoch=1, about={})

    arrays = first_weights(large, Changes(), tmp_path, crops=NO_FACES, seed=0)

    config = RESNETS[large].config
    assert {name: array.shape for name, array in arrays.items()} == {
        name: array.shape for name, array in initial_arrays(config, 0).items()
    }
    checkpoints.save(Kind.LAST, initial_state(config, 0), epoch=1, about={})
    with pytest.raises(WeightsError, match="does not fit"):
        first_weights(small, Changes(), tmp_path, crops=NO_FACES, seed=0)
