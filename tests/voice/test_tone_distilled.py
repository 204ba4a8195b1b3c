"""The distillation in PyTorch: what it computes is what the runtime computes, and a whole run of it on a few texts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the distillation needs PyTorch")

from mien_voice_lab.training import distilled, vocabulary  # noqa: E402 - after the question whether PyTorch is there
from mien_voice_lab.training.data import Corpus, Turn  # noqa: E402

SMALL = {"bag": 4, "width": 8, "blocks": 1, "heads": 2, "hidden": 8}
SIZES = distilled.Sizes(
    sentences=60,
    contrasts=8,
    copies=1,
    pieces=200,
    student=SMALL,
    teacher=SMALL,
    pretraining_steps=4,
    teacher_steps=6,
    students=((8, 0.5),),
    batch_size=32,
    workers=1,
)


def corpus() -> Corpus:
    texts = ["i love this so much", "this is awful", "the bus is here", "what is that", "thank you all"] * 12
    targets = np.zeros((60, 28), np.float32)
    targets[np.arange(60), [18, 2, 27, 7, 15] * 12] = 1.0
    return Corpus(texts, targets)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    out, said = tmp_path_factory.mktemp("distilled"), []
    words = vocabulary.WordVectors(["love", "awful"], np.ones((2, 6), np.float32), np.ones(2, np.int32))
    sources = distilled.Sources(
        train=corpus(), dev=corpus(), rated=[Turn("a table for two", 3.0)] * 4, spare=["hello there"] * 4, words=words
    )
    distilled.run(sources, out, seconds=60.0, device="cpu", sizes=SIZES, seed=0, say=said.append)
    yield out, said


def test_a_whole_run_keeps_both_halves(made: tuple[Path, list[str]]) -> None:
    with np.load(made[0] / "student_0.npz") as held:
        assert held["wide/table"].shape == (len(held["features/hashes"]), 35)
        assert held["dev/deep"].shape == (60, 35)
    print("\n".join(made[1]), time.monotonic())
