"""The folded network in plain NumPy: slow, and the same on every machine. Backends are held against it when they load.

Being NumPy it costs a few hundredths of a second; holding them against XLA's answer would mean to import and compile
it in processes that have chosen not to. Tests hold it against the network as it is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import Head
from mien_face.operations import Convolution

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
    return config.walk(_Plain(arrays, observe), images)


@dataclass(frozen=True, slots=True)
class _Plain:
    """The operations."""

    arrays: Arrays
    observe: Callable[[str, Floats], None] | None

    def convolve(self, layer: Convolution, inputs: Floats) -> Floats:
        outputs = _convolve(inputs, self.arrays[f"{layer.name}.kernel"], layer.stride)
        if self.observe is not None:
            self.observe(layer.name, outputs)
        return outputs + self.arrays[f"{layer.name}.bias"]

    def relu(self, inputs: Floats) -> Floats:
        return np.maximum(inputs, np.float32(0))

    def halve(self, name: str, inputs: Floats) -> Floats:
        count, height, width, channels = inputs.shape
        halved: Floats = inputs.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
        return halved

    def join(self, name: str, identity: Floats, branch: Floats) -> Floats:
        return self.relu(identity + branch)

    def mean(self, inputs: Floats) -> Floats:
        means: Floats = inputs.mean(axis=(1, 2))  # [n, c]
        return means

    def heads(self, features: Floats) -> Floats:
        logits = [features @ self.arrays[f"{head}.kernel"] + self.arrays[f"{head}.bias"] for head in Head]
        return np.concatenate(logits, axis=1)


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
