"""The folded network as a pure JAX function: what inference compiles. How it is trained is elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import jax
import numpy as np
from jax import lax

from mien_face import gathered, winograd
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig
from mien_face.labels import Head
from mien_face.operations import Convolution


def prepare(config: NetworkConfig, arrays: Arrays) -> Arrays:
    """Bring folded arrays into the form that ``forward`` computes with, once and for all.

    The heads become one, ``heads.kernel`` and ``heads.bias``; kernels of small maps are added as
    ``<layer>.transformed``.

    Args:
        config: The network.
        arrays: As the laboratory folds them; they are left alone.
    """
    prepared: Arrays = {}
    for layer in config.layers():
        name, height = layer.name, INPUT_SIZE // layer.reduction
        if winograd.is_worth_it(height=height, side=layer.side, stride=layer.stride):
            prepared[f"{name}.transformed"] = winograd.transform_kernel(arrays[f"{name}.kernel"])
        prepared |= {f"{name}.{part}": arrays[f"{name}.{part}"] for part in ("kernel", "bias")}
    for part in ("kernel", "bias"):
        prepared[f"heads.{part}"] = np.concatenate([arrays[f"{head}.{part}"] for head in Head], axis=-1)
    return prepared


Tap: TypeAlias = Callable[[str, jax.Array], jax.Array]
"""Is shown a block's name and output, [n, h, w, c], and gives back what the network goes on with."""


def untapped(_: str, features: jax.Array) -> jax.Array:
    """Leave the features as they are."""
    return features


def forward(
    config: NetworkConfig,
    arrays: Mapping[str, jax.Array],
    images: jax.Array,
    *,
    rectify: Callable[[jax.Array], jax.Array] = jax.nn.relu,
    tap: Tap = untapped,
) -> jax.Array:
    """Run the folded network.

    Args:
        config: The network.
        arrays: As ``prepare`` makes them.
        images: Normalised crops, [n, 48, 48, 1].
        rectify: The network's nonlinearity; another one has the same values and other gradients.
        tap: Called after each block.

    Returns:
        Logits of both heads side by side, [n, 7 + 8].
    """
    return config.walk(_Folded(arrays, rectify, tap), images)


@dataclass(frozen=True, slots=True)
class _Folded:
    """The operations, with whichever convolution is fastest for a map."""

    arrays: Mapping[str, jax.Array]
    rectify: Callable[[jax.Array], jax.Array]
    tap: Tap

    def convolve(self, layer: Convolution, inputs: jax.Array) -> jax.Array:
        """[n, h, w, c] -> [n, h / stride, w / stride, o]."""
        name, stride = layer.name, layer.stride
        kernel, transformed = self.arrays[f"{name}.kernel"], self.arrays.get(f"{name}.transformed")
        if gathered.is_worth_it(count=len(inputs), height=inputs.shape[1] // stride, side=layer.side):
            outputs = gathered.convolve(inputs, kernel, stride)
        elif transformed is not None:
            outputs = winograd.convolve(inputs, transformed)
        else:
            outputs = convolution(inputs, kernel, stride)
        return outputs + self.arrays[f"{name}.bias"]

    def relu(self, inputs: jax.Array) -> jax.Array:
        return self.rectify(inputs)

    def halve(self, name: str, inputs: jax.Array) -> jax.Array:
        return halve(inputs)

    def join(self, name: str, identity: jax.Array, branch: jax.Array) -> jax.Array:
        return self.tap(name, self.rectify(identity + branch))

    def mean(self, inputs: jax.Array) -> jax.Array:
        return inputs.mean(axis=(1, 2))

    def heads(self, features: jax.Array) -> jax.Array:
        return features @ self.arrays["heads.kernel"] + self.arrays["heads.bias"]


def halve(images: jax.Array) -> jax.Array:
    """Average 2x2 pixels: [n, h, w, c] -> [n, h / 2, w / 2, c]."""
    count, height, width, channels = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def convolution(images: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """A convolution that keeps the size, but for its stride: [n, h, w, c] -> [n, h / stride, w / stride, o]."""
    border = kernel.shape[0] // 2
    return lax.conv_general_dilated(
        images,
        kernel,
        window_strides=(stride, stride),
        padding=((border, border), (border, border)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
