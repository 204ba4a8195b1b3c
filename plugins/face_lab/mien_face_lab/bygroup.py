"""Figures by group, such as age, skin tone or site: whether a network serves everybody alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mien import metrics


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """How the faces of one group are judged.

    Attributes:
        group: Its name in the data.
        n: Faces.
        accuracy: Share that is right, [0, 1].
        interval: 95 % of the accuracy, by bootstrap over the faces.
        balanced_accuracy: Mean recall over the classes that occur in it, [0, 1].
    """

    group: str
    n: int
    accuracy: float
    interval: tuple[float, float]
    balanced_accuracy: float

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def by_group(
    answers: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], groups: npt.NDArray[np.str_], *, seed: int = 0
) -> tuple[GroupFigures, ...]:
    """Judge each group alone, the largest first.

    Args:
        answers: Classes that were answered, ``[n]``.
        labels: True classes, ``[n]``.
        groups: What each face belongs to, ``[n]``.
        seed: Of the samples that the bootstrap draws.
    """
    names, counts = np.unique(groups, return_counts=True)
    order = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
    return tuple(_figures(name, answers[groups == name], labels[groups == name], seed) for name, _ in order)


def rows(figures: Sequence[GroupFigures]) -> list[tuple[str, ...]]:
    """As text for a table, the first row the head."""
    head = ("group", "faces", "accuracy", "95 %", "balanced accuracy")
    return [head, *(_row(each) for each in figures)]


def _row(figures: GroupFigures) -> tuple[str, ...]:
    low, high = figures.interval
    return (
        figures.group or "(none)",
        f"{figures.n:,}",
        f"{figures.accuracy:.1%}",
        f"{low:.1%} to {high:.1%}",
        f"{figures.balanced_accuracy:.1%}",
    )


def _figures(name: str, answers: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], seed: int) -> GroupFigures:
    right = answers == labels
    recall = [float(right[labels == label].mean()) for label in np.unique(labels)]
    ((low, high),) = metrics.bootstrap(len(right), lambda chosen: np.array([right[chosen].mean()]), seed=seed)
    return GroupFigures(name, len(right), float(right.mean()), (float(low), float(high)), float(np.mean(recall)))
