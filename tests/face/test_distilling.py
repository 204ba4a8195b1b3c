"""What a network learns from: labels, and the answers of teachers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import InputError, WeightsError
from mien_face.config import NetworkConfig
from mien_face.inference import ExpressionNetwork, softmax
from mien_face.labels import FER2013_LABELS, HEAD_LABELS, Head
from mien_face_lab.training.data import FaceData
from mien_face_lab.training.distilling import Teacher
from mien_face_lab.training.export import export
from mien_face_lab.training.jax_engine import JaxEngine
from mien_face_lab.training.networks import Changes, learner_of
from mien_face_lab.training.recipe import Recipe, batches, for_heads
from mien_face_lab.training.resnet_learner import ResnetLearner
from mien_face_lab.training.state import initial_arrays
from mien_face_lab.training.targets import label_targets, taught, weigh_undecided
from mien_face_lab.training.votes import drawn_to_votes

CONFIG = NetworkConfig(stem=4, widths=(4, 6), depths=(1, 1), dropout=0.0)


def made_up(count: int = 12) -> FaceData:
    """Faces with votes for every second one."""
    generator = np.random.default_rng(0)
    votes = np.zeros((count, 10), np.float32)
    votes[::2, 1], votes[::2, 2] = 7, 3
    crops = generator.integers(0, 256, (count, 48, 48)).astype(np.uint8)
    return FaceData(crops, (np.arange(count) % 7).astype(np.int64), votes)


def _uniform(count: int) -> dict[Head, np.ndarray]:
    """The answers of a teacher that knows nothing."""
    return {head: np.full((count, len(names)), 1 / len(names), np.float32) for head, names in HEAD_LABELS.items()}


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two exported networks that disagree."""
    paths = []
    for seed in (1, 2):
        arrays = initial_arrays(CONFIG, seed)
        for head in Head:
            arrays[f"{head}.kernel"] *= 100  # an untrained head says almost nothing
        paths.append(tmp_path_factory.mktemp("teacher") / "expression.json")
        export(CONFIG, arrays, validation=made_up(), manifest_path=paths[-1], training={})
    return paths


def test_teachers_look_at_a_face_and_its_mirror_image(manifests: list[Path]) -> None:
    crops = made_up().crops
    teacher = Teacher.load(manifests)

    answers = teacher.answers(crops)
    of_mirrored = teacher.answers(np.ascontiguousarray(crops[:, :, ::-1]))

    for head, labels in HEAD_LABELS.items():
        assert answers[head].shape == (12, len(labels))
        np.testing.assert_allclose(answers[head].sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(of_mirrored[head], answers[head], atol=1e-6)


def test_teachers_answer_by_the_mean_of_their_logarithms(manifests: list[Path]) -> None:
    crops = made_up().crops
    views = (crops, crops[:, :, ::-1].copy())
    looks = [ExpressionNetwork.load(path).logits(view)[:, :7] for path in manifests for view in views]
    logarithms = np.mean([np.log(softmax(look, temperature=1)) for look in looks], axis=0)

    answers = Teacher.load(manifests).answers(crops)

    expected = np.exp(logarithms) / np.exp(logarithms).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers[Head.FER2013], expected, atol=1e-5)


def test_a_teacher_that_is_no_expression_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read the weight manifest"):
        Teacher.load([tmp_path / "nowhere.json"])
    with pytest.raises(ValueError, match="at least one network"):
        Teacher([])


@given(share=st.floats(0, 1), smoothing=st.floats(0, 0.5), seed=st.integers(0, 2**16))
def test_mixed_targets_are_distributions(share: float, smoothing: float, seed: int) -> None:
    data = made_up()
    generator = np.random.default_rng(seed)
    answers = {
        head: generator.dirichlet(np.ones(len(labels)), len(data)).astype(np.float32)
        for head, labels in HEAD_LABELS.items()
    }

    mixed = taught(label_targets(data, smoothing=smoothing), answers, shares=for_heads(share, share))

    for head in Head:
        values, weights = mixed[head]
        np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-4)
        np.testing.assert_array_equal(weights, 1)
    np.testing.assert_array_equal(mixed[Head.FERPLUS][0][1::2], answers[Head.FERPLUS][1::2])  # nobody voted on these


def test_what_most_people_saw_can_be_the_target() -> None:
    data = made_up(2)  # seven of ten people saw happiness on the first face; nobody voted on the second
    votes = data.votes.copy()
    votes[1, :4] = (3, 3, 2, 2)
    data = FaceData(data.crops, data.labels, votes)

    all_votes, mixed, most = (
        label_targets(data, smoothing=0.0, majority_share=share)[Head.FERPLUS][0] for share in (0.0, 0.5, 1.0)
    )

    np.testing.assert_allclose(all_votes[0, :3], [0, 0.7, 0.3], atol=1e-6)
    np.testing.assert_allclose(mixed[0, :3], [0, 0.85, 0.15], atol=1e-6)
    np.testing.assert_allclose(most[0, :3], [0, 1, 0], atol=1e-6)
    np.testing.assert_array_equal(most[1], all_votes[1])
    softened = label_targets(data, smoothing=0.08, majority_share=1.0)[Head.FERPLUS][0]
    np.testing.assert_allclose(softened[0, :3], [0.01, 0.93, 0.01], atol=1e-6)


