"""Figures about a classifier's answers: accuracy, recall, calibration, and how sure they are.

Arrays in, numbers out: the network is run in ``mien_face_lab.report``. Shapes: n faces, k classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mien import metrics

SUMMARY: Final = ("accuracy", "balanced_accuracy", "macro_f1", "ece")
"""The figures of an ``Evaluation`` that ``Intervals`` has too."""

_SMALLEST: Final = 1e-12
"""Keeps the logarithm of a probability finite."""

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Ends: TypeAlias = tuple[float, float]
"""Low and high end of a 95 % interval."""


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
        calibration: How often answers of a confidence are right.
    """

    n: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    ece: float
    nll: float
    per_class: dict[str, ClassFigures]
    confusion: tuple[tuple[int, ...], ...]
    calibration: metrics.Reliability

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
        plain["calibration"] = {
            name: list(getattr(self.calibration, name)) for name in ("confidence", "accuracy", "counts")
        }
        return plain


@dataclass(frozen=True, slots=True)
class Intervals:
    """Where the figures lie, by bootstrap over the faces.

    Attributes:
        accuracy: Share that is right.
        balanced_accuracy: Mean recall of the classes that occur.
        macro_f1: Mean F1 of the classes that occur.
        ece: Expected calibration error. A resample is always calibrated worse than its source: this one leans upwards.
        recall: Label -> of that class; not for a class without faces.
    """

    accuracy: Ends
    balanced_accuracy: Ends
    macro_f1: Ends
    ece: Ends
    recall: Mapping[str, Ends]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        plain: dict[str, Any] = {name: list(getattr(self, name)) for name in SUMMARY}
        plain["recall"] = {label: list(ends) for label, ends in self.recall.items()}
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
    confusion = _confusion(labels, answers, len(names))
    per_class = {name: _class_figures(confusion, index) for index, name in enumerate(names)}
    occurring = [figures for figures in per_class.values() if figures.support]
    calibration = metrics.reliability(probabilities.max(axis=1), answers == labels)
    return Evaluation(
        n=len(labels),
        accuracy=float(np.mean(answers == labels)),
        balanced_accuracy=float(np.mean([figures.recall for figures in occurring])),
        macro_f1=float(np.mean([figures.f1 for figures in occurring])),
        ece=calibration.error,
        nll=negative_log_likelihood(probabilities, labels),
        per_class=per_class,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        calibration=calibration,
    )


def intervals(probabilities: Floats, labels: Labels, names: Sequence[str], *, seed: int = 0) -> Intervals:
    """95 % intervals of the figures of ``evaluate``, for the same arguments.

    Args:
        probabilities: ``[n, k]``.
        labels: True classes, ``[n]``, in [0, k).
        names: Of the classes.
        seed: Of the samples that the bootstrap draws.
    """
    answers = probabilities.argmax(axis=1)
    confidence, correct = probabilities.max(axis=1), answers == labels
    occurring = np.isin(np.arange(len(names)), labels)

    def figures(chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        confusion = _confusion(labels[chosen], answers[chosen], len(names))
        right, support = np.diag(confusion).astype(np.float64), confusion.sum(axis=1)
        with np.errstate(invalid="ignore"):  # a class that the sample has no face of has no figure
            recall = right / support
            f1 = 2 * right / (support + confusion.sum(axis=0))
        error = metrics.reliability(confidence[chosen], correct[chosen]).error
        means = (correct[chosen].mean(), np.nanmean(recall), np.nanmean(f1[support > 0]), error)
        return np.concatenate([means, recall[occurring]])

    ends = [(float(low), float(high)) for low, high in metrics.bootstrap(len(labels), figures, seed=seed)]
    summary = dict(zip(SUMMARY, ends, strict=False))
    labelled = [name for name, occurs in zip(names, occurring, strict=True) if occurs]
    return Intervals(**summary, recall=dict(zip(labelled, ends[len(SUMMARY) :], strict=True)))


def negative_log_likelihood(probabilities: Floats, labels: Labels) -> float:
    """Mean of -log p(true class), nats."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], _SMALLEST)).mean())


def _confusion(labels: Labels, answers: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Counts, ``[true, answer]``."""
    cells = np.bincount(labels * classes + answers, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def _class_figures(confusion: npt.NDArray[np.int64], index: int) -> ClassFigures:
    right = int(confusion[index, index])
    support, answered = int(confusion[index].sum()), int(confusion[:, index].sum())
    precision = right / answered if answered else 0.0
    recall = right / support if support else 0.0
    f1 = 2 * right / (support + answered) if support + answered else 0.0
    return ClassFigures(precision, recall, f1, support)
