"""What a run writes while it goes on: a line of JSON for each epoch, and curves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mien import plots
from mien.errors import InputError
from mien.weights import write_atomically

METRICS_NAME: Final = "metrics.jsonl"
CURVES_NAMES: Final = ("curves.png", "curves.svg")


@dataclass(frozen=True, slots=True)
class Curves:
    """What is drawn of a run.

    Attributes:
        title: Above the picture.
        measure: What the lines that are no losses show.
        lines: Each line's name -> the figure in the journal that it follows.
    """

    title: str
    measure: str
    lines: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch went.

    Attributes:
        epoch: From 1.
        epochs: In all.
        training: Figures by name, means over the epoch's steps.
        validation: Figures on validation, by name.
        rate: Learning rate of the last step.
        seconds: The epoch took.
        examples_per_second: Learnt from.
        best: Whether it is the best epoch so far.
    """

    epoch: int
    epochs: int
    training: Mapping[str, float]
    validation: Mapping[str, float]
    rate: float
    seconds: float
    examples_per_second: float
    best: bool

    def to_json(self) -> dict[str, Any]:
        """A line of the journal: figures on validation are called ``validation_``."""
        return {
            "epoch": self.epoch,
            "epochs": self.epochs,
            **self.training,
            **{f"validation_{name}": value for name, value in self.validation.items()},
            "rate": self.rate,
            "seconds": self.seconds,
            "examples_per_second": self.examples_per_second,
            "best": self.best,
        }


class Journal:
    """The metrics and curves in a run's folder.

    Args:
        out: The run's folder; made if missing.
        curves: What is drawn.
        epochs: Done so far; lines of later epochs are dropped, for these are trained again.

    Raises:
        InputError: The metrics that are there are something else.
        MissingDependencyError: Curves cannot be drawn.
    """

    def __init__(self, out: Path, *, curves: Curves, epochs: int) -> None:
        self._out = out
        self._curves = curves
        plots.require()
        out.mkdir(parents=True, exist_ok=True)
        self._lines = [line for line in _read(out / METRICS_NAME) if int(line["epoch"]) <= epochs] if epochs else []

    def add(self, report: EpochReport) -> None:
        """Write an epoch's line, and draw the curves anew."""
        self._lines.append(report.to_json())
        text = "".join(json.dumps(line) + "\n" for line in self._lines)
        write_atomically(self._out / METRICS_NAME, text.encode())
        series = {
            name: [float(line.get(figure, "nan")) for line in self._lines]
            for name, figure in self._curves.lines.items()
        }
        for name in CURVES_NAMES:
            plots.save_curves(self._out / name, series, title=self._curves.title, measure=self._curves.measure)


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        return [dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise InputError(f"{path} is not a run's metrics, one JSON object a line; move it away to go on") from error