def test_faces_without_a_majority_can_count_for_less() -> None:
    data = made_up(4)
    targets = label_targets(data, smoothing=0.05)

    weights = weigh_undecided(taught(targets, _uniform(4), shares=for_heads(0.5, 0.5)), data, weight=0.25)

    np.testing.assert_array_equal(weights[Head.FERPLUS][1], [1, 0.25, 1, 0.25])
    np.testing.assert_array_equal(weights[Head.FER2013][1], 1)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_each_heads_share_says_how_much_a_teacher_counts(share: float) -> None:
    data = made_up()
    labels = label_targets(data, smoothing=0.05)
    answers = _uniform(12)

    mixed = taught(labels, answers, shares=for_heads(share, 1 - share))

    for head, taught_alone in ((Head.FER2013, share == 1), (Head.FERPLUS, share == 0)):
        known = labels[head][1] > 0
        expected = answers[head] if taught_alone else labels[head][0]
        np.testing.assert_allclose(mixed[head][0][known], expected[known], rtol=1e-6)


def test_votes_that_go_with_a_label_draw_the_teacher_to_it() -> None:
    """Votes for happiness go with happy on most faces, so a face that drew them is likely happy whatever its label."""
    votes = np.zeros((40, 10), np.float32)
    votes[:20, 1], votes[20:, 3] = 10, 10
    labels = np.repeat([3, 4], 20)
    labels[0] = 4  # a doubtful one
    data = FaceData(np.zeros((40, 48, 48), np.uint8), labels, votes)
    unsure = np.full((40, 7), 1 / 7, np.float32)

    drawn = drawn_to_votes(unsure, data, share=0.5)

    assert (drawn.argmax(axis=1) == np.repeat([3, 4], 20)).all()
    np.testing.assert_array_equal(drawn_to_votes(unsure, data, share=0.0), unsure)


@given(share=st.floats(0.01, 1), seed=st.integers(0, 2**16))
def test_answers_drawn_to_votes_are_distributions(share: float, seed: int) -> None:
    data = made_up()
    answers = np.random.default_rng(seed).dirichlet(np.ones(7), len(data)).astype(np.float32)

    drawn = drawn_to_votes(answers, data, share=share)

    np.testing.assert_allclose(drawn.sum(axis=1), 1, rtol=1e-4)
    assert (drawn > 0).all()
    np.testing.assert_array_equal(drawn[1::2], answers[1::2])  # nobody voted on these


def test_a_recipe_says_how_far_votes_draw_its_teacher(manifests: list[Path]) -> None:
    recipe = Recipe(batch_size=12, teacher_shares=for_heads(1.0, 1.0), votes_share=0.5)
    teacher, data = Teacher.load(manifests[:1]), made_up()
    learner = ResnetLearner("resnet", JaxEngine(CONFIG, recipe), CONFIG, recipe, teacher=teacher)

    batch = next(learner.batches(data, state=learner.initial(0), seed=0, epoch=1))

    answers = teacher.answers(data.crops)
    expected = drawn_to_votes(answers[Head.FER2013], data, share=0.5)
    found = {head: values for head, (values, _) in batch.targets.items()}
    np.testing.assert_allclose(np.sort(found[Head.FER2013], axis=0), np.sort(expected, axis=0), atol=1e-6)
    np.testing.assert_allclose(np.sort(found[Head.FERPLUS], axis=0), np.sort(answers[Head.FERPLUS], axis=0), atol=1e-6)


def test_a_learner_asks_its_teacher_once(manifests: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    answer = Teacher.answers
    monkeypatch.setattr(Teacher, "answers", lambda self, crops: asked.append(len(crops)) or answer(self, crops))
    recipe = Recipe(epochs=2, batch_size=4, teacher_shares=for_heads(1.0, 1.0))
    learner = ResnetLearner("resnet", JaxEngine(CONFIG, recipe), CONFIG, recipe, teacher=Teacher.load(manifests[:1]))
    data, state = made_up(), learner.initial(0)

    found = [
        batch.targets[Head.FER2013][0]
        for epoch in (1, 2)
        for batch in learner.batches(data, state=state, seed=0, epoch=epoch)
    ]

    assert asked == [len(data)]
    expected = Teacher.load(manifests[:1]).answers(data.crops)[Head.FER2013]
    for epoch in (found[:3], found[3:]):
        rows = np.concatenate(epoch)
        np.testing.assert_allclose(np.sort(rows, axis=0), np.sort(expected, axis=0), atol=1e-6)


def test_a_run_knows_its_teachers(manifests: list[Path]) -> None:
    """So that it is not resumed with others, and its weights can be made again."""
    alone = learner_of("resnet", Changes(), labels=FER2013_LABELS)
    guided = learner_of("resnet", Changes(), labels=FER2013_LABELS, teacher=Teacher.load(manifests))

    assert alone.describe()["teachers"] == []
    assert guided.describe()["teachers"] == [ExpressionNetwork.load(path).manifest.sha256 for path in manifests]


def test_targets_given_to_an_epoch_replace_those_of_the_labels() -> None:
    data, recipe = made_up(), Recipe(batch_size=12)
    values = np.eye(7, dtype=np.float32)[np.zeros(12, np.int64)]
    targets = {**label_targets(data, smoothing=0), Head.FER2013: (values, np.ones(12, np.float32))}

    batch = next(batches(data, recipe, seed=0, epoch=1, targets=targets))

    np.testing.assert_array_equal(batch.targets[Head.FER2013][0], values)


@pytest.mark.parametrize("option", ["start", "refine", "finish", "teacher"])
def test_networks_of_the_zoo_keep_their_published_recipe(manifests: list[Path], option: str) -> None:
    start = initial_arrays(CONFIG, 0) if option == "start" else None
    teacher = Teacher.load(manifests) if option == "teacher" else None
    changes = Changes(refine=option == "refine", finish=option == "finish")

    with pytest.raises(InputError, match=r"--start, --refine, --finish and --teacher are for resnet, resnet-wide,"):
        learner_of("ward2018", changes, labels=FER2013_LABELS, start=start, teacher=teacher)
