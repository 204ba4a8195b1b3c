"""The folded network as a pure JAX function: what inference compiles. Training and Flax are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import jax
import numpy as np
from jax import lax

from mien_face import gathered, winograd
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig
from mien_face.labels import Head


def prepare(config: NetworkConfig, arrays: Arrays) -> Arrays:
    """Bring folded arrays into the form that ``forward`` computes with, once and for all.

    The heads become one, ``heads.kernel`` and ``heads.bias``; kernels of small maps are added as
    ``<layer>.transformed``.

    Args:
        config: The network.
        arrays: As the laboratory folds them; they are left alone.
    """
    prepared: Arrays = {}
    for name, height, stride in _convolutions(config):
        kernel = arrays[f"{name}.kernel"]
        if winograd.is_worth_it(height=height, side=kernel.shape[0], stride=stride):
            prepared[f"{name}.transformed"] = winograd.transform_kernel(kernel)
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

    def convolve(name: str, inputs: jax.Array, *, stride: int = 1) -> jax.Array:
        kernel, transformed = arrays[f"{name}.kernel"], arrays.get(f"{name}.transformed")
        if gathered.is_worth_it(count=len(inputs), height=inputs.shape[1] // stride, side=kernel.shape[0]):
            outputs = gathered.convolve(inputs, kernel, stride)
        elif transformed is not None:
            outputs = winograd.convolve(inputs, transformed)
        else:
            outputs = convolution(inputs, kernel, stride)
        return outputs + arrays[f"{name}.bias"]

    features = rectify(convolve("stem", images, stride=2))  # [n, 24, 24, c]
    for block in config.blocks():
        branch = rectify(convolve(f"{block.name}.first", features, stride=block.stride))
        branch = convolve(f"{block.name}.second", branch)
        if block.stride != 1:
            features = halve(features)
        if block.has_shortcut:
            features = convolve(f"{block.name}.shortcut", features)
        features = tap(block.name, rectify(features + branch))
    pooled = features.mean(axis=(1, 2))  # [n, c]
    return pooled @ arrays["heads.kernel"] + arrays["heads.bias"]


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


def _convolutions(config: NetworkConfig) -> list[tuple[str, int, int]]:
    """Every convolution with the height of its output and its stride."""
    height = INPUT_SIZE // 2
    found = [("stem", height, 2)]
    for block in config.blocks():
        height //= block.stride
        found += [(f"{block.name}.first", height, block.stride), (f"{block.name}.second", height, 1)]
        if block.has_shortcut:
            found.append((f"{block.name}.shortcut", height, 1))  # what it gets is halved already
    return found
