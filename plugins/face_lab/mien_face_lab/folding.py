"""Folds batch normalisation into the convolutions before it: what is exported, and nothing that training uses."""

from __future__ import annotations

import numpy as np

from mien_face.config import NORM_EPSILON, Arrays, NetworkConfig
from mien_face.labels import Head


def fold(config: NetworkConfig, arrays: Arrays) -> Arrays:
    """Fold every normalisation into its convolution.

    Args:
        config: The network.
        arrays: Its parameters and running statistics.

    Returns:
        ``<layer>.kernel`` and ``<layer>.bias`` of each convolution and head, float32; the network gives with them what
        it gave in evaluation mode.
    """
    folded: Arrays = {}
    for layer in config.layers():
        folded |= folded_layer(arrays, layer.name)
    for head in Head:
        folded |= plain_layer(arrays, head)
    return folded


def folded_layer(arrays: Arrays, name: str) -> Arrays:
    """Kernel and bias of a convolution with its normalisation folded in, float32."""
    gain = arrays[f"{name}.scale"] / np.sqrt(arrays[f"{name}.variance"] + np.float32(NORM_EPSILON))
    kernel = arrays[f"{name}.kernel"] * gain  # [height, width, in, out] * [out]
    bias = arrays[f"{name}.bias"] - arrays[f"{name}.mean"] * gain
    return {f"{name}.kernel": kernel.astype(np.float32), f"{name}.bias": bias.astype(np.float32)}


def plain_layer(arrays: Arrays, name: str) -> Arrays:
    """Kernel and bias of a layer without normalisation, float32."""
    return {f"{name}.{part}": arrays[f"{name}.{part}"].astype(np.float32) for part in ("kernel", "bias")}
