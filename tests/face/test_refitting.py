"""Heads that are fitted anew once a network's features stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien_face.config import NetworkConfig
from mien_face.labels import Head
from mien_face.preprocess import normalise
from mien_face_lab.training.data import FaceData
from mien_face_lab.training.jax_engine import JaxEngine
from mien_face_lab.training.recipe import Recipe, Refit, for_heads
from mien_face_lab.training.refitting import fit_head, refit_heads
from mien_face_lab.training.resnet_learner import ResnetLearner
from mien_face_lab.training.state import initial_arrays, initial_state
from mien_face_lab.training.targets import label_targets

CONFIG = NetworkConfig(stem=4, widths=(4, 6), depths=(1, 1), dropout=0.0)
RECIPE = Recipe(batch_size=8, refit=Refit(penalty=0.01, teacher_shares=for_heads(0.5, 0.5)))


def made_up(count: int = 24) -> FaceData:
    """Happy faces that are bright and sad ones that are not, half of them voted on."""
    generator = np.random.default_rng(0)
    labels = np.where(np.arange(count) % 2 == 0, 3, 4).astype(np.int64)
    crops = generator.integers(0, 256, (count, 48, 48)).astype(np.uint8)
    crops[labels == 3, :24] //= 4
    votes = np.zeros((count, 10), np.float32)
    votes[: count // 2] = np.where(labels[: count // 2, np.newaxis] == 3, np.eye(10)[1], np.eye(10)[3]) * 10
    return FaceData(crops, labels, votes)


def cost(features: np.ndarray, values: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> float:
    logits = features @ kernel + bias
    logarithms = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -float((values * logarithms).sum(axis=1).mean())


@given(seed=st.integers(0, 2**16), penalty=st.floats(1e-3, 1.0))
@settings(max_examples=25)
def test_a_fitted_head_is_the_best_there_is(seed: int, penalty: float) -> None:
    """Small steps away from it, in any direction, cost more."""
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((40, 3)).astype(np.float32)
    values = generator.dirichlet(np.ones(4), 40).astype(np.float32)
    start = generator.standard_normal((3, 4)).astype(np.float32), np.zeros(4, np.float32)

    kernel, bias = fit_head(features, values, np.ones(40, np.float32), start=start, penalty=penalty)

    def total(kernel: np.ndarray, bias: np.ndarray) -> float:
        return cost(features, values, kernel, bias) + penalty * float(((kernel - start[0]) ** 2).sum())

    reached = total(kernel, bias)
    assert reached <= total(*start) + 1e-6
    for _ in range(8):
        aside = kernel + 0.05 * generator.standard_normal(kernel.shape)
        assert reached < total(aside, bias + 0.05 * generator.standard_normal(4)) + 1e-4


def test_a_heavy_penalty_keeps_a_head_as_it_was() -> None:
    features = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    values = np.eye(4, dtype=np.float32)[np.arange(40) % 4]
    start = np.ones((3, 4), np.float32), np.zeros(4, np.float32)

    kernel, _ = fit_head(features, values, np.ones(40, np.float32), start=start, penalty=1e4)

    np.testing.assert_allclose(kernel, start[0], atol=1e-3)


def test_faces_that_do_not_count_do_not_matter() -> None:
    features = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    values = np.eye(4, dtype=np.float32)[np.arange(40) % 4]
    weights = (np.arange(40) < 20).astype(np.float32)
    start = np.zeros((3, 4), np.float32), np.zeros(4, np.float32)

    found = fit_head(features, values, weights, start=start, penalty=0.01)

    expected = fit_head(features[:20], values[:20], weights[:20], start=start, penalty=0.01)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-2)


def test_only_the_heads_are_changed_and_a_mirrored_face_counts_alike() -> None:
    data, arrays = made_up(), initial_arrays(CONFIG, 0)
    before = {name: array.copy() for name, array in arrays.items()}
    targets = label_targets(data, smoothing=0.05)
    mirrored = replace(data, crops=np.ascontiguousarray(data.crops[:, :, ::-1]))
    engine = JaxEngine(CONFIG, RECIPE)

    found, of_mirrored = (refit_heads(engine, arrays, each, targets, penalty=0.01) for each in (data, mirrored))

    changed = {name for name in arrays if not np.array_equal(found[name], before[name])}
    assert changed == {f"{head}.{part}" for head in Head for part in ("kernel", "bias")}
    for name, array in before.items():
        np.testing.assert_array_equal(arrays[name], array)
        np.testing.assert_allclose(of_mirrored[name], found[name], atol=1e-2)


def test_a_head_that_nobody_voted_for_stays() -> None:
    data, arrays = made_up(), initial_arrays(CONFIG, 0)
    unvoted = replace(data, votes=np.zeros_like(data.votes))

    found = refit_heads(
        JaxEngine(CONFIG, RECIPE), arrays, unvoted, label_targets(unvoted, smoothing=0.05), penalty=0.01
    )

    np.testing.assert_array_equal(found["ferplus.kernel"], arrays["ferplus.kernel"])
    assert (found["fer2013.kernel"] != arrays["fer2013.kernel"]).any()


def test_a_learner_refits_what_it_exports_if_its_recipe_says_so() -> None:
    data, state = made_up(), initial_state(CONFIG, 0)

    def finished(recipe: Recipe) -> dict[str, np.ndarray]:
        learner = ResnetLearner("resnet", JaxEngine(CONFIG, recipe), CONFIG, recipe)
        return dict(learner.finish(state, data).averaged)

    as_it_was, refitted = finished(replace(RECIPE, refit=None)), finished(RECIPE)

    np.testing.assert_array_equal(as_it_was["fer2013.bias"], state.averaged["fer2013.bias"])
    values, _ = label_targets(data, smoothing=RECIPE.label_smoothing)[Head.FER2013]
    features = JaxEngine(CONFIG, RECIPE).features(state.averaged, normalise(data.crops))
    assert cost(features, values, refitted["fer2013.kernel"], refitted["fer2013.bias"]) < cost(
        features, values, as_it_was["fer2013.kernel"], as_it_was["fer2013.bias"]
    )


def test_classes_that_are_weighed_while_training_are_weighed_when_heads_are_refitted() -> None:
    data, state = made_up(24), initial_state(CONFIG, 0)
    uneven = data.take(np.flatnonzero((data.labels == 3) | (np.arange(24) < 6)))

    def bias(weigh_classes: bool) -> np.ndarray:
        learner = ResnetLearner("resnet", JaxEngine(CONFIG, RECIPE), CONFIG, RECIPE, weigh_classes=weigh_classes)
        return np.asarray(learner.finish(state, uneven).averaged["fer2013.bias"])

    even, counted = bias(True), bias(False)
    assert even[3] - even[4] < counted[3] - counted[4]


def test_another_share_of_the_teacher_holds_for_refitting_too() -> None:
    changed = RECIPE.with_teacher_share(0.9)

    assert changed.refit is not None
    assert dict(changed.teacher_shares) == dict(changed.refit.teacher_shares) == dict(for_heads(0.9, 0.9))
    assert replace(RECIPE, refit=None).with_teacher_share(0.9).refit is None


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_what_is_exported_can_be_mixed_with_what_a_run_began_with(share: float) -> None:
    data, state, start = made_up(), initial_state(CONFIG, 0), initial_arrays(CONFIG, 1)
    recipe = Recipe(batch_size=8, start_share=share)
    learner = ResnetLearner("resnet", JaxEngine(CONFIG, recipe), CONFIG, recipe, start=start)

    finished = learner.finish(state, data)

    for name, array in finished.averaged.items():
        expected = share * start[name] + (1 - share) * state.averaged[name]
        np.testing.assert_allclose(array, expected, atol=1e-6, err_msg=name)
    assert ("start" in learner.describe()) == (share > 0)  # a resumed run has to begin with the same
