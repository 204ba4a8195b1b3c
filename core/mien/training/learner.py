"""What the loop needs of a network to train it: the seam between ``loop`` and the laboratories.

A learner holds a network's shape and recipe but nothing of a run; everything that changes is in a state, a tree of
arrays and numbers (nested tuples and dictionaries), which ``checkpoint`` can save whatever network it is of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, SupportsFloat, TypeAlias, TypeVar

from mien.training.journal import Curves
from mien.training.schedule import Schedule

Figures: TypeAlias = Mapping[str, SupportsFloat]
"""Figures by name. A lower ``loss`` is better; what others there are is the learner's to say."""


class Data(Protocol):
    """What can be learnt from."""

    def digest(self) -> str:
        """A fingerprint, by which a resumed run knows its data."""


Training = TypeVar("Training", bound=Data, contravariant=True)
Validation = TypeVar("Validation", contravariant=True)
State = TypeVar("State")


class Learner(Protocol[Training, Validation, State]):
    """A network with its recipe. States are of its own kind, and none is changed once it was given out."""

    @property
    def epochs(self) -> int:
        """Passes over the data."""

    @property
    def batch_size(self) -> int:
        """Examples a step."""

    @property
    def patience(self) -> int | None:
        """Epochs without a lower validation loss after which training ends; None: never."""

    @property
    def schedule(self) -> Schedule | None:
        """The learning rate; None where ``rate`` follows a course of its own."""

    @property
    def best_by(self) -> str | None:
        """The figure on validation, the higher the better, that chooses the best epoch; None: none is chosen."""

    @property
    def ships_best(self) -> bool:
        """Whether the state of the best epoch is the outcome, rather than the last."""

    @property
    def curves(self) -> Curves:
        """What is drawn of a run."""

    def describe(self) -> dict[str, Any]:
        """Network and recipe as plain data: what a checkpoint must agree with."""

    def steps(self, data: Training) -> int:
        """Batches of an epoch.

        Raises:
            InputError: There is less than one batch.
        """

    def initial(self, seed: int) -> State:
        """The state before the first step."""

    def batches(self, data: Training, *, state: State, seed: int, epoch: int) -> Iterator[Any]:
        """One epoch, counted from 1; what is drawn depends on the state before it, ``seed`` and ``epoch`` alone."""

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        """The learning rate of a step of ``steps`` in all, after so many plateaus of the validation loss."""

    def step(self, state: State, batch: Any, *, rate: float) -> tuple[State, Figures]:
        """Learn from a batch; the figures are those before the step, and one is the ``loss``."""

    def judge(self, state: State, data: Validation) -> Mapping[str, float]:
        """Evaluate what a state would ship; plateaus and patience go by the ``loss``, where there is one."""
