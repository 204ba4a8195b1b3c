"""The published networks: their sizes, their layers in Flax and PyTorch, training them, their files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from mien import InputError, WeightsError
from mien_face.config import INPUT_SIZE
from mien_face.labels import EXPRESSIONS, FER2013_LABELS, FERPLUS_LABELS
from mien_face_lab.classifiers import load_classifier
from mien_face_lab.training import journal
from mien_face_lab.training.augment import Augmentation
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.journal import EpochReport
from mien_face_lab.training.learner import StepFigures
from mien_face_lab.training.networks import Changes, learner_of
from mien_face_lab.training.run import train
from mien_face_lab.training.schedule import Decline, Schedule
from mien_face_lab.training.zoo_engine import JaxZooEngine, ZooBatch
from mien_face_lab.training.zoo_learner import ZooLearner, ZooState
from mien_face_lab.training.zoo_recipe import ZooRecipe
from mien_face_lab.training.zoo_recipes import PUBLISHED
from mien_face_lab.zoo.catalogue import ZOO, ZooNetwork
from mien_face_lab.zoo.classifier import ZooClassifier, network_input, save_network
from mien_face_lab.zoo.layers import (
    Conv,
    Dense,
    Depthwise,
    Dropout,
    Flatten,
    GlobalMean,
    Norm,
    Pool,
    Relu,
    Residual,
    trace,
)
from mien_face_lab.zoo.neighbours import KnnClassifier
from mien_face_lab.zoo.network import build, initial_arrays, is_statistic, network_of, shifted_sum

RECIPE = ZooRecipe(epochs=2, batch_size=8, schedule=Schedule(0.02))
SMALL = ZooNetwork(
    name="mini_xception",  # one of every layer, under a name that manifests may have
    source="a test",
    body=(
        *(Conv(4, same=False, bias=False), Norm(), Relu(), Pool(2, 2, same=True)),
        Residual(
            branch=(Depthwise(), Conv(6, 1), Norm(), Pool(3, 2, same=True)),
            shortcut=(Conv(6, 1, stride=2, bias=False), Norm()),
        ),
        *(Pool(3, 2), Flatten(), Dense(8), Relu(), Norm(), Dropout(0.0)),
    ),
    published="nothing",
)


@pytest.fixture(scope="module")
def engine() -> JaxZooEngine:
    """Compiled once for all tests; it holds no state."""
    return JaxZooEngine(SMALL, 7)


def made_up(count: int = 24, names: tuple[str, ...] = FER2013_LABELS) -> FaceData:
    """Bright left half is happy, bright right half is sad."""
    generator = np.random.default_rng(0)
    labels = np.where(np.arange(count) % 2 == 0, names.index("happy"), names.index("sad"))
    crops = generator.integers(0, 60, (count, 48, 48)).astype(np.uint8)
    crops[::2, :, :24] += 150
    crops[1::2, :, 24:] += 150
    return FaceData(crops, labels.astype(np.int64), np.zeros((count, 10), np.float32), names)


def batch() -> ZooBatch:
    data = made_up(8)
    images = (data.crops[..., None] / 255).astype(np.float32)
    return ZooBatch(images, data.labels, np.linspace(0.5, 1.5, 8).astype(np.float32))


@pytest.mark.parametrize(
    ("name", "classes", "expected"),
    [
        ("ward2018", 6, (935_846, 1_984)),
        ("shaikh2021", 6, (1_661_126, 896)),
        ("shaikh2021", 7, (1_670_343, 896)),
        ("smart2022", 7, (4_478_727, 3_968)),
        ("kurmi2022", 7, (2_345_607, 0)),
        ("mini_xception", 7, (58_423, 1_472)),
        ("delorenzo2019", 7, (2_716_647, 1_920)),
    ],
)
def test_networks_have_their_published_size(name: str, classes: int, expected: tuple[int, int]) -> None:
    network = ZOO[name]
    stack = nnx.eval_shape(lambda: build(network, classes, rngs=nnx.Rngs(0)))
    sizes: Mapping[str, int] = {
        ".".join(map(str, path)): int(np.prod(variable.shape)) for path, variable in nnx.to_flat_state(nnx.state(stack))
    }

    assert network.parameters(classes) == expected
    assert sum(sizes.values()) == expected[0]
    assert sum(size for path, size in sizes.items() if is_statistic(path)) == expected[1]


@pytest.mark.parametrize(("name", "features"), [("kurmi2022", 2048), ("delorenzo2019", 4608), ("shaikh2021", 9216)])
def test_networks_flatten_to_their_published_width(name: str, features: int) -> None:
    network = ZOO[name]
    flat = [step.outputs for step in trace(network.layers(7), network.input_shape) if isinstance(step.layer, Flatten)]

    assert flat == [(features,)]


def test_operations_are_counted() -> None:
    network = ZooNetwork("x", "x", (Conv(2, 3, same=False), GlobalMean()), "x", input_side=4)

    assert network.operations(7) == 2 * (2 * 2 * 2 * 9 + 2 * 7)


def test_paths_of_a_residual_must_meet() -> None:
    with pytest.raises(ValueError, match="end differently"):
        list(trace((Residual((Conv(2),), (Conv(3),)),), (4, 4, 1)))


def test_first_weights_follow_the_publication_and_the_seed() -> None:
    wide, ward = (replace(SMALL, kernel_deviation=deviation) for deviation in (None, 0.01))

    first, again, other = (initial_arrays(wide, 7, seed)["7.kernel"] for seed in (0, 0, 1))
    narrow = initial_arrays(ward, 7, 0)["7.kernel"]

    limit = np.sqrt(6 / sum(first.shape))
    assert limit / 2 < np.abs(first).max() <= limit
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert 0.01 < np.abs(narrow).max() <= 0.02
    assert initial_arrays(wide, 7, 0)["9.bias"].sum() == 0


def test_shifted_multiply_adds_are_a_depthwise_convolution() -> None:
    generator = np.random.default_rng(0)
    features = generator.standard_normal((2, 5, 6, 3)).astype(np.float32)
    kernel = generator.standard_normal((3, 3, 3)).astype(np.float32)

    expected = jax.lax.conv_general_dilated(
        features, kernel[:, :, None], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=3
    )

    np.testing.assert_allclose(shifted_sum(jnp.asarray(features), jnp.asarray(kernel)), expected, atol=1e-5)


def test_pytorch_computes_the_flax_networks(engine: JaxZooEngine) -> None:
    pytest.importorskip("torch")
    from mien_face_lab.training.zoo_torch import TorchZooEngine

    arrays, one = initial_arrays(SMALL, 7, 0), batch()
    generator = np.random.default_rng(1)
    for name in arrays:
        if is_statistic(name):
            arrays[name] = (arrays[name] + generator.uniform(0, 0.5, arrays[name].shape)).astype(np.float32)
    reference, other = engine, TorchZooEngine(SMALL, 7)

    expected, found = (each.gradients(arrays, one, seed=0) for each in (reference, other))

    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    assert found.accuracy == expected.accuracy
    assert found.parameters.keys() == expected.parameters.keys()
    for name, gradient in expected.parameters.items():
        np.testing.assert_allclose(found.parameters[name], gradient, atol=1e-5, rtol=1e-3, err_msg=name)
    for name, statistic in expected.statistics.items():
        np.testing.assert_allclose(found.statistics[name], statistic, atol=1e-6, rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(other.logits(arrays, one.images), reference.logits(arrays, one.images), atol=1e-5)


def test_steps_learn_and_change_no_state_that_was_given_out(engine: JaxZooEngine) -> None:
    learner = ZooLearner(SMALL, FER2013_LABELS, RECIPE, engine)
    data = made_up(64)
    state = first = learner.initial(0)
    before = {name: np.array(array) for name, array in first.arrays.items()}

    losses = []
    for epoch in (1, 2):
        for each in learner.batches(data, seed=0, epoch=epoch):
            state, figures = learner.step(state, each, rate=learner.rate(step=state.step, steps=16, reductions=0))
            losses.append(figures.loss)

    assert losses[-1] < 0.6 * losses[0]
    assert state.step == 16
    for name, array in before.items():
        np.testing.assert_array_equal(first.arrays[name], array)


class StopError(Exception):
    """The run is killed."""


class Silent:
    """Shows nothing, and may end a run after its first epoch."""

    def __init__(self, *, stop: bool = False) -> None:
        self._stop = stop

    def step(self, *, epoch: int, step: int, steps: int, figures: StepFigures) -> None:
        pass

    def epoch(self, report: EpochReport) -> None:
        if self._stop:
            raise StopError


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: JaxZooEngine
) -> None:
    monkeypatch.setattr(journal, "save_curves", lambda *_, **__: None)
    recipe = replace(RECIPE, augmentation=Augmentation())
    monkeypatch.setattr(ZooLearner, "ships_best", False)  # the last state is what shows that nothing was lost
    learner, data = ZooLearner(SMALL, FER2013_LABELS, recipe, engine), made_up(16)

    def run(out: Path, observer: Silent) -> ZooState:
        outcome = train(learner, training=data, validation=data, seed=3, out=out, resume=True, observer=observer)
        state: ZooState = outcome.state
        return state

    whole = run(tmp_path / "whole", Silent())
    with pytest.raises(StopError):
        run(tmp_path / "broken", Silent(stop=True))
    resumed = run(tmp_path / "broken", Silent())

    assert resumed.step == whole.step == 4
    for first, second in zip(jax.tree.leaves(whole), jax.tree.leaves(resumed), strict=True):
        np.testing.assert_array_equal(first, second)


def test_an_epoch_is_the_same_for_the_same_seed_only(engine: JaxZooEngine) -> None:
    recipe = ZooRecipe(epochs=1, batch_size=8, schedule=Schedule(1), augmentation=Augmentation(), class_weights=True)
    learner = ZooLearner(SMALL, FER2013_LABELS, recipe, engine)
    data = made_up(24)

    first, again, other = (next(learner.batches(data, seed=seed, epoch=1)) for seed in (0, 0, 1))

    np.testing.assert_array_equal(first.images, again.images)
    assert (first.images != other.images).any()
    np.testing.assert_allclose(first.weights, 1)  # both classes are of one size


def test_kernels_are_pulled_to_zero_where_the_recipe_says_so(engine: JaxZooEngine) -> None:
    recipe = ZooRecipe(epochs=1, batch_size=8, schedule=Schedule(1), kernel_penalty=1000.0)
    plain, pulled = (ZooLearner(SMALL, FER2013_LABELS, each, engine) for each in (RECIPE, recipe))
    state = plain.initial(0)

    after = [learner.step(state, batch(), rate=0.01)[0].arrays["0.kernel"] for learner in (plain, pulled)]

    assert np.abs(after[1]).sum() < np.abs(after[0]).sum()


def export(out: Path, names: tuple[str, ...] = FER2013_LABELS) -> Path:
    path = out / "mini_xception.json"
    save_network(path, SMALL, names, initial_arrays(SMALL, len(names), 0), metrics={}, training={})
    return path


def test_exported_weights_say_how_good_they_are(tmp_path: Path, engine: JaxZooEngine) -> None:
    learner = ZooLearner(SMALL, FER2013_LABELS, RECIPE, engine)
    state, data = learner.initial(0), made_up()

    manifest = learner.export(state, validation=data, out=tmp_path, training={"command": "a test"})

    assert manifest.metrics["accuracy"] == learner.judge(state, data).accuracy
    assert (manifest.network, manifest.metrics["n"], manifest.training["command"]) == (SMALL.name, 24, "a test")
    assert (tmp_path / "mini_xception.safetensors").exists()


def test_saved_weights_classify_as_the_network_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien_face_lab.zoo.classifier.ZOO", {SMALL.name: SMALL})
    classifier = load_classifier(export(tmp_path))
    crops = made_up(5).crops
    stack = network_of(SMALL, 7, initial_arrays(SMALL, 7, 0))
    stack.eval()
    expected = jax.nn.softmax(jax.jit(lambda images: stack(images))((crops[..., None] / 255).astype(np.float32)))

    answers = classifier.probabilities(crops)

    np.testing.assert_allclose(answers.combined, expected, atol=1e-5)
    happy = (FER2013_LABELS.index("happy"), FERPLUS_LABELS.index("happiness"))
    np.testing.assert_array_equal(answers.ferplus[:, happy[1]], answers.combined[:, happy[0]])
    assert not answers.ferplus[:, FERPLUS_LABELS.index("contempt")].any()
    assert classifier.probabilities(crops[:0]).combined.shape == (0, 7)
    assert classifier.manifest.network == SMALL.name


@pytest.mark.parametrize(
    ("names", "labels"),
    [(FER2013_LABELS[2:5], FER2013_LABELS), (EXPRESSIONS, EXPRESSIONS)],
)
def test_answers_stand_in_the_order_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], labels: tuple[str, ...]
) -> None:
    monkeypatch.setattr("mien_face_lab.zoo.classifier.ZOO", {SMALL.name: SMALL})

    classifier = ZooClassifier.load(export(tmp_path, names))
    answers = classifier.classify(made_up(3).crops)

    assert classifier.labels == labels
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    unknown = [index for index, label in enumerate(labels) if label not in names]
    assert not answers[:, unknown].any()


def test_files_that_are_not_this_networks_weights_are_refused(tmp_path: Path) -> None:
    path = export(tmp_path)
    with pytest.raises(WeightsError, match="do not fit: these are not the arrays of mini_xception for 7 classes"):
        load_classifier(path)  # arrays of the small network under the name of the published one
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"network": "another"}))
    with pytest.raises(
        WeightsError, match="holds weights of 'another'; known networks are mien-face-resnet, delorenzo2019"
    ):
        load_classifier(path)
    path.write_text(json.dumps(about | {"sha256": "0" * 64}))
    with pytest.raises(WeightsError, match="its sha256 is"):
        load_classifier(path)
    with pytest.raises(WeightsError, match="is not a weight manifest"):
        load_classifier(tmp_path / "mini_xception.safetensors")


def test_light_is_evened_out_as_it_was_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien_face_lab.zoo.classifier.ZOO", {SMALL.name: SMALL})
    path = export(tmp_path)
    plain = load_classifier(path)
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"training": {"preparation": {"equalise": "histogram"}}}))

    equalising = load_classifier(path)

    crops = np.random.default_rng(0).integers(60, 90, (3, 48, 48)).astype(np.uint8)
    assert np.abs(equalising.probabilities(crops).combined - plain.probabilities(crops).combined).max() > 1e-4


def test_nearest_neighbours_find_what_they_were_given(tmp_path: Path) -> None:
    data = made_up(40)
    classifier = KnnClassifier.fit(data.crops, data.labels, data.names)

    answers = classifier.classify(data.crops)

    assert answers.shape == (40, 7)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(answers.argmax(axis=1), data.labels)
    classifier.save(tmp_path / "knn.json", metrics={}, training={})
    loaded = load_classifier(tmp_path / "knn.json")
    np.testing.assert_array_equal(loaded.probabilities(data.crops).combined, answers)


def test_every_name_makes_a_learner_with_its_published_recipe() -> None:
    for name, network in ZOO.items():
        learner = learner_of(name, Changes(), labels=FER2013_LABELS)
        described = learner.describe()
        assert (learner.name, learner.epochs, learner.batch_size) == (
            name,
            PUBLISHED[name].epochs,
            PUBLISHED[name].batch_size,
        )
        assert described["labels"] == list(network.labels or FER2013_LABELS)
    assert learner_of("resnet", Changes(), labels=FER2013_LABELS).name == "resnet"


def test_recipes_can_be_changed() -> None:
    changes = Changes(epochs=3, batch_size=5, peak_rate=0.5, decline=Decline.COSINE, patience=0, class_weights=True)
    learner = learner_of("delorenzo2019", changes, labels=EXPRESSIONS)

    assert (learner.epochs, learner.batch_size, learner.patience) == (3, 5, None)
    assert learner.rate(step=5, steps=10, reductions=0) == pytest.approx(0.25)
    assert learner.describe()["recipe"]["class_weights"] is True


def test_an_unknown_network_is_told_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"no network 'vgg'; known are resnet, resnet-wide, resnet-deep, .*ward2018, knn"
    ):
        learner_of("vgg", Changes(), labels=FER2013_LABELS)


def test_inputs_are_brought_to_the_networks_size() -> None:
    crops = made_up(2).crops

    assert network_input(crops, INPUT_SIZE).shape == (2, 48, 48, 1)
    assert network_input(crops, 50).shape == (2, 50, 50, 1)
    assert float(network_input(crops, 50).max()) <= 1
