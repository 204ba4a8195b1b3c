"""What ``run`` needs of a network to train it: the seam between the loop and the networks.

A learner holds a network's shape and recipe but nothing of a run; everything that changes is in a state, a tree of
arrays (nested tuples and dictionaries), which ``checkpoint`` can save whatever network it is of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from mien import Manifest
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.schedule import Schedule


class StepFigures(NamedTuple):
    """How a step went.

    Attributes:
        loss: Mean over the batch.
        accuracy: Share of the batch whose likeliest answer, before the step, was the label; None where not counted.
    """

    loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a network fares on faces that it did not learn from.

    Attributes:
        loss: Mean negative log-likelihood, nats.
        accuracy: Share of right answers.
        others: Further figures by name.
    """

    loss: float
    accuracy: float
    others: Mapping[str, float] = field(default_factory=dict)


class Learner(Protocol):
    """A network with its recipe. States are of its own kind, and none is changed once it was given out."""

    @property
    def name(self) -> str:
        """As ``--network`` calls it."""

    @property
    def epochs(self) -> int:
        """Passes over the data."""

    @property
    def batch_size(self) -> int:
        """Faces a step."""

    @property
    def patience(self) -> int | None:
        """Epochs without a lower validation loss after which training ends; None: never."""

    @property
    def schedule(self) -> Schedule | None:
        """The learning rate; None where ``rate`` follows a course of its own."""

    @property
    def ships_best(self) -> bool:
        """Whether the state with the highest validation accuracy is exported, rather than the last."""

    def describe(self) -> dict[str, Any]:
        """Network and recipe as plain data: what a checkpoint must agree with."""

    def select(self, data: FaceData) -> FaceData:
        """The faces that it can learn from or be judged by."""

    def steps(self, data: FaceData) -> int:
        """Batches of an epoch."""

    def initial(self, seed: int) -> Any:
        """The state before the first step."""

    def batches(self, data: FaceData, *, seed: int, epoch: int) -> Iterator[Any]:
        """One epoch; order and changes depend on ``seed`` and ``epoch`` alone."""

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        """The learning rate of a step of ``steps`` in all, after so many plateaus of the validation loss."""

    def step(self, state: Any, batch: Any, *, rate: float) -> tuple[Any, StepFigures]:
        """Learn from a batch."""

    def judge(self, state: Any, data: FaceData) -> Judgement:
        """Evaluate what a state would ship."""

    def finish(self, state: Any, data: FaceData) -> Any:
        """The state that is exported: what was reached, and what is done once when all epochs are over."""

    def export(self, state: Any, *, validation: FaceData, out: Path, training: Mapping[str, Any]) -> Manifest:
        """Write weights and manifest into a folder."""

    def close(self) -> None:
        """Give resources back."""
