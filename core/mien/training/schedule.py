"""Learning rates over a run: constant, cosine, one cycle, or lower whenever the validation loss stands still."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Decline(StrEnum):
    """How the learning rate goes down."""

    CONSTANT = "constant"
    COSINE = "cosine"
    ONE_CYCLE = "one-cycle"
    PLATEAU = "plateau"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A learning rate for each step.

    Attributes:
        rate: The highest.
        decline: How it goes down.
        warm_up: One cycle only: share of the steps until the highest rate; it starts at a tenth.
        factor: Plateau only: what the rate is multiplied with.
        patience: Plateau only: epochs without a lower validation loss until then.
        floor: Plateau only: the rate never gets lower.
        decay: The rate is divided by 1 + this times the steps made, whatever else it does.
    """

    rate: float
    decline: Decline = Decline.CONSTANT
    warm_up: float = 0.25
    factor: float = 0.1
    patience: int = 2
    floor: float = 1e-6
    decay: float = 0.0

    def at(self, *, step: int, steps: int, reductions: int = 0) -> float:
        """The rate of a step.

        Args:
            step: Steps made.
            steps: Of the whole run.
            reductions: How often the validation loss stood still so far.
        """
        return self._undecayed(step / steps, reductions) / (1 + self.decay * step)

    def with_rate(self, rate: float | None) -> Schedule:
        """The same course with another highest rate; None changes nothing."""
        return self if rate is None else replace(self, rate=rate)

    def to_json(self) -> dict[str, Any]:
        """As plain data, for a checkpoint or manifest."""
        return asdict(self)

    def _undecayed(self, progress: float, reductions: int) -> float:
        match self.decline:
            case Decline.CONSTANT:
                return self.rate
            case Decline.PLATEAU:
                return max(self.rate * self.factor**reductions, min(self.rate, self.floor))
            case Decline.COSINE:
                return self.rate * _falling(progress)
            case Decline.ONE_CYCLE:
                if progress < self.warm_up:
                    return self.rate * (0.1 + 0.9 * progress / self.warm_up)
                return self.rate * _falling((progress - self.warm_up) / (1 - self.warm_up))


@dataclass(frozen=True, slots=True)
class Plateau:
    """What is remembered of the validation loss from epoch to epoch.

    Attributes:
        lowest: Loss so far; None before the first.
        waited: Epochs since it was last undercut.
        waited_at_rate: The same, since the rate was last reduced.
        reductions: How often the rate was reduced.
    """

    lowest: float | None = None
    waited: int = 0
    waited_at_rate: int = 0
    reductions: int = 0

    def after(self, loss: float, *, patience: int) -> Plateau:
        """What is known after an epoch's validation loss."""
        if self.lowest is None or loss < self.lowest:
            return Plateau(loss, 0, 0, self.reductions)
        waited_at_rate = self.waited_at_rate + 1
        if waited_at_rate >= patience:
            return Plateau(self.lowest, self.waited + 1, 0, self.reductions + 1)
        return Plateau(self.lowest, self.waited + 1, waited_at_rate, self.reductions)


def _falling(progress: float) -> float:
    return (1 + math.cos(math.pi * progress)) / 2
