"""Gradients and answers of the zoo's networks, computed by JAX on the Flax modules; the reference for other engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from flax import nnx

from mien_face.config import Arrays
from mien_face_lab.training.step import Gradients
from mien_face_lab.zoo.catalogue import ZooNetwork
from mien_face_lab.zoo.network import arrays_of, is_statistic, network_of

EVALUATION_BATCH: Final = 128
"""Faces evaluated at once; the last, smaller part is padded so that one shape is compiled."""


@dataclass(frozen=True, slots=True, eq=False)
class ZooBatch:
    """What a step learns from.

    Attributes:
        images: Float32 ``[count, side, side, 1]``, 0 to 1.
        labels: Int64 ``[count]``.
        weights: Float32 ``[count]``: how much each face counts.
    """

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]


class ZooEngine(Protocol):
    """Computes a network of the zoo; holds no state of the training."""

    def gradients(self, arrays: Arrays, batch: ZooBatch, *, seed: int) -> Gradients:
        """Differentiate the weighted mean of the cross-entropy; the seed decides what dropout drops."""

    def logits(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Evaluate faces ``[n, side, side, 1]``: ``[n, classes]``."""

    def close(self) -> None:
        """Give resources back."""


class JaxZooEngine:
    """Computes by XLA.

    Args:
        network: Which.
        classes: How many it tells apart.
    """

    def __init__(self, network: ZooNetwork, classes: int) -> None:
        self._gradients = jax.jit(jax.value_and_grad(lambda *args: _loss(network, classes, *args), has_aux=True))
        self._logits = jax.jit(lambda arrays, images: evaluate(network, classes, arrays, images))

    def gradients(self, arrays: Arrays, batch: ZooBatch, *, seed: int) -> Gradients:
        """Differentiate the weighted mean of the cross-entropy."""
        parameters = {name: array for name, array in arrays.items() if not is_statistic(name)}
        statistics = {name: array for name, array in arrays.items() if is_statistic(name)}
        key = jax.random.key(seed)
        (loss, (moved, accuracy)), gradients = self._gradients(
            parameters, statistics, batch.images, batch.labels, batch.weights, key
        )
        return Gradients(float(loss), gradients, moved, float(accuracy))

    def logits(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Evaluate a network."""
        return in_parts(lambda part: np.asarray(self._logits(arrays, part)), images)

    def close(self) -> None:
        """Nothing to give back."""


def in_parts(
    compute: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]], images: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Run ``compute`` on parts of one size, the last padded with empty pictures, and join what it answers."""
    padded = np.concatenate([images, np.zeros((-len(images) % EVALUATION_BATCH, *images.shape[1:]), np.float32)])
    starts = range(0, len(padded), EVALUATION_BATCH)
    parts = [compute(padded[start : start + EVALUATION_BATCH]) for start in starts]
    return np.concatenate(parts)[: len(images)].astype(np.float32)


def evaluate(network: ZooNetwork, classes: int, arrays: dict[str, jax.Array] | Arrays, images: jax.Array) -> jax.Array:
    """Logits, [n, classes], with running statistics and without dropout."""
    stack = network_of(network, classes, arrays)
    stack.eval()  # type: ignore[no-untyped-call]
    return stack(images)


def _loss(
    network: ZooNetwork,
    classes: int,
    parameters: dict[str, jax.Array],
    statistics: dict[str, jax.Array],
    images: jax.Array,
    labels: jax.Array,
    weights: jax.Array,
    key: jax.Array,
) -> tuple[jax.Array, tuple[dict[str, jax.Array], jax.Array]]:
    """Loss of a batch; the running statistics after it, and the accuracy."""
    stack = network_of(network, classes, parameters | statistics)
    stack.train()  # type: ignore[no-untyped-call]
    logits = stack(images, rngs=nnx.Rngs(dropout=key))  # [n, classes]
    losses = -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]  # [n]
    arrays = arrays_of(stack)
    accuracy = (logits.argmax(axis=1) == labels).mean()
    return (weights * losses).mean(), ({name: arrays[name] for name in statistics}, accuracy)
