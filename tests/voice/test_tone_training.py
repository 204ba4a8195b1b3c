"""Training parts on small data: readers, synthetic sentences, fitting, a few steps, and the whole run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mien import InputError, WeightsError, load_weights
from mien_voice.calibration import GROUP_LOGITS, LOGITS, MEMBER_SHARE, pool_groups
from mien_voice.labels import EKMAN_GROUPS, EMOTIONS28, SENTIMENT_GROUPS, group_targets
from mien_voice.tonenetwork import ToneNetwork
from mien_voice_lab import behaviour, evaluation
from mien_voice_lab.training import fitting, linear, run
from mien_voice_lab.training.data import read_dialogues, read_goemotions, satisfaction_targets, split_dialogues
from mien_voice_lab.training.deep import minibatches
from mien_voice_lab.training.synthetic import generate

SMALL = {"bag": 4, "vector": 8, "width": 16, "blocks": 1, "heads": 2, "hidden": 16}
PLAN = run.Plan(epochs=2, threads=1, vocabulary=400, network=SMALL)
BEHAVIOUR = [
    Path(__file__).with_name(name)
    for name in ("tone_behaviour.tsv", "tone_behaviour_new.tsv", "tone_behaviour_third.tsv")
]
DIALOGUE = "USER\tgood thanks\tX\t4,5\nSYSTEM\tbye\tX\t\nUSER\tbad\tX\t2\nUSER\tOVERALL\t\t3,4\n\n"


def rows_of(*names: str) -> np.ndarray:
    return np.array([[float(name in names) for name in EMOTIONS28]], np.float32)


def test_every_emotion_is_in_one_group_of_each_grouping() -> None:
    for groups in (SENTIMENT_GROUPS, EKMAN_GROUPS):
        assert sorted(name for members in groups.values() for name in members) == sorted(EMOTIONS28)


def test_a_group_is_true_where_one_of_its_emotions_is() -> None:
    assert group_targets(rows_of("joy", "fear"), SENTIMENT_GROUPS).tolist() == [[1, 1, 0, 0]]


def test_tables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("I love it\t18,0\tid1\nok\t27\tid2\n")
    corpus = read_goemotions(path)
    assert corpus.texts == ["I love it", "ok"]
    assert corpus.targets.sum(axis=1).tolist() == [2, 1]


@pytest.mark.parametrize("line", ["no tab", "text\t28\tid", "text\tjoy\tid", "text\t\tid"])
def test_a_wrong_table_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(f"fine\t27\tid\n{line}\n")
    with pytest.raises(InputError, match="line 2"):
        read_goemotions(path)


@pytest.mark.parametrize("reader", [read_goemotions, read_dialogues])
def test_missing_and_empty_files_are_refused(tmp_path: Path, reader: Callable[[Path], object]) -> None:
    with pytest.raises(InputError, match="cannot read"):
        reader(tmp_path / "none")
    (tmp_path / "empty").write_text("")
    with pytest.raises(InputError, match="holds no"):
        reader(tmp_path / "empty")


def test_dialogues_are_read_with_mean_ratings(tmp_path: Path) -> None:
    path = tmp_path / "d.txt"
    path.write_text(DIALOGUE * 2)
    first, second = read_dialogues(path)
    assert [turn.rating for turn in first.turns] == [4.5, 2.0]
    assert first == second
    assert first.overall == 3.5


def test_wrong_ratings_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "d.txt"
    path.write_text("USER\thello\tX\tgood\n")
    with pytest.raises(InputError, match="line 1: ratings must be numbers"):
        read_dialogues(path)


def test_splits_share_no_dialogue_and_repeat(tmp_path: Path) -> None:
    path = tmp_path / "d.txt"
    path.write_text("".join(f"USER\ttext {i}\tX\t3\nUSER\tOVERALL\t\t3\n\n" for i in range(10)))
    dialogues = read_dialogues(path)
    fitted, held = split_dialogues(dialogues, share=0.5, seed=1)
    assert {d.turns for d in fitted} | {d.turns for d in held} == {d.turns for d in dialogues}
    assert len(fitted) == len(held) == 5
    assert split_dialogues(dialogues, share=0.5, seed=1) == (fitted, held)


def test_pleasant_emotions_teach_more_satisfaction() -> None:
    good, neutral, bad = (satisfaction_targets(rows_of(name))[0] for name in ("gratitude", "neutral", "anger"))
    assert good > neutral == 0.5 > bad


def test_synthetic_sentences_repeat_and_are_filled() -> None:
    made = generate(500, seed=3)
    assert made == generate(500, seed=3)
    assert not any("{" in one.text for one in made)
    assert all(set(one.emotions) <= set(EMOTIONS28) and 0 <= one.satisfaction <= 1 for one in made)


def words_of(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower()))


def test_no_sentence_of_the_behavioural_tables_is_in_one_that_is_trained_on() -> None:
    made = [words_of(one.text) for one in generate(60_000, seed=run.Plan().seed + 1)]
    whole, joined = set(made), " | ".join(f" {text} " for text in made)
    asked = [words_of(text) for path in BEHAVIOUR for case in behaviour.read_cases(path) for text in case.texts]
    # One or two words ("so good") are parts of many sentences, and may only not be one.
    assert [text for text in asked if text in whole or (text.count(" ") > 1 and f" {text} " in joined)] == []


def test_minibatches_visit_each_text_at_most_once_and_hold_similar_lengths() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 960)
    batches = list(minibatches(lengths, 32, np.random.default_rng(1)))
    visited = np.concatenate(batches)
    assert len(visited) == len(set(visited.tolist())) == 960
    assert np.mean([np.ptp(lengths[rows]) for rows in batches]) < 0.25 * np.ptp(lengths)


def test_the_best_threshold_parts_what_can_be_parted() -> None:
    scores, truth = np.array([0.9, 0.8, 0.3, 0.1], np.float32), np.array([1, 1, 0, 0], np.float32)
    assert 0.3 < fitting.best_threshold(scores, truth) < 0.8


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (400, 35)).astype(np.float32)
    targets = (rng.random((400, 28)) < fitting.sigmoid(logits[:, :28])).astype(np.float32)
    targets[:, 27] = np.maximum(targets[:, 27], targets[:, :27].sum(axis=1) == 0)
    assert fitting.fit_scale(3 * logits[:, :34], targets) > 2 * fitting.fit_scale(logits[:, :34], targets)


def columns_to_learn() -> tuple[csr_matrix, np.ndarray]:
    """Eighty texts of five n-grams, whose columns are not in order; each output is told by an n-gram of its own."""
    rng = np.random.default_rng(0)
    dense = rng.random((80, 5)).astype(np.float32) * (rng.random((80, 5)) < 0.7)
    dense[:, :3] += rng.random((80, 3)).astype(np.float32) > 0.5
    inputs = csr_matrix(dense[:, ::-1])
    inputs.indices = (4 - inputs.indices).astype(np.int32)
    inputs.has_sorted_indices = False
    return inputs, (dense[:, :3] >= 1.0).astype(np.float32)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_regression_depends_on_its_own_output_alone_and_leaves_the_texts_as_they_are(threads: int) -> None:
    inputs, targets = columns_to_learn()
    before = inputs.toarray()
    weight = np.ones_like(targets)
    together = linear.fit(inputs, targets, weight, threads=threads)
    assert np.array_equal(inputs.toarray(), before)
    for column in range(3):
        one = slice(column, column + 1)
        alone = linear.fit(inputs, targets[:, one], weight[:, one], threads=1)
        assert together.table[:, column] == pytest.approx(alone.table[:, 0], abs=1e-2)
    assert together.table.argmax(axis=0).tolist() == [0, 1, 2]


def test_what_tells_of_an_output_gets_a_larger_ratio_in_either_direction() -> None:
    inputs = csr_matrix(np.array([[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 1]], np.float32))
    target = np.array([1, 1, 0, 0], np.float32)
    ratio = linear.log_ratio(inputs, target, np.ones(4, np.float32))
    assert ratio[0] == ratio[1] > 1.0
    assert ratio[2] == pytest.approx(0.0, abs=1e-6)
    assert linear.log_ratio(inputs, target, np.array([0, 0, 1, 1], np.float32))[0] < ratio[0]


def test_a_group_is_pulled_up_by_an_emotion_of_its_own_and_no_emotion_changes() -> None:
    logits = np.full((2, 35), -4.0, np.float32)
    logits[1, EMOTIONS28.index("joy")] = 4.0
    pooled = pool_groups(logits)
    assert np.array_equal(np.delete(pooled, range(28, 34), axis=1), np.delete(logits, range(28, 34), axis=1))
    positive, negative = (LOGITS - len(GROUP_LOGITS) + GROUP_LOGITS.index(name) for name in ("positive", "negative"))
    assert pooled[1, positive] > 0 > pooled[0, positive]
    assert pooled[1, negative] == pooled[0, negative]
    chance = 1 - (1 - fitting.sigmoid(logits[0, 0])) ** 12  # that any of the twelve positive emotions is there
    assert pooled[0, positive] == pytest.approx(
        (1 - MEMBER_SHARE) * -4.0 + MEMBER_SHARE * np.log(chance / (1 - chance)), rel=1e-4
    )


def test_macro_f1_of_perfect_and_of_silent_predictions() -> None:
    truth = np.array([[1, 0], [0, 1]], np.float32)
    assert evaluation.macro_f1(truth > 0, truth)[0] == 1.0
    assert evaluation.macro_f1(truth > 2, truth)[0] == 0.0


def test_the_lexicon_baseline_turns_at_a_negation() -> None:
    assert evaluation.lexicon_score("good food") > 0 > evaluation.lexicon_score("not good food")


def small_folder(folder: Path) -> Path:
    """A folder of tables that a network can learn in seconds."""
    good, bad = (
        ["great lovely food", "i love this", "thank you so much"],
        ["this is awful", "i hate waiting", "so rude"],
    )
    lines = [f"{text}\t18\ti" for text in good] + [f"{text}\t2\ti" for text in bad] + ["the bus is here\t27\ti"]
    for name in ("train.tsv", "dev.tsv"):
        (folder / name).write_text("\n".join(lines * 12) + "\n")
    (folder / "d.txt").write_text(DIALOGUE * 4)
    return folder


class Run(NamedTuple):
    """A whole run of two epochs, and a copy of its folder as it was after the first."""

    folder: Path
    out: Path
    broken: Path
    said: list[str]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("tone")
    done = Run(small_folder(folder), folder / "out", folder / "broken", [])

    def say(line: str) -> None:
        done.said.append(line)
        if line.startswith("epoch 1"):
            shutil.copytree(done.out, done.broken)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "SYNTHETIC_SENTENCES", 400)
        run.train_tone(folder, done.out, dialogues=[folder / "d.txt"], plan=PLAN, say=say)
        yield done


def test_a_whole_run_writes_weights_that_load_and_tell_good_from_bad(whole_run: Run) -> None:
    network = ToneNetwork(whole_run.out / "tone.json")
    good, bad = network.predict(["thank you i love this", "this is awful i hate waiting"])
    assert good.valence > 0 > bad.valence
    assert good.satisfaction > bad.satisfaction
    assert (whole_run.out / "curves.png").stat().st_size > 0
    assert any("epoch 1 of 2" in line for line in whole_run.said)
    manifest, arrays = load_weights(whole_run.out / "tone.json")
    assert manifest.metrics["parameters"] == sum(a.size for name, a in arrays.items() if name != "features/hashes")


def test_a_resumed_run_ends_where_an_unbroken_one_does(whole_run: Run) -> None:
    assert not (whole_run.broken / "tone.json").exists()
    said: list[str] = []

    rated = [whole_run.folder / "d.txt"]
    run.train_tone(whole_run.folder, whole_run.broken, dialogues=rated, plan=PLAN, say=said.append, resume=True)

    assert [line.split(":")[0] for line in said if line.startswith("epoch")] == ["epoch 2 of 2"]
    assert said[-1] == whole_run.said[-1]
    for name in ("tone.safetensors", "tokenizer.json"):
        assert (whole_run.broken / name).read_bytes() == (whole_run.out / name).read_bytes()
    whole, resumed = (
        [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (whole_run.out, whole_run.broken)
    )
    assert resumed == whole


def test_another_runs_folder_is_refused(whole_run: Run) -> None:
    told = whole_run.said.append
    files = {path.name: path.stat().st_mtime_ns for path in whole_run.out.iterdir()}
    with pytest.raises(InputError, match="add --resume, or choose another --out"):
        run.train_tone(whole_run.folder, whole_run.out, dialogues=[], plan=PLAN, say=told)
    other = replace(PLAN, seed=1)
    with pytest.raises(WeightsError, match=r"made with another data, .*seed"):
        run.train_tone(whole_run.folder, whole_run.out, dialogues=[], plan=other, say=told, resume=True)
    assert {path.name: path.stat().st_mtime_ns for path in whole_run.out.iterdir()} == files
