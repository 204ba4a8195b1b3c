"""The folded network as a pure JAX function: what inference compiles. Training and Flax are elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import lax

from mien_face.config import NetworkConfig
from mien_face.labels import Head


def forward(config: NetworkConfig, arrays: Mapping[str, jax.Array], images: jax.Array) -> jax.Array:
    """Run the folded network.

    Args:
        config: The network.
        arrays: Folded, as ``mien_face.folding.fold`` makes them.
        images: Normalised crops, [n, 48, 48, 1].

    Returns:
        Logits of both heads side by side, [n, 7 + 8].
    """

    def convolve(name: str, inputs: jax.Array, *, stride: int = 1) -> jax.Array:
        kernel = arrays[f"{name}.kernel"]
        border = kernel.shape[0] // 2
        outputs = lax.conv_general_dilated(
            inputs,
            kernel,
            window_strides=(stride, stride),
            padding=((border, border), (border, border)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return outputs + arrays[f"{name}.bias"]

    features = jax.nn.relu(convolve("stem", images, stride=2))  # [n, 24, 24, c]
    for block in config.blocks():
        branch = jax.nn.relu(convolve(f"{block.name}.first", features, stride=block.stride))
        branch = convolve(f"{block.name}.second", branch)
        if block.stride != 1:
            features = halve(features)
        if block.has_shortcut:
            features = convolve(f"{block.name}.shortcut", features)
        features = jax.nn.relu(features + branch)
    pooled = features.mean(axis=(1, 2))  # [n, c]
    heads = [pooled @ arrays[f"{head}.kernel"] + arrays[f"{head}.bias"] for head in Head]
    return jnp.concatenate(heads, axis=1)


def halve(images: jax.Array) -> jax.Array:
    """Average 2x2 pixels: [n, h, w, c] -> [n, h / 2, w / 2, c]."""
    count, height, width, channels = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
