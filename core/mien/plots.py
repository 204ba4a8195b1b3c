"""Pictures of training and evaluation, as PNG or SVG: curves, confusion, calibration, probabilities.

Draws numbers that others measured. Needs matplotlib (``mien[train]``), which is imported when something is drawn. The
same numbers give the same file: no date, no random ids. Pictures of what was seen in a photograph are ``annotate``'s.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien.errors import InputError, MissingDependencyError
from mien.weights import write_atomically

SUFFIXES: Final = (".png", ".svg")
"""What can be written, chosen by a path's suffix."""

_STYLE: Final = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#8a919c",
    "axes.grid": True,
    "axes.labelcolor": "#3a4150",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.dpi": 110,
    "font.size": 9.5,
    "grid.color": "#e4e7ec",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",  # letters stay letters: smaller, and they can be searched
    "svg.hashsalt": "mien",  # ids depend on the content alone
    "text.color": "#22262e",
    "xtick.color": "#3a4150",
    "ytick.color": "#3a4150",
}

_COLORS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#22262e")
"""After Okabe and Ito: told apart with every common kind of colour blindness."""

_DARK_SHARE: Final = 0.55
"""Share of a row over which a cell of the heat map is so dark that its figure is white."""

_OUTSIDE: Final = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>"  # declarations, and addresses of vocabularies
    r'|\sxmlns(?::\w+)?="[^"]*"'  # a page needs no namespaces
    r'|\sid="[A-Za-z0-9]+_[0-9.]+"',  # numbered parts, which would be there twice in a page of two pictures
    re.DOTALL,
)


class Picture:
    """A drawing that is ready to be written."""

    def __init__(self, figure: Any) -> None:
        self._figure = figure

    def save(self, path: Path) -> None:
        """Write it, all or nothing; its folder is made.

        Raises:
            InputError: The path ends neither in ``.png`` nor in ``.svg``.
        """
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise InputError(
                f"{path}: a picture can be written as {' or '.join(SUFFIXES)}, not as {suffix or 'this'!r}"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self._encoded(suffix.removeprefix(".")))

    def inline_svg(self) -> str:
        """As an ``<svg>`` element to stand in an HTML page: no declarations, and no address of anything outside."""
        return _OUTSIDE.sub("", self._encoded("svg").decode()).strip()

    def _encoded(self, kind: str) -> bytes:
        buffer = io.BytesIO()
        nothing: dict[str, None] = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
        with _style():
            self._figure.savefig(buffer, format=kind, metadata=nothing)
        return buffer.getvalue()


def save_curves(path: Path, series: Mapping[str, Sequence[float]], *, title: str, measure: str = "") -> None:
    """Draw one line for each name over the epochs, losses (names with ``loss`` in them) in a panel of their own.

    Args:
        path: The PNG or SVG to write; may be written again and again while a run goes on.
        series: Name -> one value an epoch, from epoch 1; NaN leaves a gap.
        title: Above the picture.
        measure: What the lines that are no losses show.

    Raises:
        InputError: The suffix is neither ``.png`` nor ``.svg``.
        MissingDependencyError: matplotlib is not installed.
    """
    losses = [name for name in series if "loss" in name.lower()]
    others = [name for name in series if name not in losses]
    panels = [(names, label) for names, label in ((others, measure), (losses, "loss")) if names] or [([], measure)]
    with _style():
        figure, axes = _figure(6.4, 1.2 + 2.5 * len(panels), rows=len(panels))
        colors = {name: _COLORS[index % len(_COLORS)] for index, name in enumerate(series)}
        for (names, label), each in zip(panels, axes, strict=True):
            for name in names:
                epochs = np.arange(1, len(series[name]) + 1)
                each.plot(epochs, series[name], marker=".", markersize=5, label=name, color=colors[name])
            each.set_ylabel(label)
            each.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)  # one epoch has no fractions
            if names:
                each.legend(loc="best")
        axes[0].set_title(title)
        axes[-1].set_xlabel("epoch")
    Picture(figure).save(path)


