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
from mien_face.training.detector.compose import Composer
from mien_face.training.detector.pictures import read_training
from mien_face.training.detector.recipe import Recipe
from mien_face.training.detector.targets import Batch, collect

_AHEAD: Final = 6
"""Batches a worker is ahead."""

_worker: dict[str, Composer] = {}


class BatchSource:
    """Composes batches; each is decided by the seed and its number alone, whatever process makes it.

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
        self._task = (config, recipe.batch_size, seed)
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
        if self._pool is None:
            yield from (_compose(*self._task, number, self._hard) for number in range(first, first + count))
            return
        waiting: deque[Future[Batch]] = deque()
        for number in range(first, first + count):
            waiting.append(self._pool.submit(_compose, *self._task, number, self._hard))
            if len(waiting) > _AHEAD * self._workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def show_more(self, names: Sequence[str]) -> None:
        """Show the photographs of these names more often from the next batches on."""
        self._hard = tuple(names)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _prepare(folder: Path, recipe: Recipe) -> None:
    cv2.setNumThreads(1)
    _worker["composer"] = Composer(
        read_training(folder), side=recipe.side, photographs=recipe.photographs, damaged=recipe.damaged
    )


def _compose(config: DetectorConfig, size: int, seed: int, number: int, hard: tuple[str, ...]) -> Batch:
    composer = _worker["composer"]
    composer.show_more(hard)
    generators = np.random.default_rng((seed, number)).spawn(size)
    return collect(config, [composer.compose(generator) for generator in generators])
