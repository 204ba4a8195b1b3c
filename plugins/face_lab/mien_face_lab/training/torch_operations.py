"""The operations of both networks as PyTorch trains them: convolutions with batch normalisation, heads with dropout.

Shapes: n pictures, c channels, h height, w width, o outputs. Kernels are ``[o, c, height, width]``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
import torch.nn.functional as functional

from mien_face.config import NORM_EPSILON
from mien_face.labels import Head
from mien_face.operations import Convolution

Tensors = dict[str, torch.Tensor]

STATISTICS_SHARE: Final = 0.1
"""Of a batch in a running statistic after it, what PyTorch calls momentum."""


class Dropout(NamedTuple):
    """What is dropped before the heads.

    Attributes:
        share: Of the features.
        generator: Decides which.
    """

    share: float
    generator: torch.Generator


class TorchOperations:
    """For one walk.

    Args:
        tensors: Parameters and running statistics, by name; the statistics are updated in place while training.
        train: Whether batches are normalised by their own statistics.
        dropout: What is dropped before the heads; None: nothing.
    """

    def __init__(self, tensors: Tensors, *, train: bool, dropout: Dropout | None = None) -> None:
        self._tensors = tensors
        self._train = train
        self._dropout = dropout

    def convolve(self, layer: Convolution, inputs: torch.Tensor) -> torch.Tensor:
        """[n, c, h, w] -> [n, o, h / stride, w / stride]."""
        name, border = layer.name, layer.side // 2
        kernel, bias = self._tensors[f"{name}.kernel"], self._tensors[f"{name}.bias"]
        if not layer.normalised:
            return functional.conv2d(inputs, kernel, bias, stride=layer.stride, padding=border)
        outputs = functional.conv2d(inputs, kernel, stride=layer.stride, padding=border)
        mean, variance, scale = (self._tensors[f"{name}.{part}"] for part in ("mean", "variance", "scale"))
        return functional.batch_norm(outputs, mean, variance, scale, bias, self._train, STATISTICS_SHARE, NORM_EPSILON)

    def relu(self, inputs: torch.Tensor) -> torch.Tensor:
        """max(0, x)."""
        return functional.relu(inputs)

    def halve(self, name: str, inputs: torch.Tensor) -> torch.Tensor:
        """[n, c, h, w] -> [n, c, h / 2, w / 2]."""
        return functional.avg_pool2d(inputs, 2)

    def join(self, name: str, identity: torch.Tensor, branch: torch.Tensor) -> torch.Tensor:
        """The rectified sum."""
        return functional.relu(identity + branch)

    def add(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """The sum."""
        return first + second

    def spread(self, coarse: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """[n, 4 c, r, s] -> [n, c, h, w], as ``mien_face.detection.forward.quarters``."""
        count, channels, height, width = coarse.shape
        split = coarse.reshape(count, 2, 2, channels // 4, height, width).permute(0, 3, 4, 1, 5, 2)
        spread = split.reshape(count, channels // 4, 2 * height, 2 * width)
        return spread[:, :, : like.shape[2], : like.shape[3]]

    def mean(self, inputs: torch.Tensor) -> torch.Tensor:
        """[n, c, h, w] -> [n, c]."""
        return inputs.mean((2, 3))

    def heads(self, features: torch.Tensor) -> dict[Head, torch.Tensor]:
        """[n, c] -> head -> logits, [n, labels]."""
        if self._dropout is not None and self._dropout.share > 0:
            drawn = torch.rand(features.shape, generator=self._dropout.generator, device=features.device)
            keep = drawn >= self._dropout.share
            features = features * keep / (1 - self._dropout.share)
        return {head: features @ self._tensors[f"{head}.kernel"] + self._tensors[f"{head}.bias"] for head in Head}