def draw_confusion(table: npt.NDArray[np.int64], labels: Sequence[str], *, title: str) -> Picture:
    """Draw a confusion matrix: each row's shares in colour, counts in figures.

    Args:
        table: Counts ``[true, said]``.
        labels: Of both axes.
        title: Above the picture.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    places = np.arange(len(labels)) + 0.5
    with _style():
        figure, (axes,) = _figure(1.6 + 0.62 * len(labels), 1.4 + 0.5 * len(labels))
        axes.pcolormesh(shares, cmap="Blues", vmin=0.0, vmax=1.0, edgecolors="white", linewidth=1.0)
        axes.invert_yaxis()
        axes.grid(False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xticks(places, labels, rotation=35, ha="right", rotation_mode="anchor")
        axes.set_yticks(places, labels)
        axes.set_xlabel("said")
        axes.set_ylabel("true")
        for (row, column), count in np.ndenumerate(table):
            color = "white" if shares[row, column] > _DARK_SHARE else "#22262e"
            axes.text(column + 0.5, row + 0.5, str(int(count)), ha="center", va="center", color=color, fontsize=8.5)
        axes.set_title(title)
    return Picture(figure)


def draw_calibration(
    confidence: Sequence[float], accuracy: Sequence[float], counts: Sequence[int], *, title: str
) -> Picture:
    """Draw a reliability curve: how often answers of a confidence are right, and how many there are of it.

    Args:
        confidence: Mean confidence of each bin, [0, 1]; bins without an answer are left out by the caller.
        accuracy: Share of each bin that is right, [0, 1].
        counts: Answers in each bin.
        title: Above the picture.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    with _style():
        figure, (curve, amount) = _figure(5.2, 5.0, rows=2, heights=(3.2, 1.0))
        curve.plot((0, 1), (0, 1), color="#8a919c", linestyle="--", linewidth=1.0, label="confidence = accuracy")
        curve.plot(confidence, accuracy, marker="o", markersize=5, color=_COLORS[0], label="measured")
        curve.fill_between(confidence, confidence, accuracy, color=_COLORS[0], alpha=0.15, linewidth=0)
        curve.set_xlim(0.0, 1.0)
        curve.set_ylim(0.0, 1.0)
        curve.set_ylabel("share that is right")
        curve.legend(loc="upper left")
        curve.set_title(title)
        amount.bar(confidence, counts, width=0.04, color=_COLORS[0])
        amount.set_ylabel("answers")
        amount.set_xlabel("confidence")
    return Picture(figure)


def draw_bars(
    values: Mapping[str, float], *, title: str, intervals: Mapping[str, tuple[float, float]] | None = None
) -> Picture:
    """Draw one bar for each name, such as the probabilities of one face or the recall of each class.

    Args:
        values: Name -> value in [0, 1], drawn from the top down.
        title: Above the picture.
        intervals: Name -> where the value lies (low, high), drawn as whiskers.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    places = np.arange(len(values))
    whiskers = intervals or {}
    with _style():
        figure, (axes,) = _figure(5.6, 0.9 + 0.34 * len(values))
        axes.barh(places, list(values.values()), height=0.66, color=_COLORS[0])
        for place, (name, value) in zip(places, values.items(), strict=True):
            low, high = whiskers.get(name, (value, value))
            axes.plot((low, high), (place, place), color="#22262e", linewidth=1.2)
            axes.text(max(value, high) + 0.012, place, f"{value:.1%}", va="center", fontsize=9)
        axes.set_yticks(places, list(values))
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0.0, 1.1)
        axes.set_xticks(np.linspace(0.0, 1.0, 6))
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        axes.set_title(title)
    return Picture(figure)


def draw_against(
    points: Mapping[str, Sequence[tuple[float, float, str]]], *, title: str, across: str, up: str
) -> Picture:
    """Draw what is gained against what it costs: a line for each name through its points, each of which has a name too.

    Args:
        points: Name of a line -> (cost, share, name of the point), shares in [0, 1].
        title: Above the picture.
        across: What a cost is.
        up: What a share is.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    with _style():
        figure, (axes,) = _figure(6.0, 3.8)
        for color, (name, line) in zip(_COLORS, points.items(), strict=False):
            costs, shares = [cost for cost, _, _ in line], [100 * share for _, share, _ in line]
            axes.plot(costs, shares, marker="o", markersize=5, color=color, label=name)
            for cost, share, point in line:
                words = f"{point}\n{share:.1%}"
                place = {"textcoords": "offset points", "xytext": (0, 7), "ha": "center"}
                axes.annotate(words, (cost, 100 * share), fontsize=8, **place)
        axes.margins(x=0.12, y=0.25)
        axes.set_xlabel(across)
        axes.set_ylabel(f"{up}, %")
        axes.legend(loc="center right")
        axes.set_title(title)
    return Picture(figure)


def require() -> None:
    """Say now, rather than when something is drawn, that nothing can be.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("drawing needs matplotlib: pip install 'mien[train]'") from error


def _style() -> AbstractContextManager[None]:
    """The look of all pictures, for as long as something is drawn or written."""
    require()
    import matplotlib as mpl

    return mpl.rc_context(_STYLE)


def _figure(
    width: float, height: float, *, rows: int = 1, heights: Sequence[float] = ()
) -> tuple[Any, tuple[Any, ...]]:
    """A figure of a size in inches with axes one above the other; it needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(
        rows, 1, squeeze=False, sharex=rows > 1, gridspec_kw={"height_ratios": heights or [1] * rows}
    )
    return figure, tuple(axes[:, 0])
