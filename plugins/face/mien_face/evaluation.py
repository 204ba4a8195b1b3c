"""Figures about a classifier's answers: accuracy, recall, calibration. Arrays in, numbers out; no network here.

Shapes: n faces, k classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

CALIBRATION_BINS: Final = 15
"""Bins of equal width over confidence, as in Guo et al. 2017."""

_SMALLEST: Final = 1e-12
"""Keeps the logarithm of a probability finite."""

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class fared; a figure without a case to judge by is 0.

    Attributes:
        precision: Share of the answers of this class that were right.
        recall: Share of this class's faces that were found.
        f1: Harmonic mean of both.
        support: Faces of this class.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a classifier fared.

    Attributes:
        n: Faces judged.
        accuracy: Share that was right.
        balanced_accuracy: Mean recall of the classes that occur.
        macro_f1: Mean F1 of the classes that occur.
        ece: Expected calibration error: mean gap of confidence and accuracy.
        nll: Mean negative log-likelihood, nats.
        per_class: Label -> figures.
        confusion: Row: true class; column: answer; counts.
    """

    n: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    ece: float
    nll: float
    per_class: dict[str, ClassFigures]
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        plain: dict[str, Any] = {
            name: getattr(self, name) for name in ("n", "accuracy", "balanced_accuracy", "macro_f1", "ece", "nll")
        }
        plain["per_class"] = {
            label: {name: getattr(figures, name) for name in ClassFigures.__slots__}
            for label, figures in self.per_class.items()
        }
        plain["confusion"] = [list(row) for row in self.confusion]
        return plain


def evaluate(probabilities: Floats, labels: Labels, names: Sequence[str]) -> Evaluation:
    """Judge answers.

    Args:
        probabilities: ``[n, k]``.
        labels: True classes, ``[n]``, in [0, k).
        names: Of the classes.

    Raises:
        ValueError: There is nothing to judge, or the shapes or labels do not fit.
    """
    if probabilities.shape != (len(labels), len(names)) or len(labels) == 0:
        raise ValueError(
            f"probabilities must be [{len(labels)}, {len(names)}] with a face at least, got {probabilities.shape}"
        )
    if labels.min() < 0 or labels.max() >= len(names):
        raise ValueError(f"labels must be in [0, {len(names)}), got {labels.min()} to {labels.max()}")
    answers = probabilities.argmax(axis=1)
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    per_class = {name: _class_figures(confusion, index) for index, name in enumerate(names)}
    occurring = [figures for figures in per_class.values() if figures.support]
    return Evaluation(
        n=len(labels),
        accuracy=float(np.mean(answers == labels)),
        balanced_accuracy=float(np.mean([figures.recall for figures in occurring])),
        macro_f1=float(np.mean([figures.f1 for figures in occurring])),
        ece=calibration_error(probabilities, labels),
        nll=negative_log_likelihood(probabilities, labels),
        per_class=per_class,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )


def calibration_error(probabilities: Floats, labels: Labels, *, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error: over bins of confidence, the mean gap to accuracy, weighted by faces."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)  # (0, 1/bins] is the first
    gaps = np.bincount(bin_of, weights=confidence.astype(np.float64) - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def negative_log_likelihood(probabilities: Floats, labels: Labels) -> float:
    """Mean of -log p(true class), nats."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], _SMALLEST)).mean())


def _class_figures(confusion: npt.NDArray[np.int64], index: int) -> ClassFigures:
    right = int(confusion[index, index])
    support, answered = int(confusion[index].sum()), int(confusion[:, index].sum())
    precision = right / answered if answered else 0.0
    recall = right / support if support else 0.0
    f1 = 2 * right / (support + answered) if support + answered else 0.0
    return ClassFigures(precision, recall, f1, support)
