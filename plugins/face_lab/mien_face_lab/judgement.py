"""How a classifier fares against one set of labels: what reports are made of, and pictures drawn of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien_face.labels import LabelSet
from mien_face_lab.bygroup import GroupFigures
from mien_face_lab.evaluation import Evaluation, Intervals
from mien_face_lab.robustness import Degradation


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the network fares against one set of labels.

    Attributes:
        labels: Which.
        evaluation: The figures.
        intervals: Where they lie.
        robustness: What poor pictures cost; empty where that was not measured.
        groups: Each group alone, the largest first; empty where the faces are of none.
    """

    labels: LabelSet
    evaluation: Evaluation
    intervals: Intervals
    robustness: tuple[Degradation, ...] = ()
    groups: tuple[GroupFigures, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        plain = {
            "labels": str(self.labels),
            **self.evaluation.to_json(),
            "intervals": self.intervals.to_json(),
        }
        if self.robustness:
            plain["robustness"] = [each.to_json() for each in self.robustness]
        if self.groups:
            plain["groups"] = [each.to_json() for each in self.groups]
        return plain
