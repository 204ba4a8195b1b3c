"""Training steps computed by PyTorch, for CPUs: oneDNN's weight gradients are several times faster than XLA's there.

It computes the same network from the same arrays as ``jax_engine`` (a test holds the two together); nothing but
training uses it, and PyTorch is optional. Each step runs on ``shards`` threads of one core each: unlike one on many
cores, they never wait for each other inside a layer, which matters where the machine is shared.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import Head
from mien_face_lab.training.loop import Gradients, split_arrays
from mien_face_lab.training.recipe import Batch, Recipe
from mien_face_lab.training.state import is_statistic
from mien_face_lab.training.torch_operations import Dropout, Tensors, TorchOperations

Result = TypeVar("Result")

_EVALUATED_AT_ONCE = 64


class TorchEngine:
    """Differentiates and evaluates the network; holds threads but no state of the training.

    Args:
        config: The network.
        recipe: Its ``head_weights`` weigh the losses.
        shards: Threads, each with an equal part of a batch.
    """

    def __init__(self, config: NetworkConfig, recipe: Recipe, *, shards: int = 2) -> None:
        self._config = config
        self._recipe = recipe
        self._shards = shards
        torch.set_num_threads(1)
        self._pool = ThreadPoolExecutor(shards, initializer=torch.set_num_threads, initargs=(1,))

    def gradients(self, arrays: Arrays, batch: Batch, *, seed: int) -> Gradients:
        """Differentiate the recipe's loss: the mean over the shards, each normalised by its own batch statistics."""
        tensors = _tensors(arrays)
        parts = [batch.part(index, self._shards) for index in range(self._shards)]
        seeds = [seed * self._shards + index for index in range(self._shards)]
        results = list(self._pool.map(lambda part, seed: self._shard_gradients(tensors, part, seed), parts, seeds))
        means = {name: _to_numpy(name, _mean([values[name] for _, values in results])) for name in arrays}
        return Gradients(float(np.mean([loss for loss, _ in results])), *split_arrays(means))

    def logits(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> dict[Head, npt.NDArray[np.float32]]:
        """Evaluate a network.

        Args:
            arrays: Parameters and statistics.
            images: Normalised crops, ``[count, 48, 48, 1]``.

        Returns:
            Head -> ``[count, labels]``.
        """
        operations = TorchOperations(_tensors(arrays), train=False)
        parts = self._in_parts(lambda part: self._config.walk(operations, part), images)
        return {head: np.concatenate([part[head].numpy() for part in parts]) for head in Head}

    def features(self, arrays: Arrays, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What the heads look at: normalised crops ``[count, 48, 48, 1]`` -> ``[count, channels]``."""
        operations = TorchOperations(_tensors(arrays), train=False)
        parts = self._in_parts(lambda part: self._config.features(operations, part), images)
        return np.concatenate([part.numpy() for part in parts])

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _in_parts(self, compute: Callable[[torch.Tensor], Result], images: npt.NDArray[np.float32]) -> list[Result]:
        """What a function without gradients makes of the pictures, some at a time, in their order."""

        def evaluate(part: npt.NDArray[np.float32]) -> Result:
            with torch.no_grad():
                return compute(_images(part))

        return list(self._pool.map(evaluate, np.array_split(images, max(1, len(images) // _EVALUATED_AT_ONCE))))

    def _shard_gradients(self, tensors: Tensors, batch: Batch, seed: int) -> tuple[float, Tensors]:
        """Loss on a part of a batch; gradients of parameters and new running statistics, by name."""
        own = {
            name: tensor.clone() if is_statistic(name) else tensor.detach().requires_grad_()
            for name, tensor in tensors.items()
        }
        dropout = Dropout(self._config.dropout, torch.Generator().manual_seed(seed))
        operations = TorchOperations(own, train=True, dropout=dropout)
        loss = torch.zeros(())
        for head, output in self._config.walk(operations, _images(batch.images)).items():
            targets, weights = (torch.from_numpy(array) for array in batch.targets[head])
            losses = -(targets * functional.log_softmax(output, dim=1)).sum(1)
            loss = loss + self._recipe.head_weights[head] * (weights * losses).sum() / weights.sum().clamp(min=1)
        names = [name for name in own if not is_statistic(name)]
        gradients = torch.autograd.grad(loss, [own[name] for name in names])
        return float(loss.detach()), own | dict(zip(names, gradients, strict=True))


def _images(images: npt.NDArray[np.float32]) -> torch.Tensor:
    # [count, height, width, 1] holds the same bytes as [count, 1, height, width]
    tensor = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return tensor.contiguous(memory_format=torch.channels_last)


def _mean(tensors: list[torch.Tensor]) -> torch.Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total / len(tensors)


def _tensors(arrays: Arrays) -> Tensors:
    return {name: _to_torch(name, array) for name, array in arrays.items()}


def _to_torch(name: str, array: npt.NDArray[Any]) -> torch.Tensor:
    """Kernels as [out, in, height, width] in oneDNN's favourite layout: no copy if ``_to_numpy`` made the array."""
    if name.endswith(".kernel") and array.ndim == 4:
        return torch.from_numpy(array.transpose(3, 2, 0, 1)).contiguous(memory_format=torch.channels_last)
    return torch.from_numpy(array)


def _to_numpy(name: str, tensor: torch.Tensor) -> npt.NDArray[np.float32]:
    """Kernels as [height, width, in, out]: a view, whose order in memory numpy's arithmetic keeps."""
    array: npt.NDArray[np.float32] = tensor.numpy()
    return array.transpose(2, 3, 1, 0) if name.endswith(".kernel") and array.ndim == 4 else array
