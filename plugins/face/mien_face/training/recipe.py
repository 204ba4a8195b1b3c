"""How the network is trained: targets, loss weights, optimiser settings, learning rate. Numbers only; no engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from mien_face.labels import FER2013_LABELS, Head, vote_targets
from mien_face.preprocess import normalise
from mien_face.training.augment import Augmentation, augment
from mien_face.training.data import FaceData


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a training run.

    Attributes:
        epochs: Passes over the data.
        batch_size: Faces a step.
        peak_rate: Highest learning rate.
        warm_up: Share of the steps until the highest rate.
        momentum: Of Nesterov's method.
        weight_decay: Added to gradients of kernels, times the kernel.
        label_smoothing: Share of a FER2013 target spread over all classes.
        head_weights: Weight of each head's loss.
        average_decay: Of the moving average of weights, once it has warmed up.
        augmentation: Random changes of crops.
    """

    epochs: int = 14
    batch_size: int = 64
    peak_rate: float = 0.08
    warm_up: float = 0.25
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.05
    head_weights: Mapping[Head, float] = field(
        default_factory=lambda: MappingProxyType({Head.FER2013: 1.0, Head.FERPLUS: 0.7})
    )
    average_decay: float = 0.998
    augmentation: Augmentation = field(default_factory=Augmentation)

    def rate(self, progress: float) -> float:
        """Learning rate (one cycle).

        Args:
            progress: Share of all steps made, 0 to 1.
        """
        if progress < self.warm_up:
            return self.peak_rate * (0.1 + 0.9 * progress / self.warm_up)
        return self.peak_rate * (1 + math.cos(math.pi * (progress - self.warm_up) / (1 - self.warm_up))) / 2

    def averaging(self, step: int) -> float:
        """Decay of the moving average at a step; it starts low so that the first weights are soon forgotten."""
        return min(self.average_decay, (1 + step) / (10 + step))

    def to_json(self) -> dict[str, object]:
        """As plain data, for a checkpoint or manifest."""
        return {
            **{name: getattr(self, name) for name in self.__slots__},
            "head_weights": {str(head): weight for head, weight in self.head_weights.items()},
            "augmentation": asdict(self.augmentation),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a step learns from.

    Attributes:
        images: Normalised crops, float32 ``[count, 48, 48, 1]``.
        targets: Head -> distributions ``[count, labels]`` and weights ``[count]``.
    """

    images: npt.NDArray[np.float32]
    targets: Mapping[Head, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]

    def part(self, index: int, count: int) -> Batch:
        """Every ``count``-th face from ``index`` on."""
        chosen = slice(index, None, count)
        targets = {head: (values[chosen], weights[chosen]) for head, (values, weights) in self.targets.items()}
        return Batch(self.images[chosen], {head: (v.copy(), w.copy()) for head, (v, w) in targets.items()})


def batches(data: FaceData, recipe: Recipe, *, seed: int, epoch: int) -> Iterator[Batch]:
    """One epoch in random order, augmented; a last, smaller batch is left out.

    Order and changes depend on ``seed`` and ``epoch`` alone, so that a resumed run sees what an unbroken one would.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(len(data))
    smoothing = np.float32(recipe.label_smoothing)
    hard = np.eye(len(FER2013_LABELS), dtype=np.float32)[data.labels]
    smooth = (1 - smoothing) * hard + smoothing / np.float32(len(FER2013_LABELS))
    ones = np.ones(len(data), np.float32)
    votes, vote_weights = vote_targets(data.votes)
    for start in range(0, len(data) - recipe.batch_size + 1, recipe.batch_size):
        chosen = order[start : start + recipe.batch_size]
        yield Batch(
            normalise(augment(data.crops[chosen], recipe.augmentation, generator)),
            {
                Head.FER2013: (smooth[chosen], ones[chosen]),
                Head.FERPLUS: (votes[chosen], vote_weights[chosen]),
            },
        )
