"""The folded network as a pure JAX function: what inference compiles. Training and Flax are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from mien_face.config import NetworkConfig
from mien_face.labels import Head

_MATRIX_SIDE: Final = 6
"""Output height up to which a 3x3 convolution of a small batch runs as one matrix product: there XLA's direct one makes
the whole network take 1.5 times as long (measured on two cores at batch 1; no gain at batch 16)."""

_MATRIX_BATCH: Final = 8
"""Pictures up to which that is so."""


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
        arrays: Folded, as ``mien_face.folding.fold`` makes them.
        images: Normalised crops, [n, 48, 48, 1].
        rectify: The network's nonlinearity; another one has the same values and other gradients.
        tap: Called after each block.

    Returns:
        Logits of both heads side by side, [n, 7 + 8].
    """

    def convolve(name: str, inputs: jax.Array, *, stride: int = 1) -> jax.Array:
        kernel = arrays[f"{name}.kernel"]
        count, height = inputs.shape[:2]
        as_matrix = kernel.shape[0] == 3 and height // stride <= _MATRIX_SIDE and count <= _MATRIX_BATCH
        outputs = _convolve_as_matrix(inputs, kernel, stride) if as_matrix else _convolve(inputs, kernel, stride)
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
    heads = [pooled @ arrays[f"{head}.kernel"] + arrays[f"{head}.bias"] for head in Head]
    return jnp.concatenate(heads, axis=1)


def halve(images: jax.Array) -> jax.Array:
    """Average 2x2 pixels: [n, h, w, c] -> [n, h / 2, w / 2, c]."""
    count, height, width, channels = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def _convolve(images: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """A convolution that keeps the size, but for its stride: [n, h, w, c] -> [n, h / stride, w / stride, o]."""
    border = kernel.shape[0] // 2
    return lax.conv_general_dilated(
        images,
        kernel,
        window_strides=(stride, stride),
        padding=((border, border), (border, border)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _convolve_as_matrix(images: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """The same for a 3x3 kernel, as the product of all 3x3 neighbourhoods with the kernel."""
    _, height, width, channels = images.shape
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    shifted = [padded[:, i : i + height : stride, j : j + width : stride] for i in range(3) for j in range(3)]
    neighbourhoods = jnp.concatenate(shifted, axis=-1)  # [n, h / stride, w / stride, 9 c]
    return neighbourhoods @ kernel.reshape(9 * channels, -1)
