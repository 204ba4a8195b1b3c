"""Which n-grams the network knows and how much each weighs: hashed features -> rows and values of the wide half.

Weights are tf-idf: 1 + log of how often the n-gram occurs, times its inverse document frequency, each block of features
scaled to length one. No text is read here; see ``features``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mien_voice import features

BLOCK_WEIGHTS: Final = (1.0, 0.8, 0.8)
"""Length of each block: words, characters, word classes. Chosen on GoEmotions dev."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """The n-grams that are known.

    Attributes:
        hashes: uint32 ``[K]``, ascending.
        idf: float32 ``[K]``, inverse document frequencies.
    """

    hashes: npt.NDArray[np.uint32]
    idf: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.hashes.shape != self.idf.shape or self.hashes.ndim != 1 or not len(self.hashes):
            raise ValueError(f"hashes and idf must be [K] with K > 0, got {self.hashes.shape} and {self.idf.shape}")
        if bool((np.diff(self.hashes.astype(np.int64)) <= 0).any()):
            raise ValueError("hashes must ascend without repetition")

    def encode(self, text: str, *, limit: int | None = None) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Rows and values of one text.

        Args:
            text: Anything.
            limit: Most rows to give; those with the largest values are kept.

        Returns:
            Row numbers int32 ``[L]`` and values float32 ``[L]``; empty where nothing is known.
        """
        return self.combine(features.blocks(text), limit=limit)

    def combine(
        self, blocks: Iterable[Sequence[int] | npt.NDArray[np.uint32]], *, limit: int | None = None
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Rows and values of hashed features, block by block; see ``encode``."""
        rows, values = [], []
        for block, weight in zip(blocks, BLOCK_WEIGHTS, strict=True):
            ids, counts = self._known(block)
            value = (1.0 + np.log(counts)) * self.idf[ids]
            norm = float(np.sqrt(np.sum(value * value)))
            rows.append(ids)
            values.append((value * (weight / norm) if norm > 0 else value).astype(np.float32))
        found: npt.NDArray[np.int32] = np.concatenate(rows).astype(np.int32)
        weighed: npt.NDArray[np.float32] = np.concatenate(values).astype(np.float32)
        if limit is not None and len(found) > limit:
            kept = np.sort(np.argsort(-weighed, kind="stable")[:limit])
            found, weighed = found[kept], weighed[kept]
        return found, weighed

    def knows(self, names: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Whether each feature, by its name, is known."""
        _, known = self._rows(np.asarray(features.hashed(names), np.uint32))
        return known

    def _rows(self, hashes: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        rows = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return rows, self.hashes[rows] == hashes

    def _known(
        self, block: Sequence[int] | npt.NDArray[np.uint32]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows of the features that are known, and how often each occurs."""
        rows, known = self._rows(np.asarray(block, np.uint32))
        return np.unique(rows[known], return_counts=True)
