"""The pictures of the face toolkit. What they look like is decided in ``mien.plots``, for all plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mien import plots
from mien_face_lab.judgement import Judgement

if TYPE_CHECKING:
    from mien_face_lab.sizes import Size

__all__ = ["draw_calibration", "draw_confusion", "draw_recall", "draw_sizes"]


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


def draw_sizes(sizes: Sequence[Size]) -> plots.Picture:
    """Accuracy by both label sets against operations."""
    ordered = sorted(sizes, key=lambda size: size.operations)
    short = {each.name: each.name.removeprefix("expression-") for each in ordered}
    points = {
        "FER+ majority": [(each.operations / 1e6, each.ferplus, short[each.name]) for each in ordered if each.ferplus],
        "FER2013 labels": [(each.operations / 1e6, each.fer2013, short[each.name]) for each in ordered],
    }
    return plots.draw_against(
        points, title="Accuracy against cost", across="MFLOPs a face", up="accuracy on the validation part"
    )
