"""The folded network in plain NumPy: slow, and the same on every machine. Backends are held against it when they load.

Being NumPy it costs a few hundredths of a second; holding them against XLA's answer would mean to import and compile
it in processes that have chosen not to. Tests hold it against the Flax network.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import Head

Floats = npt.NDArray[np.float32]


def reference_logits(
    config: NetworkConfig, arrays: Arrays, images: Floats, *, observe: Callable[[str, Floats], None] | None = None
) -> Floats:
    """Run the network.

    Args:
        config: The network.
        arrays: Its folded arrays, float32.
        images: Normalised crops, [n, 48, 48, 1].
        observe: Is shown each convolution's name and what it gives before its bias is added, [n, h, w, c].

    Returns:
        Logits of both heads side by side, [n, 7 + 8].
    """

    def convolve(name: str, inputs: Floats, *, stride: int = 1) -> Floats:
        outputs = _convolve(inputs, arrays[f"{name}.kernel"], stride)
        if observe is not None:
            observe(name, outputs)
        return outputs + arrays[f"{name}.bias"]

    features = _relu(convolve("stem", images, stride=2))  # [n, 24, 24, c]
    for block in config.blocks():
        branch = _relu(convolve(f"{block.name}.first", features, stride=block.stride))
        branch = convolve(f"{block.name}.second", branch)
        if block.stride != 1:
            count, height, width, channels = features.shape
            features = features.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
        if block.has_shortcut:
            features = convolve(f"{block.name}.shortcut", features)
        features = _relu(features + branch)
    pooled = features.mean(axis=(1, 2))  # [n, c]
    return np.concatenate([pooled @ arrays[f"{head}.kernel"] + arrays[f"{head}.bias"] for head in Head], axis=1)


def _relu(values: Floats) -> Floats:
    return np.maximum(values, np.float32(0))


def _convolve(images: Floats, kernel: Floats, stride: int) -> Floats:
    """[n, h, w, c] -> [n, h / stride, w / stride, o]."""
    side, _, channels, outputs = kernel.shape
    border = side // 2
    padded = np.pad(images, ((0, 0), (border, border), (border, border), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))[:, ::stride, ::stride]
    neighbourhoods = windows.transpose(0, 1, 2, 4, 5, 3)  # [n, h / stride, w / stride, side, side, c]
    shape = neighbourhoods.shape[:3]
    product: Floats = neighbourhoods.reshape(-1, side * side * channels) @ kernel.reshape(-1, outputs)
    return product.reshape(*shape, outputs)
