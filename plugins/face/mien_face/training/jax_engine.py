"""Training computed by JAX on the Flax network: the reference, and the engine for accelerators."""

from __future__ import annotations

from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from flax import nnx

from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import Head
from mien_face.network import arrays_of, network_of
from mien_face.training.loop import Gradients, split_arrays
from mien_face.training.recipe import Batch, Recipe

_Targets = dict[Head, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]

EVALUATION_BATCH: Final = 64
"""Faces evaluated at once; the last, smaller part is padded so that one shape is compiled."""


class JaxEngine:
    """Differentiates and evaluates the Flax network.

    Args:
        config: The network.
        recipe: Its ``head_weights`` weigh the losses.
    """

    def __init__(self, config: NetworkConfig, recipe: Recipe) -> None:
        self._gradients = jax.jit(jax.value_and_grad(lambda *args: _loss(config, recipe, *args), has_aux=True))
        self._logits = jax.jit(lambda arrays, images: _evaluate(config, arrays, images))

    def gradients(self, arrays: Arrays, batch: Batch, *, seed: int) -> Gradients:
        """Differentiate the recipe's loss."""
        parameters, statistics = split_arrays(arrays)
        key = jax.random.key(seed)
        (loss, moved), gradients = self._gradients(parameters, statistics, batch.images, dict(batch.targets), key)
        return Gradients(float(loss), _to_numpy(gradients), _to_numpy(moved))

    def logits(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> dict[Head, npt.NDArray[np.float32]]:
        """Evaluate a network on normalised crops: head -> ``[n, labels]``."""
        count = len(images)
        padded = np.concatenate([images, np.zeros((-count % EVALUATION_BATCH, *images.shape[1:]), np.float32)])
        parts = [
            self._logits(arrays, padded[start : start + EVALUATION_BATCH])
            for start in range(0, len(padded), EVALUATION_BATCH)
        ]
        return {head: np.concatenate([part[head] for part in parts])[:count] for head in Head}

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
    network = network_of(config, parameters | statistics)
    network.train()  # type: ignore[no-untyped-call]
    loss = jnp.zeros(())
    for head, logits in network(images, rngs=nnx.Rngs(dropout=key)).items():
        distributions, weights = targets[head]
        losses = -(distributions * jax.nn.log_softmax(logits)).sum(axis=1)  # [n]
        loss += recipe.head_weights[head] * (weights * losses).sum() / jnp.maximum(weights.sum(), 1)
    arrays = arrays_of(network)
    return loss, {name: arrays[name] for name in statistics}


def _evaluate(config: NetworkConfig, arrays: dict[str, jax.Array], images: jax.Array) -> dict[Head, jax.Array]:
    network = network_of(config, arrays)
    network.eval()  # type: ignore[no-untyped-call]
    return network(images)


def _to_numpy(arrays: dict[str, jax.Array]) -> Arrays:
    return {name: np.asarray(array) for name, array in arrays.items()}
