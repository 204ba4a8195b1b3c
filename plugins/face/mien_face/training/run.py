"""A whole training run: epochs, evaluation, checkpoints. Prints nothing; progress goes to a callback."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mien import InputError
from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import Head, majority_labels
from mien_face.preprocess import normalise
from mien_face.training.data import FaceData
from mien_face.training.loop import Engine, train_step
from mien_face.training.recipe import Recipe, batches, steps_in_epoch
from mien_face.training.state import TrainState, initial_state, load_state, save_state

CHECKPOINT_NAME: Final = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch went.

    Attributes:
        epoch: From 1.
        epochs: In all.
        loss: Mean over the epoch's steps.
        fer2013_accuracy: Averaged weights on validation, FER2013 labels.
        ferplus_accuracy: Likewise, FER+ majority labels.
        seconds: It took.
    """

    epoch: int
    epochs: int
    loss: float
    fer2013_accuracy: float
    ferplus_accuracy: float
    seconds: float


def train(
    engine: Engine,
    config: NetworkConfig,
    recipe: Recipe,
    *,
    training: FaceData,
    validation: FaceData,
    seed: int,
    out: Path,
    resume: bool,
    start: Arrays | None = None,
    report: Callable[[EpochReport], None],
) -> TrainState:
    """Train, with a checkpoint after each epoch.

    Args:
        engine: Computes the steps.
        config: The network.
        recipe: How to train it.
        training: What to learn from.
        validation: What to evaluate on after each epoch.
        seed: Of weights, order and augmentation.
        out: Folder of the checkpoint.
        resume: Go on from the folder's checkpoint where there is one.
        start: Weights to begin with instead of random ones; of no effect where a checkpoint is resumed.
        report: Called after each epoch.

    Returns:
        The last state.

    Raises:
        InputError: There are fewer faces than one batch takes.
        WeightsError: The checkpoint is damaged or of another run.
    """
    if len(training) < recipe.batch_size:
        raise InputError(f"{len(training)} faces are fewer than one batch of {recipe.batch_size}; bring more")
    settings: dict[str, object] = {"network": config.to_json(), "recipe": recipe.to_json(), "seed": seed}
    checkpoint = out / CHECKPOINT_NAME
    state, done = initial_state(config, seed, start), 0
    if resume and checkpoint.exists():
        state, done = load_state(checkpoint, settings=settings)
    images = normalise(validation.crops)
    majority = majority_labels(validation.votes)
    total = recipe.epochs * steps_in_epoch(training, recipe)
    for epoch in range(done + 1, recipe.epochs + 1):
        started = time.monotonic()
        losses = []
        for batch in batches(training, recipe, seed=seed, epoch=epoch):
            state, loss = train_step(engine, recipe, state, batch, rate=recipe.rate(state.step / total))
            losses.append(loss)
        save_state(checkpoint, state, epoch=epoch, settings=settings)
        logits = engine.logits(state.averaged, images)
        counted = majority >= 0
        report(
            EpochReport(
                epoch=epoch,
                epochs=recipe.epochs,
                loss=float(np.mean(losses)),
                fer2013_accuracy=float(np.mean(logits[Head.FER2013].argmax(1) == validation.labels)),
                ferplus_accuracy=float(np.mean((logits[Head.FERPLUS].argmax(1) == majority)[counted])),
                seconds=time.monotonic() - started,
            )
        )
    return state
