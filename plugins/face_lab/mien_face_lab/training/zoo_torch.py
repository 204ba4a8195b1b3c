"""Gradients and answers of the zoo's networks, computed by PyTorch: several times faster than XLA on a CPU.

It walks the same descriptions and takes the same arrays as the Flax modules (a test holds the two together). PyTorch is
optional. With ``half``, products are computed in bfloat16, which processors with AMX do many times faster.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from mien_face.config import Arrays
from mien_face_lab.training.step import Gradients
from mien_face_lab.training.zoo_engine import ZooBatch, in_parts
from mien_face_lab.zoo import layers as described
from mien_face_lab.zoo.catalogue import ZooNetwork
from mien_face_lab.zoo.layers import Layer
from mien_face_lab.zoo.network import NORM_EPSILON, STATISTICS_MOMENTUM, is_statistic

Tensors = dict[str, torch.Tensor]


class TorchZooEngine:
    """Computes by PyTorch.

    Args:
        network: Which.
        classes: How many it tells apart.
        half: Whether products are computed in bfloat16.
    """

    def __init__(self, network: ZooNetwork, classes: int, *, half: bool = False) -> None:
        self._layers = network.layers(classes)
        self._half = half

    def gradients(self, arrays: Arrays, batch: ZooBatch, *, seed: int) -> Gradients:
        """Differentiate the weighted mean of the cross-entropy."""
        tensors = _to_torch(arrays)
        names = [name for name in tensors if not is_statistic(name)]
        for name in names:
            tensors[name].requires_grad_()
        generator = torch.Generator().manual_seed(seed)
        logits = self._forward(tensors, batch.images, generator)
        labels = torch.from_numpy(batch.labels)
        losses = functional.cross_entropy(logits, labels, reduction="none")
        loss = (torch.from_numpy(batch.weights) * losses).mean()
        found = torch.autograd.grad(loss, [tensors[name] for name in names])
        statistics = {name: tensors[name].numpy() for name in tensors if is_statistic(name)}
        accuracy = float((logits.detach().argmax(1) == labels).float().mean())
        parameters = {name: gradient.numpy() for name, gradient in zip(names, found, strict=True)}
        return Gradients(float(loss.detach()), parameters, statistics, accuracy)

    def logits(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Evaluate a network."""
        tensors = _to_torch(arrays)

        def compute(part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            with torch.no_grad():
                answers: npt.NDArray[np.float32] = self._forward(tensors, part, None).numpy()
            return answers

        return in_parts(compute, images)

    def close(self) -> None:
        """Nothing to give back."""

    def _forward(
        self, tensors: Tensors, images: npt.NDArray[np.float32], generator: torch.Generator | None
    ) -> torch.Tensor:
        # [n, side, side, 1] holds the same bytes as [n, 1, side, side]
        features = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
        features = features.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._half):
            return _run(self._layers, tensors, "", features, generator).float()


def _run(
    layers: tuple[Layer, ...], tensors: Tensors, prefix: str, features: torch.Tensor, generator: torch.Generator | None
) -> torch.Tensor:
    """Run layers on [n, c, h, w]; with a generator as in training, which updates running statistics in ``tensors``."""
    for index, layer in enumerate(layers):
        features = _apply(layer, tensors, f"{prefix}{index}.", features, generator)
    return features


def _apply(
    layer: Layer, tensors: Tensors, name: str, features: torch.Tensor, generator: torch.Generator | None
) -> torch.Tensor:
    match layer:
        case described.Conv(side=side, stride=stride, same=same):
            kernel = tensors[f"{name}kernel"].permute(3, 2, 0, 1)  # [h, w, in, out] -> [out, in, h, w]
            padded = _padded(features, side, stride, 0.0) if same and stride > 1 else features
            border = side // 2 if same and stride == 1 else 0
            return functional.conv2d(padded, kernel, tensors.get(f"{name}bias"), stride=stride, padding=border)
        case described.Depthwise(side=side):
            kernel = tensors[f"{name}kernel"].permute(2, 0, 1)[:, None]  # [side, side, c] -> [c, 1, side, side]
            return functional.conv2d(features, kernel, padding=side // 2, groups=len(kernel))
        case described.Norm():
            return _normalised(tensors, name, features, train=generator is not None)
        case described.Relu():
            return functional.relu(features)
        case described.Pool(side=side, stride=stride, same=same):
            padded = _padded(features, side, stride, -float("inf")) if same else features
            return functional.max_pool2d(padded, side, stride)
        case described.Dropout(share=share):
            if generator is None:
                return features
            keep = torch.rand(features.shape, generator=generator) >= share
            return features * keep / (1 - share)
        case described.Flatten():
            return features.permute(0, 2, 3, 1).flatten(1)  # in the order of [height, width, channels]
        case described.GlobalMean():
            return features.mean((2, 3))
        case described.Dense():
            return functional.linear(features, tensors[f"{name}kernel"].T, tensors[f"{name}bias"])
        case described.Residual(branch=branch, shortcut=shortcut):
            first = _run(branch, tensors, f"{name}branch.", features, generator)
            return first + _run(shortcut, tensors, f"{name}shortcut.", features, generator)


def _normalised(tensors: Tensors, name: str, features: torch.Tensor, *, train: bool) -> torch.Tensor:
    mean, variance = tensors[f"{name}mean"], tensors[f"{name}var"]
    moved = variance.clone()
    result = functional.batch_norm(
        features,
        mean,
        moved,
        tensors[f"{name}scale"],
        tensors[f"{name}bias"],
        train,
        1 - STATISTICS_MOMENTUM,
        NORM_EPSILON,
    )
    if train:  # PyTorch keeps the unbiased variance, Flax the biased one
        count = features.numel() / features.shape[1]
        kept = STATISTICS_MOMENTUM * variance
        tensors[f"{name}var"] = kept + (moved - kept) * (count - 1) / count
    return result


def _padded(features: torch.Tensor, side: int, stride: int, value: float) -> torch.Tensor:
    """Padded as TensorFlow and Flax do it: the larger half of the border at the end."""
    borders = []
    for size in (features.shape[3], features.shape[2]):
        total = max((-(-size // stride) - 1) * stride + side - size, 0)
        borders += [total // 2, total - total // 2]
    return functional.pad(features, borders, value=value) if any(borders) else features


def _to_torch(arrays: Arrays) -> Tensors:
    """Copies, for statistics are changed in place and parameters collect gradients."""
    return {name: torch.from_numpy(np.array(array, np.float32)) for name, array in arrays.items()}
