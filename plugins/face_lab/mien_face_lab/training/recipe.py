"""How the network is trained: targets, loss weights, optimiser settings, learning rate. No engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien_face.config import INPUT_SIZE
from mien_face.labels import FER2013_LABELS, Head
from mien_face.preprocess import standardise
from mien_face_lab.training.augment import Augmentation, augment
from mien_face_lab.training.data import FaceData
from mien_face_lab.training.learner import whole_batches
from mien_face_lab.training.targets import Targets, at, label_targets

_MIXUP: Final = 0.3
"""Both parameters of the Beta distribution that mixup's shares come from: mostly near 0 or 1."""


def for_heads(fer2013: float, ferplus: float) -> Mapping[Head, float]:
    """A number for each head."""
    return MappingProxyType({Head.FER2013: fer2013, Head.FERPLUS: ferplus})


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run, for runs that begin with small pictures and so make more epochs in the same time.

    Attributes:
        epochs: Passes over the data.
        side: Crops are reduced to this height and width, pixels; a multiple of 8.
        rates: Learning rate of its first and its last step; linear in between.
        mixup: Share of the batches whose faces are mixed.
        spoiling: How often faces are hidden and spoilt, relative to the recipe's augmentation.
    """

    epochs: int
    side: int
    rates: tuple[float, float]
    mixup: float = 0.0
    spoiling: float = 1.0


@dataclass(frozen=True, slots=True)
class Refit:
    """How heads are fitted anew once all epochs are over (``mien_face_lab.training.refitting``).

    Attributes:
        penalty: Holds the kernels to what they were: times the sum of the squared differences, nats.
        teacher_shares: In place of the recipe's.
    """

    penalty: float
    teacher_shares: Mapping[Head, float]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a training run.

    Attributes:
        epochs: Passes over the data; with phases, theirs together.
        batch_size: Faces a step.
        peak_rate: Highest learning rate.
        warm_up: Share of the steps until the highest rate.
        momentum: Of Nesterov's method.
        weight_decay: Added to gradients of kernels, times the kernel.
        label_smoothing: Share of a FER2013 target spread over all classes.
        teacher_shares: Share of each head's target that is the teacher's, if there is one.
        votes_share: How far the teacher's answers about FER2013's labels are drawn to what FER+'s votes make likely.
        majority_share: How much of FER+'s target is the emotion that most people saw, rather than all their votes.
        undecided_weight: What a face counts with FER+'s head where no emotion has a majority of the votes.
        head_weights: Weight of each head's loss.
        average_decay: Of the moving average of weights, once it has warmed up.
        augmentation: Random changes of crops.
        phases: Parts of the run; none: one cycle of ``peak_rate`` with whole crops and without mixup.
        warm_up_steps: With phases: steps until the rate of the first is reached.
        repeats: How often an epoch shows the faces of each FER2013 label.
        sharpness_radius: How far uphill, by the Euclidean norm of all parameters, gradients are taken; 0: none.
        refit: How the heads are fitted anew after the last epoch; None: not at all.
        start_share: Of the weights that the run began with in the mean that is exported, before heads are fitted anew.

    Raises:
        ValueError: The phases' epochs are not ``epochs``.
    """

    epochs: int = 14
    batch_size: int = 64
    peak_rate: float = 0.08
    warm_up: float = 0.25
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.05
    teacher_shares: Mapping[Head, float] = field(default_factory=lambda: for_heads(0.5, 0.5))
    votes_share: float = 0.0
    majority_share: float = 0.0
    undecided_weight: float = 1.0
    head_weights: Mapping[Head, float] = field(default_factory=lambda: for_heads(1.0, 0.7))
    average_decay: float = 0.998
    augmentation: Augmentation = field(default_factory=Augmentation)
    phases: tuple[Phase, ...] = ()
    warm_up_steps: int = 300
    repeats: tuple[int, ...] = (1,) * len(FER2013_LABELS)
    sharpness_radius: float = 0.0
    refit: Refit | None = None
    start_share: float = 0.0

    def __post_init__(self) -> None:
        if self.phases and sum(phase.epochs for phase in self.phases) != self.epochs:
            raise ValueError(f"the phases' epochs must sum to {self.epochs}, got {self.phases}")

    def with_epochs(self, epochs: int) -> Recipe:
        """The same recipe over more or fewer epochs; phases keep their shares, rounded.

        Raises:
            ValueError: Fewer epochs than phases.
        """
        if not self.phases:
            return replace(self, epochs=epochs)
        if epochs < len(self.phases):
            raise ValueError(f"this recipe has {len(self.phases)} phases and needs as many epochs, got {epochs}")
        ends = np.cumsum([phase.epochs for phase in self.phases]) * epochs / self.epochs
        starts = [0, *(int(end) for end in np.round(ends[:-1]))]
        lengths = np.diff([*starts, epochs])
        phases = tuple(replace(phase, epochs=int(n)) for phase, n in zip(self.phases, lengths, strict=True))
        return replace(self, epochs=epochs, phases=phases)

    def with_peak(self, rate: float) -> Recipe:
        """The same recipe with another highest learning rate; phases keep their rates' proportions."""
        factor = rate / max([max(phase.rates) for phase in self.phases] or [rate])
        phases = tuple(
            replace(phase, rates=(phase.rates[0] * factor, phase.rates[1] * factor)) for phase in self.phases
        )
        return replace(self, peak_rate=rate, phases=phases)

    def with_teacher_share(self, share: float) -> Recipe:
        """The same recipe where this much of every target is the teacher's, when heads are fitted anew too."""
        shares = for_heads(share, share)
        refit = None if self.refit is None else replace(self.refit, teacher_shares=shares)
        return replace(self, teacher_shares=shares, refit=refit)

    def phase(self, epoch: int) -> tuple[Phase, int]:
        """The phase of an epoch, counted from 1, and the epochs before it."""
        before = 0
        for phase in self.phases:
            if epoch <= before + phase.epochs:
                return phase, before
            before += phase.epochs
        return Phase(self.epochs, INPUT_SIZE, (self.peak_rate, self.peak_rate)), 0

    def rate(self, progress: float) -> float:
        """Learning rate: one cycle, or what the phases say.

        Args:
            progress: Share of all steps made, 0 to 1.
        """
        if self.phases:
            done = progress * self.epochs
            phase, before = self.phase(min(int(done) + 1, self.epochs))
            first, last = phase.rates
            return first + (last - first) * (done - before) / phase.epochs
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
            **{
                name: {str(head): value for head, value in getattr(self, name).items()}
                for name in ("teacher_shares", "head_weights")
            },
            "refit": None
            if self.refit is None
            else {
                "penalty": self.refit.penalty,
                "teacher_shares": {str(head): share for head, share in self.refit.teacher_shares.items()},
            },
            "augmentation": asdict(self.augmentation),
            "phases": [asdict(phase) for phase in self.phases],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a step learns from.

    Attributes:
        images: Normalised crops, float32 ``[count, 48, 48, 1]``.
        targets: Head -> distributions ``[count, labels]`` and weights ``[count]``.
    """

    images: npt.NDArray[np.float32]
    targets: Targets

    def part(self, index: int, count: int) -> Batch:
        """Every ``count``-th face from ``index`` on."""
        chosen = slice(index, None, count)
        targets = {head: (values[chosen], weights[chosen]) for head, (values, weights) in self.targets.items()}
        return Batch(self.images[chosen], {head: (v.copy(), w.copy()) for head, (v, w) in targets.items()})


def batches(
    data: FaceData, recipe: Recipe, *, seed: int, epoch: int, targets: Targets | None = None
) -> Iterator[Batch]:
    """One epoch in random order, augmented; a last, smaller batch is left out.

    Order and changes depend on ``seed`` and ``epoch`` alone, so that a resumed run sees what an unbroken one would.

    Args:
        data: The faces.
        recipe: How they are changed, and how many at once.
        seed: Of the run.
        epoch: Counted from 1.
        targets: What is to be answered for each face; None: its labels alone.
    """
    generator = np.random.default_rng([seed, epoch])
    phase, _ = recipe.phase(epoch)
    augmentation = recipe.augmentation.likelier(phase.spoiling)
    order = generator.permutation(np.repeat(np.arange(len(data)), np.asarray(recipe.repeats)[data.labels]))
    wanted = label_targets(data, smoothing=recipe.label_smoothing) if targets is None else targets
    for start in range(0, len(order) - recipe.batch_size + 1, recipe.batch_size):
        chosen = order[start : start + recipe.batch_size]
        changed = augment(data.crops[chosen], augmentation, generator)
        batch = Batch(standardise(_reduced(changed, phase.side)), at(wanted, chosen))
        mixed = phase.mixup > 0 and generator.random() < phase.mixup
        yield _mixed(batch, np.float32(generator.beta(_MIXUP, _MIXUP))) if mixed else batch


def steps_in_epoch(data: FaceData, recipe: Recipe) -> int:
    """Batches that ``batches`` yields.

    Raises:
        InputError: There is none.
    """
    return whole_batches(int(np.asarray(recipe.repeats)[data.labels].sum()), recipe.batch_size)


def _reduced(crops: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    if crops.shape[1] == side:
        return crops
    return np.stack([np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)) for crop in crops])


def _mixed(batch: Batch, share: np.float32) -> Batch:
    """Each face with the next but one, in these shares (mixup, Zhang et al. 2018)."""

    def mix(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return (share * values + (1 - share) * np.roll(values, 2, axis=0)).astype(np.float32)

    targets = {}
    for head, (values, weights) in batch.targets.items():
        together = mix(weights)
        weighted = mix((values * weights[:, np.newaxis]).astype(np.float32))
        targets[head] = (weighted / np.maximum(together, np.float32(1e-6))[:, np.newaxis]).astype(np.float32), together
    return Batch(mix(batch.images), targets)
