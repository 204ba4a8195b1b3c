"""Training computed by JAX: the reference, and the engine for accelerators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import Head
from mien_face_lab.training.jax_operations import Dropout, JaxOperations
from mien_face_lab.training.loop import Gradients, split_arrays
from mien_face_lab.training.recipe import Batch, Recipe

_Targets = dict[Head, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]

EVALUATION_BATCH: Final = 64
"""Faces evaluated at once; the last, smaller part is padded so that one shape is compiled."""


class JaxEngine:
    """Differentiates and evaluates the network.

    Args:
        config: The network.
        recipe: Its ``head_weights`` weigh the losses.
    """

    def __init__(self, config: NetworkConfig, recipe: Recipe) -> None:
        self._gradients = jax.jit(jax.value_and_grad(lambda *args: _loss(config, recipe, *args), has_aux=True))
        self._logits = jax.jit(lambda arrays, images: config.walk(JaxOperations(arrays, train=False), images))
        self._features = jax.jit(lambda arrays, images: config.features(JaxOperations(arrays, train=False), images))

    def gradients(self, arrays: Arrays, batch: Batch, *, seed: int) -> Gradients:
        """Differentiate the recipe's loss."""
        parameters, statistics = split_arrays(arrays)
        key = jax.random.key(seed)
        (loss, moved), gradients = self._gradients(parameters, statistics, batch.images, dict(batch.targets), key)
        return Gradients(float(loss), _to_numpy(gradients), _to_numpy(moved))

    def logits(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> dict[Head, npt.NDArray[np.float32]]:
        """Evaluate a network on normalised crops: head -> ``[n, labels]``."""
        parts = [self._logits(arrays, batch) for batch in _padded(images)]
        return {head: np.concatenate([part[head] for part in parts])[: len(images)] for head in Head}

    def features(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What the heads look at: normalised crops ``[n, 48, 48, 1]`` -> ``[n, channels]``."""
        return np.concatenate([self._features(arrays, batch) for batch in _padded(images)])[: len(images)]

    def close(self) -> None:
        """Nothing to give back."""


def _loss(
    config: NetworkConfig,
    recipe: Recipe,
    parameters: dict[str, jax.Array],
    statistics: dict[str, jax.Array],
    images: jax.Array,
    targets: _Targets,
    key: jax.Array,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Loss of a batch, and the running statistics after it."""
    dropout = Dropout(config.dropout, jax.random.fold_in(key, 0)) if config.dropout > 0 else None
    operations = JaxOperations(parameters | statistics, train=True, dropout=dropout)
    loss = jnp.zeros(())
    for head, logits in config.walk(operations, images).items():
        distributions, weights = targets[head]
        losses = -(distributions * jax.nn.log_softmax(logits)).sum(axis=1)  # [n]
        loss += recipe.head_weights[head] * (weights * losses).sum() / jnp.maximum(weights.sum(), 1)
    return loss, operations.statistics


def _padded(images: npt.NDArray[np.float32]) -> Iterator[npt.NDArray[np.float32]]:
    """Batches of one size, so that one program computes them all; the last is filled up with nothing."""
    padded = np.concatenate([images, np.zeros((-len(images) % EVALUATION_BATCH, *images.shape[1:]), np.float32)])
    for start in range(0, len(padded), EVALUATION_BATCH):
        yield padded[start : start + EVALUATION_BATCH]


def _to_numpy(arrays: dict[str, jax.Array]) -> Arrays:
    return {name: np.asarray(array) for name, array in arrays.items()}
