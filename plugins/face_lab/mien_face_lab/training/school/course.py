"""A network's course: steps by Nesterov's momentum on views of faces, averaged weights, at last towards a flat minimum.

The course runs by its own progress, 0 to 1, which a clock or a count of steps tells, so that it ends well whenever it
has to.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import torch

from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import Head
from mien_face_lab.training.school.pool import Lessons, Pool
from mien_face_lab.training.school.views import Spoiling, ViewSettings, spoil, standardise, view
from mien_face_lab.training.torch_operations import Dropout, TorchOperations

Tensors = dict[str, torch.Tensor]

Said = Callable[[int], "Mapping[Head, torch.Tensor] | None"]
"""Number of a view -> what teachers say of all faces seen so: head -> logarithms of probabilities, [n, labels]."""

VIEWED_AT_ONCE: Final = 8192
"""Faces; the same for teachers and students, since random numbers depend on it."""


@dataclass(frozen=True, slots=True)
class Course:
    """Settings of a course.

    Attributes:
        batch_size: Faces a step.
        peak_rate: Highest learning rate.
        warm_up: Share of the course until it is reached; then it falls to 0 along a cosine.
        momentum: Of Nesterov's method.
        weight_decay: Added to gradients of kernels, times the kernel.
        average_decay: Of the moving average of weights.
        head_weights: Of each head's loss.
        views: How far views go.
        spoiling: How often faces are spoilt on top.
        clear_from: From this progress on faces are spoilt half as often, and views are mild.
        flat_from: From this progress on gradients are taken uphill (sharpness-aware minimisation).
        sharpness_radius: How far.
    """

    batch_size: int = 384
    peak_rate: float = 0.25
    warm_up: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    average_decay: float = 0.998
    head_weights: Mapping[Head, float] = field(default_factory=lambda: {Head.FER2013: 1.0, Head.FERPLUS: 1.0})
    views: ViewSettings = field(default_factory=ViewSettings)
    spoiling: Spoiling = field(default_factory=Spoiling)
    clear_from: float = 0.85
    flat_from: float = 0.65
    sharpness_radius: float = 0.1

    def rate(self, progress: float) -> float:
        """Learning rate."""
        if progress < self.warm_up:
            return self.peak_rate * (0.05 + 0.95 * progress / self.warm_up)
        left = (1 - progress) / (1 - self.warm_up)
        return self.peak_rate * (1 - math.cos(math.pi * max(0.0, left))) / 2


def epoch_views(crops: torch.Tensor, settings: ViewSettings, number: int) -> torch.Tensor:
    """All faces, uint8 ``[n, 48, 48]``, as seen in a view, uint8 ``[n, 1, 48, 48]``.

    Number 0 is the faces as they are, odd numbers are mild. The same number gives the same views on the same kind of
    device.
    """
    if number == 0:
        return crops[:, None]
    if number % 2:
        settings = replace(settings, mild=1.0)
    generator = torch.Generator(crops.device).manual_seed(number)
    parts = crops.split(VIEWED_AT_ONCE)
    return torch.cat([view(part[:, None].float(), settings, generator).round().byte() for part in parts])


class Trainee:
    """A network in training: its parameters, statistics, momenta and averages on a device.

    Args:
        config: The network.
        arrays: What it begins with.
        course: How it is trained.
        device: Where.
        seed: Of what is dropped before the heads.
    """

    def __init__(
        self, config: NetworkConfig, arrays: Arrays, course: Course, *, device: torch.device, seed: int
    ) -> None:
        self.config = config
        self._course = course
        self._tensors = {name: _to_torch(name, array, device) for name, array in arrays.items()}
        self._names = [name for name in arrays if not name.endswith((".mean", ".variance"))]
        for name in self._names:
            self._tensors[name].requires_grad_()
        self._parameters = [self._tensors[name] for name in self._names]
        self._decays = [course.weight_decay if name.endswith(".kernel") else 0.0 for name in self._names]
        self._momenta = [torch.zeros_like(each) for each in self._parameters]
        self._averages = {name: tensor.detach().clone() for name, tensor in self._tensors.items()}
        self._generator = torch.Generator(device).manual_seed(seed)
        self._half = device.type == "cuda"
        self._step = 0

    def step(
        self, images: torch.Tensor, targets: Mapping[Head, torch.Tensor], *, rate: float, radius: float
    ) -> torch.Tensor:
        """Learn from a batch.

        Args:
            images: Standardised, ``[n, 1, 48, 48]``.
            targets: Head -> ``[n, labels]``, rows summing to what a face counts.
            rate: Learning rate.
            radius: How far uphill gradients are taken; 0: where the parameters are.

        Returns:
            The loss, a scalar on the device.
        """
        loss, gradients = self._gradients(images, targets)
        if radius > 0:
            norm = torch.stack(torch._foreach_norm(gradients)).norm()
            away = torch._foreach_mul(gradients, radius / (norm + 1e-12))
            with torch.no_grad():
                torch._foreach_add_(self._parameters, away)
            _, gradients = self._gradients(images, targets)
            with torch.no_grad():
                torch._foreach_sub_(self._parameters, away)
        self._update(gradients, rate)
        return loss

    def logits(self, faces: torch.Tensor, *, at_once: int = 2048) -> dict[Head, torch.Tensor]:
        """What the averaged network says of grey faces, ``[n, 1, 48, 48]``: head -> ``[n, labels]``."""
        operations = TorchOperations(self._averages, train=False)
        parts = []
        with torch.no_grad(), self._precision():
            for part in faces.split(at_once):
                images = standardise(part.float()).contiguous(memory_format=torch.channels_last)
                parts.append(self.config.walk(operations, images))
        return {head: torch.cat([part[head].float() for part in parts]) for head in Head}

    def arrays(self) -> Arrays:
        """The averaged network, kernels as ``[height, width, in, out]``."""
        return {name: _to_numpy(name, tensor) for name, tensor in self._averages.items()}

    def _gradients(
        self, images: torch.Tensor, targets: Mapping[Head, torch.Tensor]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        dropout = Dropout(self.config.dropout, self._generator)
        operations = TorchOperations(self._tensors, train=True, dropout=dropout)
        with self._precision():
            outputs = self.config.walk(operations, images.contiguous(memory_format=torch.channels_last))
        loss = torch.zeros((), device=images.device)
        for head, output in outputs.items():
            wanted = targets[head]
            cost = -(wanted * torch.log_softmax(output.float(), dim=1)).sum() / wanted.sum().clamp(min=1)
            loss = loss + self._course.head_weights[head] * cost
        return loss.detach(), list(torch.autograd.grad(loss, self._parameters))

    def _update(self, gradients: list[torch.Tensor], rate: float) -> None:
        course = self._course
        with torch.no_grad():
            gradients = [
                g + d * p if d else g for g, d, p in zip(gradients, self._decays, self._parameters, strict=True)
            ]
            torch._foreach_mul_(self._momenta, course.momentum)
            torch._foreach_add_(self._momenta, gradients)
            torch._foreach_add_(gradients, self._momenta, alpha=course.momentum)
            torch._foreach_add_(self._parameters, gradients, alpha=-rate)
            self._step += 1
            decay = min(course.average_decay, (1 + self._step) / (10 + self._step))
            averages = list(self._averages.values())
            torch._foreach_lerp_(averages, [tensor.detach() for tensor in self._tensors.values()], 1 - decay)

    @contextmanager
    def _precision(self) -> Iterator[None]:
        if not self._half:
            yield
            return
        with torch.autocast("cuda", dtype=torch.bfloat16):
            yield


def attend(
    trainee: Trainee,
    pool: Pool,
    lessons: Lessons,
    course: Course,
    *,
    progress: Callable[[int], float],
    views: Callable[[int, float], int],
    said: Said,
    seed: int,
    after: Callable[[int, float, float], None],
) -> int:
    """Train until the progress is 1.

    Args:
        trainee: What learns; changed.
        pool: The faces.
        lessons: The same on the trainee's device.
        course: How.
        progress: Steps made -> progress, 0 to 1.
        views: Number of the epoch from 1, and progress -> the view that it is of.
        said: What teachers say of a view.
        seed: Of orders and of what spoils faces.
        after: Told epoch, progress and mean loss after each.

    Returns:
        Epochs begun.
    """
    device = lessons.crops.device
    generator = torch.Generator(device).manual_seed(seed)
    steps, epoch, done = 0, 0, 0.0
    while done < 1:
        epoch += 1
        number = views(epoch, done)
        faces, answers = epoch_views(lessons.crops, course.views, number), said(number)
        spoiling = course.spoiling.scaled(1.0 if done < course.clear_from else 0.5)
        order = torch.from_numpy(pool.order(np.random.default_rng([seed, epoch]))).to(device)
        losses: list[torch.Tensor] = []
        for chosen in order.split(course.batch_size):
            if len(chosen) < course.batch_size and losses:
                break
            done = progress(steps)
            if done >= 1:
                break
            images = standardise(spoil(faces[chosen].float(), spoiling, generator))
            heard = None if answers is None else {head: answers[head][chosen].float() for head in Head}
            radius = course.sharpness_radius if done >= course.flat_from else 0.0
            targets = lessons.targets(chosen, heard)
            losses.append(trainee.step(images, targets, rate=course.rate(done), radius=radius))
            steps += 1
        after(epoch, done, float(torch.stack(losses).mean()) if losses else float("nan"))
    return epoch


def by_clock(start: float, end: float) -> Callable[[int], float]:
    """Progress of a course that has a time: ``time.monotonic`` at its start and end; it is over if that has passed."""
    return lambda _: min(1.0, (time.monotonic() - start) / (end - start)) if end > start else 1.0


def by_steps(steps: int) -> Callable[[int], float]:
    """Progress of a course that has a number of steps."""
    return lambda made: min(1.0, made / steps)


def _to_torch(name: str, array: Any, device: torch.device) -> torch.Tensor:
    tensor = torch.from_numpy(np.array(array, np.float32)).to(device)
    if name.endswith(".kernel") and tensor.ndim == 4:
        return tensor.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    return tensor


def _to_numpy(name: str, tensor: torch.Tensor) -> Any:
    if name.endswith(".kernel") and tensor.ndim == 4:
        tensor = tensor.permute(2, 3, 1, 0)
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
