"""Training steps of the detector computed by PyTorch: for CPUs, where its gradients are faster than XLA's, and GPUs.

It computes the same network and losses from the same arrays as ``jax_engine`` (a test holds the two together). On a CPU
each step runs on ``shards`` threads with one core each, which never wait for each other inside a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from mien_face.config import Arrays
from mien_face.detection.config import LANDMARKS, DetectorConfig
from mien_face.detection.forward import LARGEST_LOG_SIZE, cells
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.step import Gradients
from mien_face_lab.training.detector.targets import IGNORED, Batch
from mien_face_lab.training.state import is_statistic
from mien_face_lab.training.torch_operations import Tensors, TorchOperations


class TorchOutput(NamedTuple):
    """As ``mien_face.detection.forward.DetectorOutput``."""

    scores: torch.Tensor
    boxes: torch.Tensor
    landmarks: torch.Tensor


class TorchEngine:
    """Differentiates the losses; holds threads but no state of the training.

    Args:
        config: The network.
        recipe: Weights of the losses.
        shards: Threads, each with an equal part of a batch.
        compiled: Whether PyTorch compiles the network, which takes a minute or two and a C++ compiler, and a third off
            every step.
        device: What computes, as PyTorch names it: ``cpu``, or ``cuda`` with whole batches.
    """

    def __init__(
        self, config: DetectorConfig, recipe: Recipe, *, shards: int = 2, compiled: bool = False, device: str = "cpu"
    ) -> None:
        self._recipe = recipe
        self._device = torch.device(device)
        if self._device.type != "cpu":
            shards = 1
        network = partial(forward, config)
        self._forward: Callable[[Tensors, torch.Tensor], TorchOutput] = (
            torch.compile(network, dynamic=False) if compiled else network
        )
        self._warm = not compiled
        self._shards = shards
        torch.set_num_threads(1)
        self._pool = ThreadPoolExecutor(shards, initializer=torch.set_num_threads, initargs=(1,))

    def gradients(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Differentiate the losses: the mean over the shards, each normalised by its own batch statistics."""
        tensors = {name: to_torch(name, array).to(self._device) for name, array in arrays.items()}
        parts = [batch.part(index, self._shards) for index in range(self._shards)]
        if not self._warm:  # compiles here, as no two threads may
            self._shard_gradients(tensors, parts[0])
            self._warm = True
        results = list(self._pool.map(lambda part: self._shard_gradients(tensors, part), parts))
        means = {name: to_numpy(name, torch.stack([values[name] for _, values in results]).mean(0)) for name in arrays}
        losses = {name: float(np.mean([each[name] for each, _ in results])) for name in results[0][0]}
        return Gradients(
            losses,
            {name: array for name, array in means.items() if not is_statistic(name)},
            {name: array for name, array in means.items() if is_statistic(name)},
        )

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _shard_gradients(self, tensors: Tensors, batch: Batch) -> tuple[dict[str, float], Tensors]:
        """Losses on a part of a batch; gradients of parameters and new running statistics, by name."""
        own = {
            name: tensor.clone() if is_statistic(name) else tensor.detach().requires_grad_()
            for name, tensor in tensors.items()
        }
        # a view of [n, h, w, 3]: in oneDNN's favourite layout already
        images = torch.from_numpy(np.ascontiguousarray(batch.images)).to(self._device).permute(0, 3, 1, 2)
        outputs = self._forward(own, images)
        losses = detection_losses(self._recipe, outputs, batch)
        total = torch.stack(list(losses.values())).sum()
        names = [name for name in own if not is_statistic(name)]
        gradients = torch.autograd.grad(total, [own[name] for name in names])
        return {name: float(loss.detach()) for name, loss in losses.items()}, own | dict(
            zip(names, gradients, strict=True)
        )


def forward(config: DetectorConfig, tensors: Tensors, images: torch.Tensor) -> TorchOutput:
    """Run the network in training mode; running statistics in ``tensors`` are updated in place.

    Args:
        config: The network.
        tensors: Parameters and statistics, kernels as ``[out, in, height, width]``.
        images: RGB, uint8 ``[n, 3, h, w]``.
    """
    return _decode(config.walk(TorchOperations(tensors, train=True), images.float() / 127.5 - 1))


