"""One training step, as a pure function over the state; what computes gradients is an ``Engine``."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from mien.training import Figures
from mien_face.config import Arrays
from mien_face.labels import Head
from mien_face_lab.training.recipe import Batch, Recipe
from mien_face_lab.training.state import TrainState, is_statistic


class Gradients(NamedTuple):
    """What an engine makes of a batch.

    Attributes:
        loss: Mean loss.
        parameters: Its gradient by each parameter.
        statistics: The running statistics after the batch.
        accuracy: Share of faces whose likeliest answer was the likeliest label; None where not counted.
    """

    loss: float
    parameters: Arrays
    statistics: Arrays
    accuracy: float | None = None

    @property
    def figures(self) -> Figures:
        """What is told of the step."""
        return {"loss": self.loss} if self.accuracy is None else {"loss": self.loss, "accuracy": self.accuracy}


class Engine(Protocol):
    """Computes the network; it holds no state of the training, so engines can be exchanged between runs."""

    def gradients(self, arrays: Arrays, batch: Batch, *, seed: int) -> Gradients:
        """Differentiate the recipe's loss; the seed decides what dropout drops."""

    def logits(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> dict[Head, npt.NDArray[np.float32]]:
        """Evaluate a network on normalised crops ``[n, 48, 48, 1]``: head -> ``[n, labels]``."""

    def features(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What the heads look at: normalised crops ``[n, 48, 48, 1]`` -> ``[n, channels]``."""

    def close(self) -> None:
        """Give resources back."""


def train_step(
    engine: Engine, recipe: Recipe, state: TrainState, batch: Batch, *, rate: float
) -> tuple[TrainState, Figures]:
    """Make one step of Nesterov's momentum, and move the averaged weights along.

    Args:
        engine: Computes the gradients.
        recipe: Optimiser and averaging.
        state: Where training stands; not changed.
        batch: What to learn from.
        rate: Learning rate.

    Returns:
        The new state and how the step went.
    """
    found = engine.gradients(state.arrays, batch, seed=state.step)
    gradients, statistics = found.parameters, found.statistics
    if recipe.sharpness_radius > 0:
        uphill = state.arrays | _uphill(state.arrays, gradients, radius=recipe.sharpness_radius)
        gradients = engine.gradients(uphill, batch, seed=state.step).parameters
    momentum_share = np.float32(recipe.momentum)
    arrays, momentum, averaged = dict(statistics), {}, {}
    for name, gradient in gradients.items():
        old = state.arrays[name]
        decay = np.float32(recipe.weight_decay if name.endswith(".kernel") else 0)
        decayed = gradient + decay * old
        momentum[name] = momentum_share * state.momentum[name] + decayed
        arrays[name] = old - np.float32(rate) * (decayed + momentum_share * momentum[name])
    kept = recipe.averaging(state.step)
    for name, old in state.averaged.items():
        averaged[name] = np.float32(kept) * old + np.float32(1 - kept) * arrays[name]
    return TrainState(arrays, momentum, averaged, state.step + 1), found.figures


def _uphill(arrays: Arrays, gradients: Arrays, *, radius: float) -> Arrays:
    """The parameters at the place within this distance where the loss is highest, to first order.

    A step that goes by the gradients there leads to where the loss is low all around (sharpness-aware minimisation,
    Foret et al. 2021).
    """
    norm = float(np.sqrt(sum(float(np.square(gradient, dtype=np.float64).sum()) for gradient in gradients.values())))
    share = np.float32(radius / max(norm, 1e-12))
    return {name: arrays[name] + share * gradient for name, gradient in gradients.items()}


def split_arrays(arrays: Arrays) -> tuple[Arrays, Arrays]:
    """Parameters and running statistics apart."""
    parameters = {name: array for name, array in arrays.items() if not is_statistic(name)}
    statistics = {name: array for name, array in arrays.items() if is_statistic(name)}
    return parameters, statistics
