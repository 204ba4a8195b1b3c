"""Pictures of training and evaluation: curves and a confusion matrix, written as PNG. Draws; measures nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_DPI: Final = 110


def save_curves(path: Path, curves: Mapping[str, Sequence[float]], *, title: str) -> None:
    """One line for each name over the epochs, the loss with an axis of its own on the right.

    Args:
        path: The PNG to write.
        curves: Name -> one value an epoch; ``loss`` is drawn apart.
        title: Above the picture.
    """
    figure, axes = _figure()
    for name, values in curves.items():
        if name != "loss":
            axes.plot(range(1, len(values) + 1), values, marker="o", label=name)
    axes.set_xlabel("epoch")
    axes.set_ylabel("macro-F1 on dev")
    axes.legend(loc="lower right")
    if "loss" in curves:
        right = axes.twinx()
        right.plot(range(1, len(curves["loss"]) + 1), curves["loss"], color="grey", linestyle="--")
        right.set_ylabel("training loss (dashed)")
    axes.set_title(title)
    _write(figure, path)


def save_confusion(path: Path, table: npt.NDArray[np.int64], labels: Sequence[str], *, title: str) -> None:
    """A confusion matrix: each row's shares in colour, counts in figures.

    Args:
        path: The PNG to write.
        table: Counts ``[true, said]``.
        labels: Of both axes.
        title: Above the picture.
    """
    figure, axes = _figure()
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("said")
    axes.set_ylabel("true")
    for row in range(len(labels)):
        for column in range(len(labels)):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(int(table[row, column])), ha="center", va="center", color=colour)
    axes.set_title(title)
    _write(figure, path)


def _figure() -> tuple[Any, Any]:
    """A figure that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _write(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI)
