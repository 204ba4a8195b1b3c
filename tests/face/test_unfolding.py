"""Training that goes on from exported weights, whose normalisation was folded away."""

from __future__ import annotations

import numpy as np
import pytest
from face.small_networks import SMALL, logits, trained

from mien import InputError, WeightsError
from mien_face.config import NORM_EPSILON
from mien_face.factory import EXPRESSION_MANIFEST
from mien_face.inference import ExpressionNetwork
from mien_face.labels import Head
from mien_face.preprocess import normalise
from mien_face_lab.folding import fold
from mien_face_lab.training.jax_engine import JaxEngine
from mien_face_lab.training.networks import RESNET, RESNET_SMALL, RESNETS, Changes, first_weights
from mien_face_lab.training.recipe import Recipe
from mien_face_lab.training.unfolding import FACES, unfold

CROPS = np.random.default_rng(4).integers(0, 256, (FACES + 9, 48, 48)).astype(np.uint8)


def test_an_unfolded_network_answers_as_the_folded_one() -> None:
    arrays = trained(SMALL)
    unfolded = unfold(SMALL, fold(SMALL, arrays), CROPS)

    assert {name: array.shape for name, array in unfolded.items()} == {
        name: array.shape for name, array in arrays.items()
    }
    expected, found = logits(SMALL, arrays), logits(SMALL, unfolded)
    for head in Head:
        np.testing.assert_allclose(found[head], expected[head], atol=1e-4)
    again = fold(SMALL, unfolded)
    for name, array in fold(SMALL, arrays).items():
        np.testing.assert_allclose(again[name], array, atol=1e-4, err_msg=name)


def test_a_channel_that_is_always_silent_stays_so() -> None:
    folded = fold(SMALL, trained(SMALL))
    folded["stem.kernel"][..., 0] = 0

    unfolded = unfold(SMALL, folded, CROPS)

    assert all(np.isfinite(array).all() for array in unfolded.values())
    np.testing.assert_allclose(fold(SMALL, unfolded)["stem.kernel"][..., 0], 0)


def test_statistics_are_those_of_the_faces() -> None:
    """Else the first step, which normalises by its own batch, would see another network."""
    unfolded = unfold(SMALL, fold(SMALL, trained(SMALL)), CROPS[:64])
    images = normalise(CROPS[:64])
    side = unfolded["stem.kernel"].shape[0]
    padded = np.pad(images[..., 0], ((0, 0), (side // 2,) * 2, (side // 2,) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))[:, ::2, ::2]
    outputs = np.einsum("nhwij,ijc->nhwc", windows, unfolded["stem.kernel"][:, :, 0])

    np.testing.assert_allclose(unfolded["stem.mean"], outputs.mean(axis=(0, 1, 2)), atol=1e-3)
    np.testing.assert_allclose(unfolded["stem.variance"], outputs.var(axis=(0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(unfolded["stem.variance"], 1, atol=NORM_EPSILON)


def test_without_a_face_nothing_can_be_unfolded() -> None:
    with pytest.raises(InputError, match="no face to start training with"):
        unfold(SMALL, fold(SMALL, trained(SMALL)), CROPS[:0])


def test_training_can_go_on_from_the_weights_that_ship() -> None:
    arrays = first_weights(RESNET_SMALL, Changes(refine=True), EXPRESSION_MANIFEST, crops=CROPS, seed=0)

    found = JaxEngine(RESNETS[RESNET_SMALL].config, Recipe()).logits(arrays, normalise(CROPS[:4]))
    expected = ExpressionNetwork.load(EXPRESSION_MANIFEST).logits(CROPS[:4])
    np.testing.assert_allclose(np.concatenate([found[head] for head in Head], axis=1), expected, atol=1e-3)
    with pytest.raises(WeightsError, match="does not fit"):
        first_weights(RESNET, Changes(), EXPRESSION_MANIFEST, crops=CROPS, seed=0)
