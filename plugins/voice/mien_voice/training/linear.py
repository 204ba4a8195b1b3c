"""Fits the wide half: which n-grams it knows, and one logistic regression for each output.

Each regression is convex, so it is solved exactly rather than by steps; its logits on texts it has not seen
(out of fold) are what the deep half is trained on top of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from mien_voice import features
from mien_voice.calibration import FloatArray
from mien_voice.featuretable import FeatureTable

Hashed: TypeAlias = list[npt.NDArray[np.uint32]]
"""The hashed features of one text, block by block."""

MIN_TEXTS: Final = (3, 4, 2)
"""A feature is known if so many training texts have it, by block: words, characters, word classes."""

INVERSE_REGULARISATION: Final = 1.2
"""The regressions' C, chosen on GoEmotions dev out of 1, 1.2 and 2."""

FOLDS: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """The wide half's weights: ``table`` ``[K, O]``, ``bias`` ``[O]``."""

    table: FloatArray
    bias: FloatArray

    def logits(self, matrix: Any) -> FloatArray:
        """``[N, K]`` sparse -> ``[N, O]``."""
        return np.asarray(matrix @ self.table + self.bias, np.float32)


def hash_texts(texts: Sequence[str]) -> list[Hashed]:
    """The features of each text."""
    return [[np.asarray(block, np.uint32) for block in features.blocks(text)] for text in texts]


def select_features(hashed: Sequence[Hashed]) -> FeatureTable:
    """The n-grams that enough texts have, with their inverse document frequencies."""
    hashes, counts = [], []
    for index, minimum in enumerate(MIN_TEXTS):
        found, count = np.unique(
            np.concatenate([np.unique(blocks[index]) for blocks in hashed]), return_counts=True
        )
        hashes.append(found[count >= minimum])
        counts.append(count[count >= minimum])
    every, first = np.unique(np.concatenate(hashes), return_index=True)
    documents = np.concatenate(counts)[first]
    idf = np.log((1.0 + len(hashed)) / (1.0 + documents)) + 1.0
    # As shipped, so that training sees the values that a user's network computes.
    return FeatureTable(every.astype(np.uint32), idf.astype(np.float16).astype(np.float32))


def matrix(table: FeatureTable, hashed: Sequence[Hashed]) -> Any:
    """Sparse ``[N, K]`` of the texts' values."""
    encoded = [table.combine(blocks) for blocks in hashed]
    starts = np.cumsum([0, *(len(rows) for rows, _ in encoded)])
    return csr_matrix(
        (np.concatenate([values for _, values in encoded]), np.concatenate([rows for rows, _ in encoded]), starts),
        shape=(len(hashed), len(table.hashes)),
    )


def fit(inputs: Any, targets: FloatArray, weight: FloatArray, *, threads: int) -> Linear:
    """One regression for each output.

    Args:
        inputs: Sparse ``[N, K]``.
        targets: Zeros and ones ``[N, O]``.
        weight: ``[N]``, how much each text counts.
        threads: Regressions solved at once.
    """

    def solve(column: int) -> tuple[FloatArray, float]:
        model = LogisticRegression(C=INVERSE_REGULARISATION, solver="liblinear", dual=True, max_iter=100)
        model.fit(inputs, targets[:, column], sample_weight=weight)
        return model.coef_[0].astype(np.float32), float(model.intercept_[0])

    with ThreadPoolExecutor(threads) as pool:
        solved = list(pool.map(solve, range(targets.shape[1])))
    return Linear(np.stack([row for row, _ in solved], axis=1), np.array([bias for _, bias in solved], np.float32))


def out_of_fold(
    inputs: Any,
    targets: FloatArray,
    weight: FloatArray,
    *,
    threads: int,
    seed: int,
    on_fold: Callable[[int], None] = lambda fold: None,
) -> FloatArray:
    """Logits of each text by regressions that did not see it, ``[N, O]``."""
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(weight))
    logits = np.zeros_like(targets)
    for index in range(FOLDS):
        seen, held = np.flatnonzero(fold != index), np.flatnonzero(fold == index)
        logits[held] = fit(inputs[seen], targets[seen], weight[seen], threads=threads).logits(inputs[held])
        on_fold(index)
    return logits
