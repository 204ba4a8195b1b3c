"""The pictures of the face toolkit. What they look like is decided in ``mien.plots``, for all plugins."""

from __future__ import annotations

from typing import Final

import numpy as np

from mien import plots
from mien_face_lab.judgement import Judgement

__all__ = ["draw_calibration", "draw_confusion", "draw_recall", "save_curves"]

save_curves: Final = plots.save_curves
"""Curves of a run: ``save_curves(path, {"training loss": [...], "accuracy": [...]}, title=..., measure=...)``."""


def draw_confusion(judgement: Judgement) -> plots.Picture:
    """The confusion matrix, as a heat map."""
    table = np.array(judgement.evaluation.confusion, np.int64)
    classes = tuple(judgement.evaluation.per_class)
    return plots.draw_confusion(table, classes, title=f"Confusion, {judgement.labels.full_name}")


def draw_calibration(judgement: Judgement) -> plots.Picture:
    """The reliability curve."""
    found = judgement.evaluation.calibration
    title = f"Calibration, {judgement.labels.full_name} (error {found.error:.3f})"
    return plots.draw_calibration(found.confidence, found.accuracy, found.counts, title=title)


def draw_recall(judgement: Judgement) -> plots.Picture:
    """Recall of each emotion with its interval."""
    recalls = {label: each.recall for label, each in judgement.evaluation.per_class.items() if each.support}
    title = f"Recall, {judgement.labels.full_name}"
    return plots.draw_bars(recalls, title=title, intervals=judgement.intervals.recall)
