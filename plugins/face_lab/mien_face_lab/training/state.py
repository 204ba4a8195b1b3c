"""What training the shipped network carries from step to step: plain arrays, the same for every engine."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import HEAD_LABELS

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
