"""One training step, as a pure function over the state; what computes gradients is an ``Engine``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mien import WeightsError
from mien_face.config import Arrays
from mien_face.detection.config import DetectorConfig
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.targets import Batch
from mien_face_lab.training.state import is_statistic

_RARE = 0.01
"""Score that every cell starts with, so that background does not drown the rest at first (Lin et al. 2017)."""


class Gradients(NamedTuple):
    """What an engine makes of a batch.

    Attributes:
        losses: Each loss, weighted, by name.
        parameters: The gradient of their sum by each parameter.
        statistics: The running statistics after the batch.
    """

    losses: dict[str, float]
    parameters: Arrays
    statistics: Arrays


class Engine(Protocol):
    """Computes the network and its losses; it holds no state of the training, so engines can be exchanged."""

    def gradients(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Differentiate the losses of a batch."""

    def close(self) -> None:
        """Give resources back."""


class TrainState(NamedTuple):
    """Everything that training carries on.

    Attributes:
        arrays: The network's parameters and running statistics.
        optimiser: Optax's state.
        averaged: Exponential moving average of ``arrays``; what is evaluated and shipped.
        step: Steps made.
    """

    arrays: Arrays
    optimiser: Any
    averaged: Arrays
    step: int


def initial_arrays(config: DetectorConfig, seed: int) -> Arrays:
    """Draw an untrained network; residual branches start at zero, so that it starts shallow."""
    generator = np.random.default_rng(seed)
    arrays: Arrays = {}
    for layer in config.layers():
        shape = (layer.side, layer.side, layer.inputs, layer.outputs)
        deviation = np.sqrt(2 / (layer.side**2 * layer.inputs)) if layer.normalised else 0.01  # He et al. 2015
        arrays[f"{layer.name}.kernel"] = (deviation * generator.standard_normal(shape)).astype(np.float32)
        arrays[f"{layer.name}.bias"] = np.zeros(layer.outputs, np.float32)
        if layer.normalised:
            first = 0.0 if layer.name.endswith(".expand") else 1.0
            arrays[f"{layer.name}.scale"] = np.full(layer.outputs, first, np.float32)
            arrays[f"{layer.name}.mean"] = np.zeros(layer.outputs, np.float32)
            arrays[f"{layer.name}.variance"] = np.ones(layer.outputs, np.float32)
        else:
            arrays[f"{layer.name}.bias"][0] = -np.log((1 - _RARE) / _RARE)
    return arrays


def initial_state(config: DetectorConfig, recipe: Recipe, seed: int, start: Arrays | None = None) -> TrainState:
    """The state before the first step: an untrained network, or the arrays to start from.

    Raises:
        WeightsError: The arrays to start from are of another network.
    """
    arrays = initial_arrays(config, seed)
    if start is not None:
        if {name: array.shape for name, array in start.items()} != {name: each.shape for name, each in arrays.items()}:
            raise WeightsError(f"the weights to start from are of another network than {config}")
        arrays = dict(start)
    parameters = {name: array for name, array in arrays.items() if not is_statistic(name)}
    return TrainState(arrays, optimiser(recipe).init(parameters), dict(arrays), 0)


def optimiser(recipe: Recipe) -> optax.GradientTransformation:
    """AdamW with clipped gradients, at a learning rate of 1: steps scale its updates."""
    return optax.chain(
        optax.clip_by_global_norm(recipe.largest_gradient),
        optax.scale_by_adam(),
        optax.add_decayed_weights(
            recipe.weight_decay, mask=lambda arrays: {name: name.endswith(".kernel") for name in arrays}
        ),
    )


def train_step(
    engine: Engine, recipe: Recipe, state: TrainState, batch: Batch, *, rate: float
) -> tuple[TrainState, dict[str, float]]:
    """Make one step, and move the averaged weights along.

    Args:
        engine: Computes the gradients.
        recipe: Optimiser and averaging.
        state: Where training stands; not changed.
        batch: What to learn from.
        rate: Learning rate.

    Returns:
        The new state and the losses.
    """
    losses, gradients, statistics = engine.gradients(state.arrays, batch)
    parameters = {name: state.arrays[name] for name in gradients}
    kept = recipe.averaging(state.step)
    moved, optimiser_state = _update(recipe)(gradients, state.optimiser, parameters, rate)
    arrays = statistics | {name: np.asarray(array) for name, array in moved.items()}
    averaged = {
        name: np.float32(kept) * old + np.float32(1 - kept) * arrays[name] for name, old in state.averaged.items()
    }
    return TrainState(arrays, optimiser_state, averaged, state.step + 1), losses


@lru_cache(maxsize=4)
def _update(recipe: Recipe) -> Callable[..., tuple[dict[str, jax.Array], Any]]:
    transformation = optimiser(recipe)

    def update(
        gradients: dict[str, jax.Array], state: Any, parameters: dict[str, jax.Array], rate: jax.Array
    ) -> tuple[dict[str, jax.Array], Any]:
        updates, state = transformation.update(gradients, state, parameters)
        return {name: jnp.asarray(parameters[name] - rate * updates[name]) for name in parameters}, state

    return jax.jit(update)
