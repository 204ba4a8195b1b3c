"""Everything that the distilled network is trained on, as arrays: texts with their copies, targets and weights."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import vstack

from mien_voice.calibration import LOGITS, FloatArray
from mien_voice.featuretable import FeatureTable
from mien_voice.labels import EMOTIONS28
from mien_voice_lab.training import fitting, linear, speechlike
from mien_voice_lab.training.data import Corpus, Turn, satisfaction_targets
from mien_voice_lab.training.synthetic import LabelledText

WEIGHT_OF_EMOTIONS: Final = {"labelled": 1.0, "made": 0.15, "contrast": 0.1, "rated": 0.0}
WEIGHT_OF_SATISFACTION: Final = {"labelled": 1.0, "made": 1.0, "contrast": 0.5, "rated": 0.5}
"""How much one text counts, by where it comes from. Rated turns have no emotions; raters judged the system too."""

ROWS: Final = 320
"""n-grams of a text that are trained on; longer texts lose their last."""

SUBWORDS: Final = 64

_CHUNK: Final = 2_000
"""Texts that a core works on at a time."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """N texts, each in C forms: as written, and as engines would write it.

    Attributes:
        forms: C lists of N texts.
        targets: ``[N, O]`` in [0, 1].
        weight: ``[N, O]``.
        labelled: How many come first that are GoEmotions'.
    """

    forms: list[list[str]]
    targets: FloatArray
    weight: FloatArray
    labelled: int


def mix(
    corpus: Corpus,
    made: Sequence[LabelledText],
    contrasts: Sequence[LabelledText],
    rated: Sequence[Turn],
    *,
    copies: int,
    seed: int,
) -> Mixture:
    """Put all sources together, and write each text ``copies`` times more: without signs first, then misheard."""
    ours = [*made, *contrasts]
    texts = [*corpus.texts, *(one.text for one in ours), *(turn.text for turn in rated)]
    emotions = np.zeros((len(texts), 28), np.float32)
    emotions[: len(corpus.texts)] = corpus.targets
    emotions[len(corpus.texts) : len(corpus.texts) + len(ours)] = emotion_targets(ours)
    satisfaction = np.concatenate(
        [
            satisfaction_targets(corpus.targets),
            np.array([one.satisfaction for one in ours], np.float32),
            np.array([(turn.rating - 1.0) / 4.0 for turn in rated], np.float32),
        ]
    )
    kinds = ["labelled"] * len(corpus.texts) + ["made"] * len(made) + ["contrast"] * len(contrasts)
    kinds += ["rated"] * len(rated)
    weight = np.ones((len(texts), LOGITS + 1), np.float32)
    weight[:, :LOGITS] = np.array([WEIGHT_OF_EMOTIONS[kind] for kind in kinds], np.float32)[:, None]
    weight[:, LOGITS] = [WEIGHT_OF_SATISFACTION[kind] for kind in kinds]
    chooser = random.Random(seed)  # noqa: S311 - not cryptography
    forms = [texts, [speechlike.without_signs(text) for text in texts]][: 1 + copies]
    forms += [[speechlike.misheard(text, chooser) for text in texts] for _ in range(copies - 1)]
    targets = np.concatenate([fitting.logit_targets(emotions), satisfaction[:, None]], axis=1)
    return Mixture(forms, targets, weight, len(corpus.texts))


def emotion_targets(made: Sequence[LabelledText]) -> FloatArray:
    """Zeros and ones ``[N, 28]``."""
    targets = np.zeros((len(made), len(EMOTIONS28)), np.float32)
    for row, one in zip(targets, made, strict=True):
        row[[EMOTIONS28.index(name) for name in one.emotions]] = 1.0
    return targets


def count_features(texts: Sequence[str], *, minimum: Sequence[int], workers: int) -> FeatureTable:
    """The n-grams that enough of the texts have; see ``linear.select_features``."""
    hashed = [one for part in _spread(linear.hash_texts, texts, workers) for one in part]
    return linear.select_features(hashed, minimum=minimum)


def matrix_of(table: FeatureTable, texts: Sequence[str], *, workers: int) -> Any:
    """Sparse ``[N, K]`` of the texts' n-grams, made on several cores."""
    return vstack(_spread(partial(_part, table), texts, workers)).tocsr()


def _part(table: FeatureTable, texts: Sequence[str]) -> Any:
    return linear.matrix(table, linear.hash_texts(texts))


def _spread(work: Callable[[Sequence[str]], _T], texts: Sequence[str], workers: int) -> list[_T]:
    """Work on the texts in parts, the results in order."""
    chunks = [list(texts[start : start + _CHUNK]) for start in range(0, len(texts), _CHUNK)]
    if workers < 2:
        return [work(chunk) for chunk in chunks]
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        return list(pool.map(work, chunks))


def padded_rows(matrix: Any) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float16]]:
    """Sparse ``[N, K]`` -> numbers and values of the n-grams that are there, ``[N, ROWS]``; 0 where padded."""
    starts, stops = matrix.indptr[:-1], matrix.indptr[1:]
    columns = np.arange(ROWS)[None, :]
    there = columns < np.minimum(stops - starts, ROWS)[:, None]
    where = np.minimum(starts[:, None] + columns, max(len(matrix.indices) - 1, 0))
    ids = np.where(there, matrix.indices[where], 0).astype(np.int32)
    values = np.where(there, matrix.data[where], 0.0).astype(np.float16)
    return ids, values


def padded_subwords(subwords: Sequence[Sequence[int]]) -> npt.NDArray[np.int32]:
    """``[N, SUBWORDS]``, 0 where padded."""
    table = np.zeros((len(subwords), SUBWORDS), np.int32)
    for row, own in zip(table, subwords, strict=True):
        row[: len(own)] = own[:SUBWORDS]
    return table
