"""Folds batch normalisation into the detector's convolutions: what is exported, and nothing that training uses."""

from __future__ import annotations

from mien_face.config import Arrays
from mien_face.detection.config import DetectorConfig
from mien_face_lab.folding import folded_layer, plain_layer


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
        folded |= folded_layer(arrays, layer.name) if layer.normalised else plain_layer(arrays, layer.name)
    return folded
