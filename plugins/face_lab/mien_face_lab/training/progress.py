"""Shows how a run goes: a moving bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mien_face_lab.training.journal import EpochReport
from mien_face_lab.training.learner import StepFigures

_MEMORY: Final = 0.95
"""Share that the running means of loss and accuracy keep at a step."""


class PlainLines:
    """One line an epoch.

    Args:
        console: Where they go.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def step(self, *, epoch: int, step: int, steps: int, figures: StepFigures) -> None:
        """Say nothing: a log is no place for every step."""

    def epoch(self, report: EpochReport) -> None:
        """Print the epoch's figures."""
        learnt = "" if report.accuracy is None else f"  accuracy {report.accuracy:.4f}"
        others = "".join(f", {name.replace('_', ' ')} {value:.4f}" for name, value in report.others.items())
        left = report.seconds * (report.epochs - report.epoch)
        self._console.print(
            f"epoch {report.epoch}/{report.epochs}  loss {report.loss:.4f}{learnt}  validation: "
            f"loss {report.validation_loss:.4f}, accuracy {report.validation_accuracy:.4f}{others}"
            f"{' (best)' if report.best else ''}  "
            f"{report.images_per_second:.0f} images/s  {report.seconds:.0f} s, {left:.0f} s left",
            highlight=False,
            soft_wrap=True,
        )


class MovingBar:
    """A bar for the epoch at hand, above it a line for each that is done.

    Args:
        progress: The display, started.
        batch_size: Faces a step.
        epochs: In all.
    """

    def __init__(self, progress: Progress, *, batch_size: int, epochs: int) -> None:
        self._progress = progress
        self._batch_size = batch_size
        self._epochs = epochs
        self._lines = PlainLines(progress.console)
        self._task: TaskID | None = None
        self._loss = self._accuracy = float("nan")

    def step(self, *, epoch: int, step: int, steps: int, figures: StepFigures) -> None:
        """Move on; the time left is that of the whole run."""
        total, done = steps * self._epochs, steps * (epoch - 1) + step
        if self._task is None:
            self._task = self._progress.add_task("", total=total, completed=done - 1, loss="", accuracy="", speed="")
        self._loss = _blend(self._loss, figures.loss)
        accuracy = ""
        if figures.accuracy is not None:
            self._accuracy = _blend(self._accuracy, figures.accuracy)
            accuracy = f"accuracy {self._accuracy:.3f}"
        speed = self._progress.tasks[0].speed
        self._progress.update(
            self._task,
            completed=done,
            description=f"epoch {epoch}/{self._epochs}",
            loss=f"loss {self._loss:.3f}",
            accuracy=accuracy,
            speed=f"{speed * self._batch_size:.0f} images/s" if speed else "",
        )

    def epoch(self, report: EpochReport) -> None:
        """Print the epoch's figures above the bar."""
        self._lines.epoch(report)


@contextmanager
def shown(console: Console, *, batch_size: int, epochs: int) -> Iterator[PlainLines | MovingBar]:
    """What to show a run with, on this console."""
    if not console.is_terminal:
        yield PlainLines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *(TextColumn(f"{{task.fields[{name}]}}") for name in ("loss", "accuracy", "speed")),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield MovingBar(progress, batch_size=batch_size, epochs=epochs)


def _blend(old: float, new: float) -> float:
    return new if old != old else _MEMORY * old + (1 - _MEMORY) * new
