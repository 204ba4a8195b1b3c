"""A whole training run: epochs, a look at validation, checkpoints. Prints nothing; progress goes to a callback."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jax
import numpy as np

from mien import WeightsError, write_atomically
from mien_face.config import Arrays
from mien_face.detection.config import DetectorConfig
from mien_face.detection.folding import fold
from mien_face.training.detector.batches import BatchSource
from mien_face.training.detector.loop import Engine, TrainState, initial_state, train_step
from mien_face.training.detector.pictures import Pictures
from mien_face.training.detector.recipe import Recipe
from mien_face.training.detector.validation import Figures, detector_of, measure

CHECKPOINT_NAME: Final = "checkpoint.safetensors"

_WATCHED_THRESHOLD: Final = 0.5
_WATCHED_PORTRAITS: Final = 250


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch went.

    Attributes:
        epoch: From 1.
        epochs: In all.
        losses: Mean over the epoch's steps, by name.
        figures: Averaged weights on validation, at a threshold of 0.5, by kind of picture.
        seconds: It took.
    """

    epoch: int
    epochs: int
    losses: dict[str, float]
    figures: dict[str, Figures]
    seconds: float


def train(
    engine: Engine,
    config: DetectorConfig,
    recipe: Recipe,
    source: BatchSource,
    *,
    validation: Pictures,
    seed: int,
    out: Path,
    resume: bool,
    report: Callable[[EpochReport], None],
) -> TrainState:
    """Train, with a checkpoint after each epoch.

    Args:
        engine: Computes the steps.
        config: The network.
        recipe: How to train it.
        source: Of what it learns from.
        validation: What to look at after each epoch.
        seed: Of the first weights.
        out: Folder of the checkpoint.
        resume: Go on from the folder's checkpoint where there is one.
        report: Called after each epoch.

    Returns:
        The last state.

    Raises:
        WeightsError: The checkpoint is damaged or of another run.
    """
    settings = {"network": config.to_json(), "recipe": recipe.to_json(), "seed": seed}
    checkpoint = out / CHECKPOINT_NAME
    state, done = initial_state(config, recipe, seed), 0
    if resume and checkpoint.exists():
        state, done = load_state(checkpoint, state, settings=settings)
    for epoch in range(done + 1, recipe.epochs + 1):
        started = time.monotonic()
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
                figures=look(config, state.averaged, validation),
                seconds=time.monotonic() - started,
            )
        )
    return state


def look(config: DetectorConfig, arrays: Arrays, validation: Pictures) -> dict[str, Figures]:
    """Figures of unfolded arrays on validation, by kind of picture; of the portraits only some."""
    detect = detector_of(config, fold(config, arrays))
    kinds = {
        "portraits": validation.portraits[:_WATCHED_PORTRAITS],
        "people": validation.people,
        "scenes": validation.scenes,
    }
    return {
        name: measure(pictures, detect(pictures), threshold=_WATCHED_THRESHOLD) for name, pictures in kinds.items()
    }


def save_state(path: Path, state: TrainState, *, epoch: int, settings: dict[str, object]) -> None:
    """Write a checkpoint; the previous one survives a failure half-way."""
    from safetensors.numpy import save

    leaves = {str(index): np.asarray(leaf) for index, leaf in enumerate(jax.tree.leaves(state.optimiser))}
    groups = {"arrays": state.arrays, "averaged": state.averaged, "optimiser": leaves}
    flat = {
        f"{group}/{name}": np.ascontiguousarray(array)
        for group, arrays in groups.items()
        for name, array in arrays.items()
    }
    about = {"step": str(state.step), "epoch": str(epoch), "settings": json.dumps(settings, sort_keys=True)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(flat, metadata=about))


def load_state(path: Path, like: TrainState, *, settings: dict[str, object]) -> tuple[TrainState, int]:
    """Read a checkpoint.

    Args:
        path: Of the checkpoint.
        like: A state of the same network and recipe.
        settings: Of the run that goes on.

    Returns:
        The state, and the epochs done.

    Raises:
        WeightsError: It cannot be read, or was made with other settings.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata()
            found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
        step, epoch, made_with = int(about["step"]), int(about["epoch"]), json.loads(about["settings"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"cannot read the checkpoint {path}: {error}") from error
    if made_with != json.loads(json.dumps(settings)):
        raise WeightsError(f"{path} was made with other settings; use the same, or another --out")
    leaves, shape = jax.tree.flatten(like.optimiser)
    return TrainState(
        arrays={name: found[f"arrays/{name}"] for name in like.arrays},
        optimiser=jax.tree.unflatten(shape, [found[f"optimiser/{index}"] for index in range(len(leaves))]),
        averaged={name: found[f"averaged/{name}"] for name in like.averaged},
        step=step,
    ), epoch
