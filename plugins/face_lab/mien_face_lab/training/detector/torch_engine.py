"""Training steps of the detector computed by PyTorch, for CPUs, where its gradients are faster than XLA's.

It computes the same network and losses from the same arrays as ``jax_engine`` (a test holds the two together). Each
step runs on ``shards`` threads with one core each, which never wait for each other inside a layer.
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

from mien_face.config import NORM_EPSILON, Arrays
from mien_face.detection.config import LANDMARKS, STRIDES, DetectorConfig
from mien_face.detection.forward import LARGEST_LOG_SIZE, cells
from mien_face_lab.training.detector.loop import Gradients
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.targets import IGNORED, Batch
from mien_face_lab.training.state import is_statistic

Tensors = dict[str, torch.Tensor]

_STATISTICS_MOMENTUM = 0.1


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
    """

    def __init__(self, config: DetectorConfig, recipe: Recipe, *, shards: int = 2, compiled: bool = False) -> None:
        self._recipe = recipe
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
        tensors = {name: _to_torch(name, array) for name, array in arrays.items()}
        parts = [batch.part(index, self._shards) for index in range(self._shards)]
        if not self._warm:  # compiles here, as no two threads may
            self._shard_gradients(tensors, parts[0])
            self._warm = True
        results = list(self._pool.map(lambda part: self._shard_gradients(tensors, part), parts))
        means = {name: _to_numpy(name, torch.stack([values[name] for _, values in results]).mean(0)) for name in arrays}
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
        images = torch.from_numpy(np.ascontiguousarray(batch.images)).permute(0, 3, 1, 2)
        outputs = self._forward(own, images)
        losses = detection_losses(self._recipe, outputs, batch)
        names = [name for name in own if not is_statistic(name)]
        gradients = torch.autograd.grad(sum(losses.values(), torch.zeros(())), [own[name] for name in names])
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
    layers = {layer.name: layer for layer in config.layers()}

    def convolve(name: str, inputs: torch.Tensor) -> torch.Tensor:
        kernel, bias = tensors[f"{name}.kernel"], tensors[f"{name}.bias"]
        layer = layers[name]
        added = None if layer.normalised else bias
        outputs = functional.conv2d(inputs, kernel, added, stride=layer.stride, padding=layer.side // 2)
        if not layer.normalised:
            return outputs
        mean, variance, scale = (tensors[f"{name}.{part}"] for part in ("mean", "variance", "scale"))
        return functional.batch_norm(outputs, mean, variance, scale, bias, True, _STATISTICS_MOMENTUM, NORM_EPSILON)

    features = functional.relu(convolve("stem", images.float() / 127.5 - 1))
    stages = []
    for stage, depth in enumerate(config.depths):
        features = functional.relu(convolve(f"stages.{stage}.down", features))
        for block in range(depth):
            prefix = f"stages.{stage}.blocks.{block}"
            inside = functional.relu(convolve(f"{prefix}.reduce", features))
            inside = functional.relu(convolve(f"{prefix}.mix", inside))
            features = functional.relu(features + convolve(f"{prefix}.expand", inside))
        stages.append(features)
    answers: list[torch.Tensor] = []
    above: torch.Tensor | None = None
    for level in reversed(range(len(STRIDES))):
        merged = convolve(f"levels.{level}.lateral", stages[level])
        if above is not None:
            merged = merged + _quarters(convolve(f"levels.{level}.above", above), merged.shape[2], merged.shape[3])
        above = functional.relu(merged)
        mixed = functional.relu(convolve(f"levels.{level}.mix", above))
        answers.insert(0, convolve(f"levels.{level}.answer", mixed))
    return _decode(answers)


def detection_losses(recipe: Recipe, outputs: TorchOutput, batch: Batch) -> dict[str, torch.Tensor]:
    """The losses of ``mien_face_lab.training.detector.jax_engine``, weighted; their sum is minimised."""
    assigned = torch.from_numpy(np.ascontiguousarray(batch.assigned)).long()  # [n, a]
    picture, cell = torch.nonzero(assigned >= 0, as_tuple=True)
    face = assigned[picture, cell]
    boxes = torch.from_numpy(np.ascontiguousarray(batch.boxes))[picture, face]  # [positive, 4]
    points = torch.from_numpy(np.ascontiguousarray(batch.landmarks))[picture, face]
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


def _quarters(cell: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """As ``mien_face.detection.forward.quarters``, for [n, 4 c, r, s]."""
    count, channels, height, width = cell.shape
    split = cell.reshape(count, 2, 2, channels // 4, height, width).permute(0, 3, 4, 1, 5, 2)
    return split.reshape(count, channels // 4, 2 * height, 2 * width)[:, :, :rows, :columns]


def _decode(answers: list[torch.Tensor]) -> TorchOutput:
    arrays = cells([(answer.shape[2], answer.shape[3]) for answer in answers])
    centres, units = (torch.from_numpy(array) for array in arrays)
    flat = torch.cat([answer.permute(0, 2, 3, 1).flatten(1, 2) for answer in answers], dim=1)  # [n, a, 15]
    middles = centres + flat[..., 1:3] * units
    halves = flat[..., 3:5].clamp(max=LARGEST_LOG_SIZE).exp() * units / 2
    points = flat[..., 5:].unflatten(-1, (LANDMARKS, 2))
    boxes = torch.cat([middles - halves, middles + halves], dim=-1)
    return TorchOutput(flat[..., 0], boxes, points * units[:, None] + centres[:, None])


def _to_torch(name: str, array: npt.NDArray[Any]) -> torch.Tensor:
    if name.endswith(".kernel"):
        return torch.from_numpy(np.array(array.transpose(3, 2, 0, 1))).contiguous(memory_format=torch.channels_last)
    return torch.from_numpy(np.array(array))


def _to_numpy(name: str, tensor: torch.Tensor) -> npt.NDArray[np.float32]:
    array: npt.NDArray[np.float32] = tensor.numpy()
    return np.ascontiguousarray(array.transpose(2, 3, 1, 0)) if name.endswith(".kernel") else array
