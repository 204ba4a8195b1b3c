"""The operations of both networks as JAX trains them: convolutions with batch normalisation, heads with dropout.

Batches are normalised as Flax does it, so that the running statistics are those of the biased variance.

Shapes: n pictures, h height, w width, c channels, o outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from mien_face.config import NORM_EPSILON
from mien_face.detection.forward import quarters
from mien_face.forward import convolution, halve
from mien_face.labels import Head
from mien_face.operations import Convolution

STATISTICS_MOMENTUM: Final = 0.9
"""Share of a running statistic that a step keeps."""


class Dropout(NamedTuple):
    """What is dropped before the heads.

    Attributes:
        share: Of the features.
        key: Decides which.
    """

    share: float
    key: jax.Array


class JaxOperations:
    """For one walk.

    Args:
        arrays: Parameters and running statistics, by name.
        train: Whether batches are normalised by their own statistics.
        dropout: What is dropped before the heads; None: nothing.

    Attributes:
        statistics: The running statistics after the walk; empty unless training.
    """

    def __init__(self, arrays: Mapping[str, jax.Array], *, train: bool, dropout: Dropout | None = None) -> None:
        self._arrays = arrays
        self._train = train
        self._dropout = dropout
        self.statistics: dict[str, jax.Array] = {}

    def convolve(self, layer: Convolution, inputs: jax.Array) -> jax.Array:
        """[n, h, w, c] -> [n, h / stride, w / stride, o]."""
        outputs = convolution(inputs, self._arrays[f"{layer.name}.kernel"], layer.stride)
        return self._normalised(layer.name, outputs) if layer.normalised else outputs + self._array(layer.name, "bias")

    def relu(self, inputs: jax.Array) -> jax.Array:
        """max(0, x)."""
        return jax.nn.relu(inputs)

    def halve(self, name: str, inputs: jax.Array) -> jax.Array:
        """[n, h, w, c] -> [n, h / 2, w / 2, c]."""
        return halve(inputs)

    def join(self, name: str, identity: jax.Array, branch: jax.Array) -> jax.Array:
        """The rectified sum."""
        return jax.nn.relu(identity + branch)

    def add(self, first: jax.Array, second: jax.Array) -> jax.Array:
        """The sum."""
        return first + second

    def spread(self, coarse: jax.Array, like: jax.Array) -> jax.Array:
        """[n, r, s, 4 c] -> [n, h, w, c]."""
        return quarters(coarse, *like.shape[1:3])

    def mean(self, inputs: jax.Array) -> jax.Array:
        """[n, h, w, c] -> [n, c]."""
        return inputs.mean(axis=(1, 2))

    def heads(self, features: jax.Array) -> dict[Head, jax.Array]:
        """[n, c] -> head -> logits, [n, labels]."""
        if self._dropout is not None:
            features = _dropped(features, self._dropout)
        return {head: features @ self._array(head, "kernel") + self._array(head, "bias") for head in Head}

    def _normalised(self, name: str, inputs: jax.Array) -> jax.Array:
        mean, variance = self._array(name, "mean"), self._array(name, "variance")
        if self._train:
            kept, axes = STATISTICS_MOMENTUM, (0, 1, 2)
            squares, own_mean = lax.square(inputs), inputs.mean(axis=axes)
            own_variance = jnp.maximum(0.0, squares.mean(axis=axes) - lax.square(own_mean))
            self.statistics[f"{name}.mean"] = kept * mean + (1 - kept) * own_mean
            self.statistics[f"{name}.variance"] = kept * variance + (1 - kept) * own_variance
            mean, variance = own_mean, own_variance
        gain = lax.rsqrt(variance + NORM_EPSILON) * self._array(name, "scale")
        return (inputs - mean) * gain + self._array(name, "bias")

    def _array(self, layer: str, part: str) -> jax.Array:
        return self._arrays[f"{layer}.{part}"]


def _dropped(features: jax.Array, dropout: Dropout) -> jax.Array:
    """Some features at 0, and the others larger to make up for it."""
    kept = 1 - dropout.share
    mask = jax.random.bernoulli(dropout.key, kept, features.shape)
    return jnp.where(mask, features / kept, 0)
