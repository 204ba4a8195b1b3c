"""What training the shipped network carries from step to step: plain arrays, the same for every engine."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from mien import WeightsError, write_atomically
from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import HEAD_LABELS
from mien_face_lab.training.checkpoint import Checkpoints, Kind

_STATISTICS: Final = (".mean", ".variance")


class TrainState(NamedTuple):
    """Everything that training carries on.

    Attributes:
        arrays: The network's parameters and running statistics.
        momentum: One for each parameter.
        averaged: Exponential moving average of ``arrays``; what is evaluated and shipped.
        step: Steps made.
    """

    arrays: Arrays
    momentum: Arrays
    averaged: Arrays
    step: int


def is_statistic(name: str) -> bool:
    """Whether an array is a running statistic rather than a parameter."""
    return name.endswith(_STATISTICS)


def initial_arrays(config: NetworkConfig, seed: int) -> Arrays:
    """Draw an untrained network.

    Every residual branch starts at zero (its last scale), so that the network starts shallow and trains faster.
    """
    generator = np.random.default_rng(seed)
    arrays: Arrays = {}
    for layer in config.layers():
        name, side, inputs, outputs = layer.name, layer.side, layer.inputs, layer.outputs
        deviation = math.sqrt(2 / (side * side * inputs))  # He et al. 2015
        arrays[f"{name}.kernel"] = deviation * generator.standard_normal((side, side, inputs, outputs), np.float32)
        arrays[f"{name}.scale"] = np.full(outputs, 0 if name.endswith(".second") else 1, np.float32)
        arrays[f"{name}.bias"] = np.zeros(outputs, np.float32)
        arrays[f"{name}.mean"] = np.zeros(outputs, np.float32)
        arrays[f"{name}.variance"] = np.ones(outputs, np.float32)
    for head, labels in HEAD_LABELS.items():
        shape = (config.widths[-1], len(labels))
        arrays[f"{head}.kernel"] = np.float32(0.01) * generator.standard_normal(shape, np.float32)
        arrays[f"{head}.bias"] = np.zeros(len(labels), np.float32)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def initial_state(config: NetworkConfig, seed: int, start: Arrays | None = None) -> TrainState:
    """The state before the first step: an untrained network, or the arrays to start from."""
    arrays = initial_arrays(config, seed) if start is None else dict(start)
    momentum = {name: np.zeros_like(array) for name, array in arrays.items() if not is_statistic(name)}
    return TrainState(arrays, momentum, dict(arrays), 0)


def save_state(path: Path, state: TrainState, *, epoch: int, settings: dict[str, object]) -> None:
    """Write a state as one file, to be taken elsewhere and started from; runs keep theirs by ``checkpoint``."""
    from safetensors.numpy import save

    flat = {
        f"{group}/{name}": np.ascontiguousarray(array)
        for group in ("arrays", "momentum", "averaged")
        for name, array in getattr(state, group).items()
    }
    about = {"step": str(state.step), "epoch": str(epoch), "settings": json.dumps(settings, sort_keys=True)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(flat, metadata=about))


def read_start(path: Path) -> Arrays:
    """Read the averaged weights of another run, to start from.

    Args:
        path: The run's folder, or a ``checkpoint.safetensors`` as ``save_state`` writes it.

    Raises:
        WeightsError: It cannot be read, or is of another kind of network.
    """
    if not path.is_dir():
        return _read(path)[0].averaged
    checkpoints = Checkpoints(path)
    if checkpoints.epoch(Kind.LAST) is None:
        raise WeightsError(f"{path} holds no run's checkpoint; expected a folder that mien train face wrote to")
    try:
        config = NetworkConfig.from_json(checkpoints.about(Kind.LAST)["settings"]["network"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path} is a run of another kind of network") from error
    return checkpoints.load(Kind.LAST, initial_state(config, 0))[0].averaged


def _read(path: Path) -> tuple[TrainState, int, dict[str, object]]:
    """A checkpoint's state, epochs and settings."""
    from safetensors import SafetensorError, safe_open

    groups: dict[str, Arrays] = {"arrays": {}, "momentum": {}, "averaged": {}}
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata()
            for key in file.keys():  # noqa: SIM118 - not a mapping
                group, name = key.split("/", 1)
                groups[group][name] = file.get_tensor(key)
        return TrainState(step=int(about["step"]), **groups), int(about["epoch"]), dict(json.loads(about["settings"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"cannot read the checkpoint {path}: {error}") from error
