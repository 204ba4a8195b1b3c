"""A whole training run: epochs, a look at validation, checkpoints. Prints nothing; progress goes to a callback.

In the last third, photographs without a face in which the detector sees one are shown more often (as in Shrivastava et
al. 2016, but whole pictures): few background pictures are hard, and most of those that are not teach nothing any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mien_face.config import Arrays
from mien_face.detection.config import DetectorConfig
from mien_face_lab.detection.evaluation import DetectionFigures
from mien_face_lab.detection.folding import fold
from mien_face_lab.training.detector.batches import BatchSource
from mien_face_lab.training.detector.checkpoint import CHECKPOINT_NAME, load_state, save_state
from mien_face_lab.training.detector.loop import Engine, TrainState, initial_state, train_step
from mien_face_lab.training.detector.mining import hard_names
from mien_face_lab.training.detector.pictures import Pictures
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.validation import Validation, answer, figures

_WATCHED_THRESHOLD: Final = 0.5
_WATCHED_PICTURES: Final = 250
_MINED_FROM: Final = 2 / 3
"""Share of the epochs after which hard photographs are shown more often."""


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch went.

    Attributes:
        epoch: From 1.
        epochs: In all.
        losses: Mean over the epoch's steps, by name.
        figures: Averaged weights on validation, at a threshold of 0.5, by kind of picture.
        hard: Photographs that were shown more often.
        seconds: It took.
    """

    epoch: int
    epochs: int
    losses: dict[str, float]
    figures: dict[str, DetectionFigures]
    hard: int
    seconds: float


def train(
    engine: Engine,
    config: DetectorConfig,
    recipe: Recipe,
    source: BatchSource,
    *,
    pictures: Pictures,
    validation: Validation,
    seed: int,
    out: Path,
    start: Arrays | None = None,
    resume: bool,
    report: Callable[[EpochReport], None],
) -> TrainState:
    """Train, with a checkpoint after each epoch.

    Args:
        engine: Computes the steps.
        config: The network.
        recipe: How to train it.
        source: Of what it learns from.
        pictures: What the source composes, to look for hard ones.
        validation: What to look at after each epoch.
        seed: Of the first weights.
        out: Folder of the checkpoint.
        start: Weights to begin with instead of random ones; of no effect where a checkpoint is resumed.
        resume: Go on from the folder's checkpoint where there is one.
        report: Called after each epoch.

    Returns:
        The last state.

    Raises:
        WeightsError: The checkpoint is damaged or of another run.
    """
    settings = {"network": config.to_json(), "recipe": recipe.to_json(), "seed": seed}
    checkpoint = out / CHECKPOINT_NAME
    state, done = initial_state(config, recipe, seed, start), 0
    if resume and checkpoint.exists():
        state, done = load_state(checkpoint, state, settings=settings)
    watched = validation.first(_WATCHED_PICTURES)
    for epoch in range(done + 1, recipe.epochs + 1):
        started = time.monotonic()
        hard = hard_names(config, fold(config, state.averaged), pictures) if epoch > _MINED_FROM * recipe.epochs else []
        source.show_more(hard)
        history: list[dict[str, float]] = []
        for batch in source.batches(state.step, recipe.steps):
            state, losses = train_step(engine, recipe, state, batch)
            history.append(losses)
        save_state(checkpoint, state, epoch=epoch, settings=settings)
        report(
            EpochReport(
                epoch=epoch,
                epochs=recipe.epochs,
                losses={name: float(np.mean([each[name] for each in history])) for name in history[0]},
                figures=figures(answer(config, fold(config, state.averaged), watched), threshold=_WATCHED_THRESHOLD),
                hard=len(hard),
                seconds=time.monotonic() - started,
            )
        )
    return state
