"""Shows how a run goes: a moving bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from mien.training.journal import EpochReport
from mien.training.learner import Figures

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

Line: TypeAlias = Callable[[EpochReport], str]
"""Puts what is told of an epoch into words."""

_MEMORY: Final = 0.95
"""Share that the running means of figures keep at a step."""

_SHOWN: Final = ("loss", "accuracy")
"""The figures of a step that stand beside the bar."""


class PlainLines:
    """Words for each epoch, and none for a step.

    Args:
        say: Takes the words.
        line: Finds them.
    """

    def __init__(self, say: Callable[[str], None], line: Line) -> None:
        self._say = say
        self._line = line

    def step(self, *, epoch: int, step: int, steps: int, figures: Figures) -> None:
        """Say nothing: a log is no place for every step."""

    def epoch(self, report: EpochReport) -> None:
        """Say how the epoch went."""
        self._say(self._line(report))


class MovingBar:
    """A bar for the epoch at hand, above it a line for each that is done.

    Args:
        progress: The display, started.
        lines: Says how an epoch went.
        batch_size: Examples a step.
        epochs: In all.
        unit: What the examples are called.
    """

    def __init__(self, progress: Progress, lines: PlainLines, *, batch_size: int, epochs: int, unit: str) -> None:
        self._progress = progress
        self._lines = lines
        self._batch_size = batch_size
        self._epochs = epochs
        self._unit = unit
        self._task: TaskID | None = None
        self._means: dict[str, float] = {}

    def step(self, *, epoch: int, step: int, steps: int, figures: Figures) -> None:
        """Move on; the time left is that of the whole run."""
        total, done = steps * self._epochs, steps * (epoch - 1) + step
        if self._task is None:
            self._task = self._progress.add_task("", total=total, completed=done - 1, figures="", speed="")
        for name in _SHOWN:
            if name in figures:
                new = float(figures[name])
                self._means[name] = _MEMORY * self._means.get(name, new) + (1 - _MEMORY) * new
        speed = self._progress.tasks[0].speed
        self._progress.update(
            self._task,
            completed=done,
            description=f"epoch {epoch}/{self._epochs}",
            figures="  ".join(f"{name} {mean:.3f}" for name, mean in self._means.items()),
            speed=f"{speed * self._batch_size:.0f} {self._unit}/s" if speed else "",
        )

    def epoch(self, report: EpochReport) -> None:
        """Say how the epoch went, above the bar."""
        self._lines.epoch(report)


@contextmanager
def shown(
    console: Console, line: Line, *, batch_size: int, epochs: int, unit: str = "images"
) -> Iterator[PlainLines | MovingBar]:
    """What to show a run with, on this console.

    Args:
        console: Where it is shown.
        line: Puts an epoch into words.
        batch_size: Examples a step.
        epochs: In all.
        unit: What the examples are called.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    lines = PlainLines(say, line)
    if not console.is_terminal:
        yield lines
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield MovingBar(progress, lines, batch_size=batch_size, epochs=epochs, unit=unit)
