"""A whole training run: epochs, evaluation, checkpoints, early stopping. Progress goes to an observer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from mien.training.checkpoint import Checkpoints, Kind
from mien.training.journal import EpochReport, Journal
from mien.training.learner import Data, Figures, Learner
from mien.training.schedule import Plateau

Training = TypeVar("Training", bound=Data)
Validation = TypeVar("Validation")
State = TypeVar("State")


class Observer(Protocol):
    """Is told how a run goes."""

    def step(self, *, epoch: int, step: int, steps: int, figures: Figures) -> None:
        """A step of an epoch is done; ``step`` counts from 1."""

    def epoch(self, report: EpochReport) -> None:
        """An epoch is done, and its checkpoint written."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where a run stands, besides its state; kept with the checkpoint.

    Attributes:
        epoch: Epochs done.
        plateau: What is known of the validation loss.
        best: Highest figure so far of those that choose the best epoch; None before the first.
    """

    epoch: int = 0
    plateau: Plateau = field(default_factory=Plateau)
    best: float | None = None

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Course:
        """Read what ``asdict`` made."""
        return cls(found["epoch"], Plateau(**found["plateau"]), found["best"])


@dataclass(frozen=True, slots=True)
class Trained(Generic[State]):
    """How a run ended.

    Attributes:
        state: Of the best epoch or the last, as the learner has it.
        epochs: Done.
        shipped_epoch: After which ``state`` was reached.
        stopped_early: Whether patience ran out.
    """

    state: State
    epochs: int
    shipped_epoch: int
    stopped_early: bool


def train(
    learner: Learner[Training, Validation, State],
    *,
    training: Training,
    validation: Validation,
    seed: int,
    out: Path,
    resume: bool,
    observer: Observer,
) -> Trained[State]:
    """Train, with a checkpoint after each epoch.

    Args:
        learner: The network.
        training: What to learn from.
        validation: What to evaluate on after each epoch.
        seed: Of weights, order and augmentation.
        out: Folder of checkpoints, metrics and curves.
        resume: Go on from the folder's checkpoint where there is one.
        observer: Is told how it goes.

    Raises:
        InputError: There is less to learn from than one batch takes, or the folder holds another run's checkpoint.
        WeightsError: The checkpoint is damaged or of another run.
        MissingDependencyError: Curves cannot be drawn.
        MienError: A checkpoint could not be written.
    """
    steps = learner.steps(training)
    settings = {**learner.describe(), "seed": seed, "data": training.digest()}
    checkpoints = Checkpoints(out)
    state, course = learner.initial(seed), Course()
    if checkpoints.goes_on(resume=resume):
        state, about = checkpoints.load(Kind.LAST, state, settings=settings)
        course = Course.from_json(about["course"])
    journal = Journal(out, curves=learner.curves, epochs=course.epoch)
    while not _is_over(learner, course):
        state, report = _epoch(learner, state, course, training, validation, seed=seed, steps=steps, observer=observer)
        course = _after(learner, course, report)
        # The journal first: a run that goes on drops a line too many, but could not make up for a missing one.
        journal.add(report)
        about = {"settings": settings, "course": asdict(course)}
        if report.best:
            checkpoints.save(Kind.BEST, state, epoch=course.epoch, about=about)
        checkpoints.save(Kind.LAST, state, epoch=course.epoch, about=about)
        observer.epoch(report)
    shipped, shipped_epoch = state, course.epoch
    if learner.ships_best:
        shipped_epoch = checkpoints.epoch(Kind.BEST) or course.epoch
        if shipped_epoch != course.epoch:
            shipped, _ = checkpoints.load(Kind.BEST, state, settings=settings)
    return Trained(shipped, course.epoch, shipped_epoch, stopped_early=course.epoch < learner.epochs)


def _is_over(learner: Learner[Training, Validation, State], course: Course) -> bool:
    impatient = learner.patience is not None and course.plateau.waited >= learner.patience
    return course.epoch >= learner.epochs or impatient


def _epoch(
    learner: Learner[Training, Validation, State],
    state: State,
    course: Course,
    training: Training,
    validation: Validation,
    *,
    seed: int,
    steps: int,
    observer: Observer,
) -> tuple[State, EpochReport]:
    started = time.monotonic()
    epoch = course.epoch + 1
    history: list[Figures] = []
    rate = 0.0
    for number, batch in enumerate(learner.batches(training, state=state, seed=seed, epoch=epoch), start=1):
        done = course.epoch * steps + number - 1
        rate = learner.rate(step=done, steps=learner.epochs * steps, reductions=course.plateau.reductions)
        state, figures = learner.step(state, batch, rate=rate)
        history.append(figures)
        observer.step(epoch=epoch, step=number, steps=steps, figures=figures)
    learnt = _means(history)
    learnt_seconds = time.monotonic() - started
    judged = learner.judge(state, validation)
    score = judged[learner.best_by] if learner.best_by is not None else None
    return state, EpochReport(
        epoch=epoch,
        epochs=learner.epochs,
        training=learnt,
        validation=dict(judged),
        rate=rate,
        seconds=time.monotonic() - started,
        examples_per_second=len(history) * learner.batch_size / max(learnt_seconds, 1e-9),
        best=score is not None and (course.best is None or score > course.best),
    )


def _after(learner: Learner[Training, Validation, State], course: Course, report: EpochReport) -> Course:
    """Where a run stands after an epoch."""
    plateau, loss = course.plateau, report.validation.get("loss")
    if loss is not None:
        patience = learner.schedule.patience if learner.schedule is not None else learner.epochs
        plateau = plateau.after(loss, patience=patience)
    best = report.validation[learner.best_by] if report.best and learner.best_by is not None else course.best
    return Course(report.epoch, plateau, best)


def _means(history: Sequence[Figures]) -> dict[str, float]:
    """Of figures that may still be on an accelerator: they are waited for here, not at each step."""
    return {name: float(np.mean(np.asarray([figures[name] for figures in history]))) for name in history[0]}