def detection_losses(recipe: Recipe, outputs: TorchOutput, batch: Batch) -> dict[str, torch.Tensor]:
    """The losses of ``mien_face_lab.training.detector.jax_engine``, weighted; their sum is minimised."""
    device = outputs.scores.device
    assigned = torch.from_numpy(np.ascontiguousarray(batch.assigned)).to(device).long()  # [n, a]
    picture, cell = torch.nonzero(assigned >= 0, as_tuple=True)
    face = assigned[picture, cell]
    boxes = torch.from_numpy(np.ascontiguousarray(batch.boxes)).to(device)[picture, face]  # [positive, 4]
    points = torch.from_numpy(np.ascontiguousarray(batch.landmarks)).to(device)[picture, face]
    found = outputs.boxes[picture, cell]
    overlap, generalised = _overlaps(found, boxes)
    target = torch.zeros_like(outputs.scores)
    target[picture, cell] = overlap.detach().clamp(0, 1)
    share = outputs.scores.sigmoid()
    background = recipe.negative_weight * share.detach() ** recipe.focus
    weight = torch.where(assigned >= 0, target, background * (assigned != IGNORED))
    entropy = functional.binary_cross_entropy_with_logits(outputs.scores, target, reduction="none")
    quality = target[picture, cell]
    total = quality.sum().clamp(min=1)
    size = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
    error = (outputs.landmarks[picture, cell] - points).abs() / size[:, None, None]
    knee = recipe.landmark_knee
    smooth = torch.where(error < knee, error**2 / (2 * knee), error - knee / 2).mean((1, 2))
    return {
        "score": (weight * entropy).sum() / total,
        "box": recipe.box_weight * (quality * (1 - generalised)).sum() / total,
        "landmark": recipe.landmark_weight * (quality * smooth).sum() / total,
    }


def _overlaps(found: torch.Tensor, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Intersection over union, and its generalisation (Rezatofighi et al. 2019), of boxes in pairs."""
    inner = (torch.minimum(found[:, 2:], boxes[:, 2:]) - torch.maximum(found[:, :2], boxes[:, :2])).clamp(min=0)
    outer = torch.maximum(found[:, 2:], boxes[:, 2:]) - torch.minimum(found[:, :2], boxes[:, :2])
    shared, hull = inner.prod(1), outer.prod(1)
    union = (found[:, 2:] - found[:, :2]).prod(1) + (boxes[:, 2:] - boxes[:, :2]).prod(1) - shared
    overlap = shared / union
    return overlap, overlap - (hull - union) / hull


def _decode(answers: list[torch.Tensor]) -> TorchOutput:
    arrays = cells([(answer.shape[2], answer.shape[3]) for answer in answers])
    centres, units = (torch.from_numpy(array).to(answers[0].device) for array in arrays)
    flat = torch.cat([answer.permute(0, 2, 3, 1).flatten(1, 2) for answer in answers], dim=1)  # [n, a, 15]
    middles = centres + flat[..., 1:3] * units
    halves = flat[..., 3:5].clamp(max=LARGEST_LOG_SIZE).exp() * units / 2
    points = flat[..., 5:].unflatten(-1, (LANDMARKS, 2))
    boxes = torch.cat([middles - halves, middles + halves], dim=-1)
    return TorchOutput(flat[..., 0], boxes, points * units[:, None] + centres[:, None])


def to_torch(name: str, array: npt.NDArray[Any]) -> torch.Tensor:
    """One of the network's arrays as PyTorch wants it: a kernel as ``[out, in, height, width]``."""
    if name.endswith(".kernel"):
        return torch.from_numpy(np.array(array.transpose(3, 2, 0, 1))).contiguous(memory_format=torch.channels_last)
    return torch.from_numpy(np.array(array))


def to_numpy(name: str, tensor: torch.Tensor) -> npt.NDArray[np.float32]:
    """Back again."""
    array: npt.NDArray[np.float32] = tensor.cpu().numpy()
    return np.ascontiguousarray(array.transpose(2, 3, 1, 0)) if name.endswith(".kernel") else array
