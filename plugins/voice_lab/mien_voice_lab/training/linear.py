"""Fits the wide half: which n-grams it knows, and one logistic regression for each output.

Each regression is convex, so it is solved exactly rather than by steps. It sees every n-gram scaled by how much that
n-gram alone tells of the output (naive Bayes' log ratio; Wang and Manning 2012), so that the common penalty falls on
those that tell little; the scales are multiplied into the weights, and cost a user nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

from mien_voice import features
from mien_voice.calibration import FloatArray
from mien_voice.featuretable import FeatureTable

Hashed: TypeAlias = list[npt.NDArray[np.uint32]]
"""The hashed features of one text, block by block."""

MIN_TEXTS: Final = (5, 6, 3)
"""A feature is known if so many training texts have it, by block: words, characters, word classes."""

INVERSE_REGULARISATION: Final = 0.5
"""The regressions' C, chosen on GoEmotions dev."""

SMOOTHING: Final = 0.5
"""Added to an n-gram's sum of values on either side of the log ratio."""

CERTAIN: Final = 6.0
"""Size of the logit of an output that has only one answer in the training texts."""


class Linear(NamedTuple):
    """The wide half's weights: ``table`` ``[K, O]``, ``bias`` ``[O]``."""

    table: FloatArray
    bias: FloatArray

    def logits(self, matrix: Any) -> FloatArray:
        """``[N, K]`` sparse -> ``[N, O]``."""
        return np.asarray(matrix @ self.table + self.bias, np.float32)


def hash_texts(texts: Sequence[str]) -> list[Hashed]:
    """The features of each text."""
    return [[np.asarray(block, np.uint32) for block in features.blocks(text)] for text in texts]


def select_features(hashed: Sequence[Hashed], *, minimum: Sequence[int] = MIN_TEXTS) -> FeatureTable:
    """The n-grams that enough texts have (``minimum``, by block), with their inverse document frequencies."""
    hashes, counts = [], []
    for index, least in enumerate(minimum):
        found, count = np.unique(np.concatenate([np.unique(blocks[index]) for blocks in hashed]), return_counts=True)
        hashes.append(found[count >= least])
        counts.append(count[count >= least])
    every, first = np.unique(np.concatenate(hashes), return_index=True)
    documents = np.concatenate(counts)[first]
    idf = np.log((1.0 + len(hashed)) / (1.0 + documents)) + 1.0
    # As shipped, so that training sees the values that a user's network computes.
    return FeatureTable(every.astype(np.uint32), idf.astype(np.float16).astype(np.float32))


def matrix(table: FeatureTable, hashed: Sequence[Hashed]) -> Any:
    """Sparse ``[N, K]`` of the texts' values."""
    if not hashed:
        return csr_matrix((0, len(table.hashes)), dtype=np.float32)
    encoded = [table.combine(blocks) for blocks in hashed]
    starts = np.cumsum([0, *(len(rows) for rows, _ in encoded)])
    found = csr_matrix(
        (np.concatenate([values for _, values in encoded]), np.concatenate([rows for rows, _ in encoded]), starts),
        shape=(len(hashed), len(table.hashes)),
    )
    found.sum_duplicates()  # and in order
    return found


def fit(inputs: Any, targets: FloatArray, weight: FloatArray, *, threads: int) -> Linear:
    """One regression for each output.

    Args:
        inputs: Sparse ``[N, K]``.
        targets: ``[N, O]`` in [0, 1].
        weight: ``[N, O]``, how much each text counts for each output.
        threads: Regressions solved at once.
    """

    def solve(column: int) -> tuple[FloatArray, float]:
        ratio = log_ratio(inputs, targets[:, column], weight[:, column])
        scaled = inputs.copy()  # all of it: scikit-learn sorts the indices of what it is given in place
        scaled.data *= ratio[scaled.indices]
        rows, hard, share = _with_hard_targets(scaled, targets[:, column], weight[:, column])
        rows, hard, share = rows[share > 0], hard[share > 0], share[share > 0]
        if hard.min() == hard.max():  # a label that no text has, or every one
            return np.zeros(inputs.shape[1], np.float32), float(np.copysign(CERTAIN, hard[0] - 0.5))
        model = LogisticRegression(C=INVERSE_REGULARISATION, solver="liblinear", dual=True, max_iter=100)
        model.fit(rows, hard, sample_weight=share)
        return (model.coef_[0] * ratio).astype(np.float32), float(model.intercept_[0])

    with ThreadPoolExecutor(threads) as pool:
        solved = list(pool.map(solve, range(targets.shape[1])))
    return Linear(np.stack([row for row, _ in solved], axis=1), np.array([bias for _, bias in solved], np.float32))


def log_ratio(inputs: Any, target: FloatArray, weight: FloatArray) -> FloatArray:
    """How far each n-gram alone tells the texts with an output from those without, in either direction.

    Args:
        inputs: Sparse ``[N, K]``.
        target: ``[N]`` in [0, 1].
        weight: ``[N]``.

    Returns:
        ``[K]``, not negative: the size of the logarithm of the ratio of its shares of all values there and elsewhere.
    """
    there = inputs.T @ (weight * target) + SMOOTHING
    elsewhere = inputs.T @ (weight * (1.0 - target)) + SMOOTHING
    ratio: FloatArray = np.abs(np.log(there / there.sum()) - np.log(elsewhere / elsewhere.sum())).astype(np.float32)
    return ratio


def _with_hard_targets(inputs: Any, target: FloatArray, weight: FloatArray) -> tuple[Any, FloatArray, FloatArray]:
    """Inputs, zeros and ones, weights: a text whose target lies between counts in part as a one, in part as a zero."""
    soft = np.flatnonzero((target > 0) & (target < 1))
    if not len(soft):
        return inputs, target, weight
    hard, share = target.copy(), weight.copy()
    hard[soft], share[soft] = 1.0, weight[soft] * target[soft]
    return (
        vstack([inputs, inputs[soft]]).tocsr(),
        np.concatenate([hard, np.zeros(len(soft), np.float32)]),
        np.concatenate([share, weight[soft] * (1.0 - target[soft])]),
    )
