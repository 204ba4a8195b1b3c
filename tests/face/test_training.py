"""The shipped network's recipe: changing faces, learning from them by either engine, exporting what was learnt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from face.support import ENGINES, made_engine

from mien import read_manifest
from mien_face.config import NetworkConfig
from mien_face.inference import Calibration, ExpressionNetwork
from mien_face.labels import FER2013_LABELS, Head
from mien_face.preprocess import normalise
from mien_face_lab.training.augment import Augmentation, augment
from mien_face_lab.training.data import FaceData
from mien_face_lab.training.export import COUNTER_BIAS, export, fit_calibration, fit_temperature
from mien_face_lab.training.jax_engine import JaxEngine
from mien_face_lab.training.loop import Engine, train_step
from mien_face_lab.training.recipe import Batch, Phase, Recipe, batches, steps_in_epoch
from mien_face_lab.training.recipes import WIDE_RECIPE
from mien_face_lab.training.state import initial_arrays, initial_state, read_start, save_state

CONFIG = NetworkConfig(stem=4, widths=(4, 8), depths=(1, 1), dropout=0.0)
RECIPE = Recipe(epochs=2, batch_size=8, peak_rate=0.05)


def made_up(count: int = 24) -> FaceData:
    """Faces whose class is written into them: bright left half is happy, bright right half is sad."""
    generator = np.random.default_rng(0)
    labels = np.where(np.arange(count) % 2 == 0, 3, 4)
    crops = generator.integers(0, 60, (count, 48, 48)).astype(np.uint8)
    crops[labels == 3, :, :24] += 150
    crops[labels == 4, :, 24:] += 150
    votes = np.zeros((count, 10), np.float32)
    votes[labels == 3, 1] = 10
    votes[labels == 4, 3] = 10
    return FaceData(crops, labels.astype(np.int64), votes)


def first_batch(recipe: Recipe = RECIPE) -> Batch:
    return next(batches(made_up(), recipe, seed=0, epoch=1))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    yield from made_engine("mien_face_lab.training", request.param, CONFIG, RECIPE)


def test_steps_lower_the_loss(engine: Engine) -> None:
    state, batch = initial_state(CONFIG, 0), first_batch()
    losses = []
    for _ in range(12):
        state, figures = train_step(engine, RECIPE, state, batch, rate=0.05)
        losses.append(figures.loss)

    assert state.step == 12
    assert losses[-1] < 0.7 * losses[0]


def test_gradients_are_taken_uphill_where_a_recipe_says_so(engine: Engine) -> None:
    """One step of sharpness-aware minimisation, without momentum and decay, against its definition."""
    recipe = replace(RECIPE, momentum=0.0, weight_decay=0.0, sharpness_radius=0.3)
    state, batch = initial_state(CONFIG, 0), first_batch()
    here = engine.gradients(state.arrays, batch, seed=state.step).parameters
    norm = np.sqrt(sum(float((gradient**2).sum()) for gradient in here.values()))
    uphill = state.arrays | {name: state.arrays[name] + 0.3 * gradient / norm for name, gradient in here.items()}

    after, figures = train_step(engine, recipe, state, batch, rate=0.1)

    there = engine.gradients({name: array.astype(np.float32) for name, array in uphill.items()}, batch, seed=0)
    assert there.loss > figures.loss
    for name, gradient in there.parameters.items():
        np.testing.assert_allclose(after.arrays[name], state.arrays[name] - 0.1 * gradient, atol=1e-5, err_msg=name)
    on_the_spot, _ = train_step(engine, replace(recipe, sharpness_radius=0.0), state, batch, rate=0.1)
    np.testing.assert_array_equal(after.arrays["stem.mean"], on_the_spot.arrays["stem.mean"])


def test_a_step_changes_no_array_that_it_was_given(engine: Engine) -> None:
    state = initial_state(CONFIG, 0)
    before = {name: array.copy() for name, array in state.arrays.items()}

    after, _ = train_step(engine, RECIPE, state, first_batch(), rate=0.05)

    for name, array in before.items():
        np.testing.assert_array_equal(state.arrays[name], array)
    assert (after.arrays["fer2013.kernel"] != before["fer2013.kernel"]).any()
    assert (after.arrays["stem.mean"] != before["stem.mean"]).any()


def test_both_engines_compute_the_same_network() -> None:
    pytest.importorskip("torch")
    from mien_face_lab.training.torch_engine import TorchEngine

    one_shard = TorchEngine(CONFIG, RECIPE, shards=1)
    reference = JaxEngine(CONFIG, RECIPE)
    arrays, batch = initial_arrays(CONFIG, 0), first_batch()
    for name in arrays:
        if name.endswith(".second.scale"):  # at zero, half of the network would not be compared
            arrays[name] += 1

    found, expected = (each.gradients(arrays, batch, seed=0) for each in (one_shard, reference))

    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    for name, gradient in expected.parameters.items():
        np.testing.assert_allclose(found.parameters[name], gradient, atol=1e-5, rtol=1e-3, err_msg=name)
    found_logits, expected_logits = (each.logits(arrays, batch.images) for each in (one_shard, reference))
    for head in Head:
        np.testing.assert_allclose(found_logits[head], expected_logits[head], atol=1e-5)
    found_features, expected_features = (each.features(arrays, batch.images) for each in (one_shard, reference))
    np.testing.assert_allclose(found_features, expected_features, atol=1e-5)
    one_shard.close()


def test_a_run_can_start_from_the_weights_of_another(tmp_path: Path) -> None:
    other = tmp_path / "checkpoint.safetensors"
    trained, _ = train_step(JaxEngine(CONFIG, RECIPE), RECIPE, initial_state(CONFIG, 0), first_batch(), rate=0.05)
    save_state(other, trained, epoch=1, settings={})

    started = initial_state(CONFIG, 5, read_start(other))

    assert started.step == 0
    for name, array in trained.averaged.items():
        np.testing.assert_array_equal(started.arrays[name], array)


def test_exported_weights_answer_as_the_network_they_are_of(tmp_path: Path) -> None:
    data, arrays = made_up(), initial_arrays(CONFIG, 0)
    path = tmp_path / "expression.json"

    export(CONFIG, arrays, validation=data, manifest_path=path, training={"command": "none"})

    exported = ExpressionNetwork.load(path)
    outputs = JaxEngine(CONFIG, RECIPE).logits(arrays, normalise(data.crops))
    expected = np.concatenate([outputs[head] for head in Head], axis=1)
    np.testing.assert_allclose(exported.logits(data.crops), expected, atol=1e-3)
    assert read_manifest(path).metrics["fer2013_n"] == len(data)


def test_the_fitted_temperature_undoes_an_overconfident_scale() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (4000, 5)).astype(np.float32)
    powers = np.exp(logits)
    shares = (powers / powers.sum(axis=1, keepdims=True)).cumsum(axis=1)
    labels = (generator.random((4000, 1)) > shares).sum(axis=1).clip(0, 4)

    assert fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.05)


def test_where_there_are_votes_their_head_answers_for_people_at_a_counter() -> None:
    faces = made_up()
    logits = np.random.default_rng(0).normal(size=(len(faces), 15)).astype(np.float32)

    voted = fit_calibration(logits, faces)
    unvoted = fit_calibration(logits, replace(faces, votes=np.zeros_like(faces.votes)))

    raised = dict(zip(FER2013_LABELS, voted.combined_bias, strict=True))
    assert voted.ferplus_share == 1.0
    assert {label: value for label, value in raised.items() if value} == dict(COUNTER_BIAS)
    assert unvoted == Calibration(fer2013_temperature=voted.fer2013_temperature)


def test_augmentation_is_repeatable_and_keeps_its_input() -> None:
    crops = made_up().crops
    before = crops.copy()

    first, second = (augment(crops, Augmentation(), np.random.default_rng(7)) for _ in range(2))

    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(crops, before)
    assert (first != crops).any(axis=(1, 2)).all()


def test_a_mirror_alone_is_an_exact_mirror() -> None:
    crops = made_up().crops
    only_mirror = Augmentation(rotation=0, scale=0, shift=0, mirror=1, erase=0)

    np.testing.assert_array_equal(augment(crops, only_mirror, np.random.default_rng(0)), crops[:, :, ::-1])


def test_every_spoiling_changes_a_face_and_keeps_its_shape() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (4, 48, 48)).astype(np.uint8)
    nothing = Augmentation(rotation=0, scale=0, shift=0, mirror=0, erase=0)
    for name in ("erase", "cover", "blur", "coarse", "noise"):
        changed = augment(crops, replace(nothing, **{name: 1.0}), np.random.default_rng(1))
        assert changed.shape == crops.shape
        assert all((before != after).any() for before, after in zip(crops, changed, strict=True)), name


def test_phases_set_size_rate_and_mixing_of_their_epochs() -> None:
    phases = (Phase(1, 24, (0.1, 0.1)), Phase(2, 48, (0.1, 0.0), mixup=1.0))
    recipe = Recipe(epochs=3, batch_size=7, phases=phases, repeats=(1, 1, 1, 1, 2, 1, 1))
    data = made_up(20)

    first = list(batches(data, recipe, seed=0, epoch=1))
    second = list(batches(data, recipe, seed=0, epoch=2))

    assert len(first) == steps_in_epoch(data, recipe) == 30 // 7
    assert first[0].images.shape == (7, 24, 24, 1)
    assert second[0].images.shape == (7, 48, 48, 1)
    assert (first[0].targets[Head.FER2013][0].max(axis=1) > 0.9).all()
    assert any((batch.targets[Head.FER2013][0].max(axis=1) < 0.9).any() for batch in second)
    for batch in second:
        np.testing.assert_allclose(batch.targets[Head.FER2013][0].sum(axis=1), 1, rtol=1e-5)
    assert [recipe.rate(progress) for progress in (0, 1 / 3, 2 / 3, 1)] == pytest.approx([0.1, 0.1, 0.05, 0.0])


def test_a_phase_says_how_often_faces_are_spoilt() -> None:
    always = Augmentation(rotation=0, scale=0, shift=0, mirror=0, erase=1)
    phases = (Phase(1, 48, (0.1, 0.1), spoiling=0.0), Phase(1, 48, (0.1, 0.0)))
    recipe = Recipe(epochs=2, batch_size=24, augmentation=always, phases=phases)
    data = made_up()
    unspoilt = {image.tobytes() for image in normalise(data.crops)}

    clear, spoilt = (next(batches(data, recipe, seed=0, epoch=epoch)).images for epoch in (1, 2))

    assert {image.tobytes() for image in clear} == unspoilt
    assert not {image.tobytes() for image in spoilt} & unspoilt


@pytest.mark.parametrize("epochs", [8, 12, 21, 46, 100])
def test_phases_keep_their_shares_of_a_longer_or_shorter_run(epochs: int) -> None:
    recipe = WIDE_RECIPE.with_epochs(epochs)

    assert [phase.side for phase in recipe.phases] == [phase.side for phase in WIDE_RECIPE.phases]
    share = WIDE_RECIPE.phases[0].epochs / WIDE_RECIPE.epochs
    assert recipe.phases[0].epochs == pytest.approx(share * epochs, abs=0.51)
    assert recipe.rate(1) == pytest.approx(0)


def test_another_highest_rate_keeps_the_proportions_of_all_phases() -> None:
    recipe = WIDE_RECIPE.with_peak(WIDE_RECIPE.rate(0) / 2)

    for progress in (0, 0.3, 0.7, 0.9):
        assert recipe.rate(progress) == pytest.approx(WIDE_RECIPE.rate(progress) / 2)
    assert RECIPE.with_peak(0.01).rate(RECIPE.warm_up) == pytest.approx(0.01)


def test_a_run_shorter_than_its_phases_is_refused() -> None:
    with pytest.raises(ValueError, match="4 phases"):
        WIDE_RECIPE.with_epochs(3)


def test_phases_must_fill_the_run() -> None:
    with pytest.raises(ValueError, match="sum to 5"):
        Recipe(epochs=5, phases=(Phase(4, 48, (0.1, 0.0)),))


def test_no_augmentation_leaves_faces_alone() -> None:
    crops = made_up().crops
    nothing = Augmentation(rotation=0, scale=0, shift=0, mirror=0, erase=0)

    np.testing.assert_array_equal(augment(crops, nothing, np.random.default_rng(0)), crops)


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    rates = [RECIPE.rate(progress) for progress in (0, 0.25, 0.6, 1)]

    assert rates[1] == pytest.approx(RECIPE.peak_rate)
    assert rates[0] < rates[1] > rates[2] > rates[3] == pytest.approx(0)


def test_an_epoch_shows_each_face_once() -> None:
    recipe = Recipe(batch_size=6, augmentation=Augmentation(rotation=0, scale=0, shift=0, mirror=0, erase=0))
    shown = np.concatenate([batch.images for batch in batches(made_up(), recipe, seed=0, epoch=1)])

    assert len({image.tobytes() for image in shown}) == len(shown) == 24
