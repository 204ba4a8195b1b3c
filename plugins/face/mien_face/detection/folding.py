"""Folds batch normalisation into the detector's convolutions: what is exported, and nothing that training uses."""

from __future__ import annotations

import numpy as np

from mien_face.config import NORM_EPSILON, Arrays
from mien_face.detection.config import DetectorConfig


def fold(config: DetectorConfig, arrays: Arrays) -> Arrays:
    """Fold every normalisation into its convolution.

    Args:
        config: The network.
        arrays: Its parameters and running statistics.

    Returns:
        ``<layer>.kernel`` and ``<layer>.bias`` of each layer, float32; the network gives with them what it gave in
        evaluation mode.
    """
    folded: Arrays = {}
    for layer in config.layers():
        kernel, bias = arrays[f"{layer.name}.kernel"], arrays[f"{layer.name}.bias"]
        if layer.normalised:
            variance = arrays[f"{layer.name}.variance"] + np.float32(NORM_EPSILON)
            gain = arrays[f"{layer.name}.scale"] / np.sqrt(variance)
            kernel, bias = kernel * gain, bias - arrays[f"{layer.name}.mean"] * gain  # the last axis is the output
        folded[f"{layer.name}.kernel"] = kernel.astype(np.float32)
        folded[f"{layer.name}.bias"] = bias.astype(np.float32)
    return folded
