"""Batches in their order, composed by worker processes ahead of the steps that use them."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mien_face.detection.config import DetectorConfig
from mien_face_lab.training.detector.compose import Composer
from mien_face_lab.training.detector.pictures import read_training
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.targets import Batch, collect

_GROUP: Final = 4
"""Batches that are composed together; canvases made of the same pictures are shuffled among them."""

_AHEAD: Final = 2
"""Groups a worker is ahead."""

_worker: dict[str, Composer] = {}


class BatchSource:
    """Composes batches; each is decided by the seed and its number alone, whatever process makes it.

    Raises:
        ValueError: The canvases of a group cannot be divided by how often each is used.

    Args:
        config: Of the network that learns.
        recipe: What canvases are like, and how many make a batch.
        folder: With the pictures.
        seed: Of everything drawn.
        workers: Processes; 0 composes in this one.
    """

    def __init__(
        self,
        config: DetectorConfig,
        recipe: Recipe,
        folder: Path,
        *,
        seed: int,
        workers: int,
    ) -> None:
        if _GROUP * recipe.batch_size % recipe.uses:
            raise ValueError(
                f"{_GROUP} batches of {recipe.batch_size} cannot be made of canvases used {recipe.uses} times"
            )
        self._task = (config, recipe, seed)
        self._workers = workers
        self._hard: tuple[str, ...] = ()
        self._pool: ProcessPoolExecutor | None = None
        if workers:
            self._pool = ProcessPoolExecutor(
                workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_prepare,
                initargs=(folder, recipe),
            )
        else:
            _prepare(folder, recipe)

    def batches(self, first: int, count: int) -> Iterator[Batch]:
        """Yield batches number ``first`` to ``first + count - 1``."""
        last = first + count - 1
        for group, batches in self._groups(first // _GROUP, last // _GROUP):
            for number, batch in enumerate(batches, _GROUP * group):
                if first <= number <= last:
                    yield batch

    def show_more(self, names: Sequence[str]) -> None:
        """Show the photographs of these names more often from the next batches on."""
        self._hard = tuple(names)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _groups(self, first: int, last: int) -> Iterator[tuple[int, list[Batch]]]:
        if self._pool is None:
            yield from ((group, _compose(*self._task, group, self._hard)) for group in range(first, last + 1))
            return
        waiting: deque[tuple[int, Future[list[Batch]]]] = deque()
        for group in range(first, last + 1):
            waiting.append((group, self._pool.submit(_compose, *self._task, group, self._hard)))
            if len(waiting) > _AHEAD * self._workers:
                ready, batches = waiting.popleft()
                yield ready, batches.result()
        for ready, batches in waiting:
            yield ready, batches.result()


def _prepare(folder: Path, recipe: Recipe) -> None:
    cv2.setNumThreads(1)
    _worker["composer"] = Composer(
        read_training(folder), side=recipe.side, photographs=recipe.photographs, damaged=recipe.damaged
    )


def _compose(config: DetectorConfig, recipe: Recipe, seed: int, group: int, hard: tuple[str, ...]) -> list[Batch]:
    composer = _worker["composer"]
    composer.show_more(hard)
    order, *generators = np.random.default_rng((seed, group)).spawn(1 + _GROUP * recipe.batch_size // recipe.uses)
    canvases = [canvas for generator in generators for canvas in composer.compose(generator, uses=recipe.uses)]
    shuffled = [canvases[index] for index in order.permutation(len(canvases))]
    size = recipe.batch_size
    return [collect(config, shuffled[start : start + size]) for start in range(0, len(shuffled), size)]
