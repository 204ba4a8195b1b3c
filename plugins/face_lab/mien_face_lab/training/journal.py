"""What a run writes while it goes on: a line of JSON for each epoch, and the curves of loss and accuracy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from mien import InputError, write_atomically
from mien_face_lab.plots import save_curves

METRICS_NAME: Final = "metrics.jsonl"
CURVES_NAMES: Final = ("curves.png", "curves.svg")


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch went.

    Attributes:
        epoch: From 1.
        epochs: In all.
        loss: Mean over the epoch's steps.
        accuracy: The same; None where it is not counted.
        validation_loss: Mean negative log-likelihood on validation, nats.
        validation_accuracy: Share of right answers there.
        others: Further figures on validation.
        rate: Learning rate of the last step.
        seconds: The epoch took.
        images_per_second: Faces learnt from in a second.
        best: Whether the validation accuracy is the highest so far.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float | None
    validation_loss: float
    validation_accuracy: float
    others: dict[str, float]
    rate: float
    seconds: float
    images_per_second: float
    best: bool


class Journal:
    """The metrics and curves in a run's folder.

    Args:
        out: The run's folder; made if missing.
        title: Above the curves.
        epochs: Done so far; lines of later epochs are dropped, for these are trained again.
    """

    def __init__(self, out: Path, *, title: str, epochs: int) -> None:
        self._out = out
        self._title = title
        out.mkdir(parents=True, exist_ok=True)
        self._lines = [line for line in _read(out / METRICS_NAME) if int(line["epoch"]) <= epochs] if epochs else []

    def add(self, report: EpochReport) -> None:
        """Write an epoch's line, and draw the curves anew."""
        self._lines.append(asdict(report))
        text = "".join(json.dumps(line) + "\n" for line in self._lines)
        write_atomically(self._out / METRICS_NAME, text.encode())
        series = {
            "training loss": self._series("loss"),
            "validation loss": self._series("validation_loss"),
            "training accuracy": self._series("accuracy"),
            "validation accuracy": self._series("validation_accuracy"),
        }
        for name in CURVES_NAMES:
            save_curves(self._out / name, series, title=self._title, measure="accuracy")

    def _series(self, name: str) -> list[float]:
        return [float("nan") if line[name] is None else float(line[name]) for line in self._lines]


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        return [dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise InputError(f"{path} is not a run's metrics, one JSON object a line; move it away to go on") from error
