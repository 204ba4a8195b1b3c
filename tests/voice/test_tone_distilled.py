"""The distillation in PyTorch: it computes what the runtime computes, and a whole run on a few texts ships weights."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the distillation needs PyTorch")

import jax  # noqa: E402 - after the question whether PyTorch is there

from mien import InputError  # noqa: E402
from mien_voice import network  # noqa: E402
from mien_voice.labels import EMOTIONS28  # noqa: E402
from mien_voice.tonenetwork import ToneNetwork  # noqa: E402
from mien_voice_lab.training import distil, distilled, languagemodel, ship, speechlike, torchnet, vocabulary  # noqa: E402
from mien_voice_lab.training.data import Corpus, Turn  # noqa: E402

SMALL = {"bag": 4, "width": 8, "blocks": 1, "heads": 2, "hidden": 8}
SIZES = distilled.Sizes(
    sentences=60,
    contrasts=8,
    copies=1,
    pieces=200,
    student=SMALL,
    teacher=SMALL,
    pretraining_steps=2,
    rounds=1,
    teacher_steps=4,
    students=((30, 0.5),),
    batch_size=32,
    workers=1,
)
RATED = [Turn("a table for two", 3.0)] * 4


def corpus() -> Corpus:
    """Five texts, twelve times each."""
    texts = ["i love this so much", "this is awful", "the bus is here", "what is that", "thank you all"] * 12
    targets = np.zeros((60, 28), np.float32)
    targets[
        np.arange(60), [EMOTIONS28.index(n) for n in ("love", "anger", "neutral", "curiosity", "gratitude")] * 12
    ] = 1.0
    return Corpus(texts, targets)


class Run(NamedTuple):
    """A whole run: its folder, and what it said."""

    out: Path
    said: list[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    done = Run(tmp_path_factory.mktemp("distilled"), [])
    words = vocabulary.WordVectors(["love", "awful"], np.ones((2, 6), np.float32), np.ones(2, np.int32))
    sources = distilled.Sources(train=corpus(), dev=corpus(), rated=RATED, spare=["hello there"] * 4, words=words)
    distilled.run(sources, done.out, seconds=60.0, device="cpu", sizes=SIZES, seed=0, say=done.said.append)
    return done


def test_the_deep_half_in_pytorch_is_the_runtimes() -> None:
    config = network.NetworkConfig(features=50, vocabulary=40, bag=4, vector=6, width=8, blocks=2, heads=2, hidden=8)
    rng = np.random.default_rng(0)
    ids, values = rng.integers(0, 50, (3, 9)).astype(np.int32), rng.random((3, 9)).astype(np.float32)
    tokens = rng.integers(1, 40, (3, 7)).astype(np.int32)
    tokens[0, 4:], tokens[1] = 0, 0
    weights = torchnet.initial(config, seed=0, device="cpu")
    runtime, inputs = network.deep_half(config, training=False), network.Inputs(ids, values, tokens)
    drawn = jax.eval_shape(runtime.init, jax.random.key(0), inputs)
    shapes = {f"{module}/{name}": own.shape for module, owned in drawn.items() for name, own in owned.items()}
    assert shapes == {name: tuple(w.shape) for name, w in weights.items()}

    params = network.unflatten({name: tensor.detach().numpy() for name, tensor in weights.items()})
    batch = torchnet.Batch(torch.tensor(ids), torch.tensor(values), torch.tensor(tokens))
    found = torchnet.deep(config, weights, batch, training=False).detach().numpy()
    expected = jax.jit(lambda params: runtime.apply(params, None, inputs))(params)
    assert found == pytest.approx(np.asarray(expected), abs=1e-5)


def test_a_whole_run_ships_weights_that_tell_good_from_bad(made: Run, tmp_path: Path) -> None:
    figures = ship.ship(made.out / "student_0.npz", tmp_path, dev=corpus(), rated=RATED, origin={"command": "x"})
    good, bad = ToneNetwork(tmp_path / "tone.json").predict(["i love this", "this is awful"])
    assert good.valence > 0 > bad.valence
    assert figures["dev_macro_f1_sentiment"] > 0.9
    assert any("teacher 4" in line for line in made.said)


def test_arrays_of_another_kind_or_without_a_half_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no arrays")
    with pytest.raises(InputError, match="as arrays"):
        ship.ship(tmp_path / "a.npz", tmp_path, dev=corpus(), rated=[], origin={})
    np.savez(tmp_path / "b.npz", report=np.zeros(1, np.uint8))
    with pytest.raises(InputError, match=r"lacks wide/table.*too little time"):
        ship.ship(tmp_path / "b.npz", tmp_path, dev=corpus(), rated=[], origin={})


def test_teachers_count_only_for_texts_that_they_did_not_see_and_outputs_that_are_known() -> None:
    task = distil.Task(torch.tensor([[1.0, 1.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    mixed = distil.soft_targets(task, torch.tensor([[1.0, 1.0], [9.0, 9.0]]), torch.tensor([2.0, 0.0]), soft=0.5)
    assert mixed.targets.tolist() == [[0.75, 1.0], [0.0, 0.0]]


def test_each_text_is_in_one_fold() -> None:
    found = distil.folds(103, seed=1)
    assert set(found.tolist()) == set(range(distil.FOLDS))
    assert np.ptp(np.bincount(found)) <= 1


def test_what_an_engine_mishears_keeps_the_sense() -> None:
    assert speechlike.without_signs("No, it's NOT ok... [NAME]!") == "no it's not ok [name]"
    assert speechlike.without_signs("😡!") == "😡!"
    heard = [
        speechlike.misheard("I can't hear you and it is not good.", random.Random(seed), rate=0.3) for seed in range(50)
    ]
    assert len(set(heard)) > 20
    assert all("not" in text and ("can't" in text.lower() or "cant" in text.lower()) for text in heard)


def test_a_contrast_is_on_the_side_of_its_second_half() -> None:
    texts, values = ["lovely view", "awful bed", "a bus"], [0.9, 0.1, 0.5]
    for made in speechlike.contrasts(texts, values, 40, seed=0):
        assert "bus" not in made.text
        first_is_good = made.text.index("lovely") < made.text.index("awful")
        assert (made.satisfaction < 0.5) is first_is_good


def test_words_with_the_same_neighbours_get_similar_vectors(tmp_path: Path) -> None:
    words = ["the", "bad", "awful", "train", "bus", "day", "stops"]
    pairs = [("the", "train"), ("the", "bus"), ("train", "stops"), ("bus", "stops"), ("bad", "day"), ("awful", "day")]
    numbers = np.array([[words.index(a), words.index(b)] for a, b in pairs], np.int32)
    found = vocabulary.from_pairs(words, numbers, width=3)
    near = found.vectors @ found.vectors.T
    assert near[words.index("bad"), words.index("awful")] > 10 * abs(near[words.index("bad"), words.index("train")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "MIN_NEIGHBOURS", 2)
        vocabulary.save(found, tmp_path / "w.npz", width=2)
    kept = vocabulary.load(tmp_path / "w.npz")
    assert set(kept.words) == {"the", "train", "bus", "day", "stops"}
    assert kept.vectors.shape == (5, 2)


def test_a_language_model_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(struct.pack("<19sB", b"Trie Language Model", 2))
    with pytest.raises(InputError, match="order 3"):
        languagemodel.read_pairs(tmp_path / "a.bin")
    with pytest.raises(InputError, match="cannot read"):
        languagemodel.read_pairs(tmp_path / "none.bin")


def test_the_pairs_of_pocketsphinxs_model_are_english() -> None:
    sphinx = pytest.importorskip("pocketsphinx", reason="its language model is not installed")
    words, pairs = languagemodel.read_pairs(Path(sphinx.__file__).parent / "model" / "en-us" / "en-us.lm.bin")
    number = {word: index for index, word in enumerate(words)}
    seen = pairs[pairs[:, 1] == number["service"]][:, 0]
    assert {number["customer"], number["terrible"]} <= set(seen.tolist())
