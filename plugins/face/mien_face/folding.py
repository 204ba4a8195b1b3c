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
    for name, _, _, _ in config.convolutions():
        gain = arrays[f"{name}.scale"] / np.sqrt(arrays[f"{name}.variance"] + np.float32(NORM_EPSILON))
        folded[f"{name}.kernel"] = (arrays[f"{name}.kernel"] * gain).astype(np.float32)  # the last axis is the output
        folded[f"{name}.bias"] = (arrays[f"{name}.bias"] - arrays[f"{name}.mean"] * gain).astype(np.float32)
    for head in Head:
        folded[f"{head}.kernel"] = arrays[f"{head}.kernel"].astype(np.float32)
        folded[f"{head}.bias"] = arrays[f"{head}.bias"].astype(np.float32)
    return folded
