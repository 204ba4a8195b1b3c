"""Checkpoints of a detector's training: written after each epoch, and read to go on from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import jax
import numpy as np
import numpy.typing as npt

from mien import WeightsError, write_atomically
from mien_face.config import Arrays
from mien_face_lab.training.detector.loop import TrainState

CHECKPOINT_NAME: Final = "checkpoint.safetensors"


def save_state(path: Path, state: TrainState, *, epoch: int, settings: dict[str, object]) -> None:
    """Write a checkpoint; the previous one survives a failure half-way."""
    from safetensors.numpy import save

    leaves = {str(index): np.asarray(leaf) for index, leaf in enumerate(jax.tree.leaves(state.optimiser))}
    groups = {"arrays": state.arrays, "averaged": state.averaged, "optimiser": leaves}
    flat = {
        f"{group}/{name}": np.asarray(array, order="C")  # ascontiguousarray would make a vector of optax's step count
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
    about, found = _read(path)
    if json.loads(about["settings"]) != json.loads(json.dumps(settings)):
        raise WeightsError(f"{path} was made with other settings; use the same, or another --out")
    leaves, shape = jax.tree.flatten(like.optimiser)
    state = TrainState(
        arrays=_group(found, "arrays"),
        optimiser=jax.tree.unflatten(shape, [found[f"optimiser/{index}"] for index in range(len(leaves))]),
        averaged=_group(found, "averaged"),
        step=int(about["step"]),
    )
    return state, int(about["epoch"])


def read_averaged(path: Path) -> Arrays:
    """Read the averaged weights of another run's checkpoint, to start from.

    Raises:
        WeightsError: It cannot be read.
    """
    return _group(_read(path)[1], "averaged")


def _read(path: Path) -> tuple[dict[str, str], dict[str, npt.NDArray[np.float32]]]:
    """What a checkpoint says about itself, and its arrays by group and name."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = dict(file.metadata() or {})
            found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"cannot read the checkpoint {path}: {error}") from error
    if not {"step", "epoch", "settings"} <= about.keys():
        raise WeightsError(f"{path} is not a checkpoint of a detector's training")
    return about, found


def _group(found: dict[str, npt.NDArray[np.float32]], group: str) -> Arrays:
    return {key.removeprefix(f"{group}/"): array for key, array in found.items() if key.startswith(f"{group}/")}
