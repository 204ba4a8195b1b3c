"""A whole training run: epochs, evaluation, checkpoints, early stopping. Progress goes to an observer."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mien import InputError
from mien_face_lab.training.checkpoint import Checkpoints, Kind
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.journal import EpochReport, Journal
from mien_face_lab.training.learner import Learner, StepFigures
from mien_face_lab.training.schedule import Plateau

Settings = dict[str, Any]


class Observer(Protocol):
    """Is told how a run goes."""

    def step(self, *, epoch: int, step: int, steps: int, figures: StepFigures) -> None:
        """A step of an epoch is done; ``step`` counts from 1."""

    def epoch(self, report: EpochReport) -> None:
        """An epoch is done, and its checkpoint written."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where a run stands, besides its state; kept with the checkpoint.

    Attributes:
        epoch: Epochs done.
        plateau: What is known of the validation loss.
        best: Highest validation accuracy so far.
    """

    epoch: int = 0
    plateau: Plateau = field(default_factory=Plateau)
    best: float = -1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        state: What is to be exported: the best or the last, as the learner has it, finished.
        epochs: Done.
        shipped_epoch: After which ``state`` was reached.
        stopped_early: Whether patience ran out.
    """

    state: Any
    epochs: int
    shipped_epoch: int
    stopped_early: bool


def train(
    learner: Learner,
    *,
    training: FaceData,
    validation: FaceData,
    seed: int,
    out: Path,
    resume: bool,
    observer: Observer,
) -> Outcome:
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
        InputError: There are fewer faces than one batch takes, or the folder holds another run's checkpoint.
        WeightsError: The checkpoint is damaged or of another run.
        MienError: A checkpoint could not be written.
    """
    if len(training) < learner.batch_size:
        raise InputError(
            f"{len(training)} faces are fewer than one batch of {learner.batch_size}; "
            "bring more, or choose a smaller --batch-size"
        )
    settings: Settings = {**learner.describe(), "seed": seed, "data": training.digest()}
    checkpoints = Checkpoints(out)
    state, course = learner.initial(seed), Course()
    if checkpoints.epoch(Kind.LAST) is not None:
        if not resume:
            raise InputError(f"{out} holds the checkpoint of an earlier run: add --resume, or choose another --out")
        state, about = checkpoints.load(Kind.LAST, state, settings=settings)
        course = _course(about)
    journal = Journal(out, title=f"{learner.name}: training and validation", epochs=course.epoch)
    while not _is_over(learner, course):
        state, report, course = _epoch(learner, state, course, training, validation, seed=seed, observer=observer)
        about = {"settings": settings, "course": _plain(course)}
        if report.best:
            checkpoints.save(Kind.BEST, state, epoch=course.epoch, about=about)
        checkpoints.save(Kind.LAST, state, epoch=course.epoch, about=about)
        journal.add(report)
        observer.epoch(report)
    shipped, best_epoch = state, checkpoints.epoch(Kind.BEST)
    if learner.ships_best and best_epoch != course.epoch:
        shipped, _ = checkpoints.load(Kind.BEST, state, settings=settings)
    return Outcome(
        state=learner.finish(shipped, training),
        epochs=course.epoch,
        shipped_epoch=(best_epoch or course.epoch) if learner.ships_best else course.epoch,
        stopped_early=course.epoch < learner.epochs,
    )


def _is_over(learner: Learner, course: Course) -> bool:
    impatient = learner.patience is not None and course.plateau.waited >= learner.patience
    return course.epoch >= learner.epochs or impatient


def _epoch(
    learner: Learner,
    state: Any,
    course: Course,
    training: FaceData,
    validation: FaceData,
    *,
    seed: int,
    observer: Observer,
) -> tuple[Any, EpochReport, Course]:
    started = time.monotonic()
    epoch, steps = course.epoch + 1, learner.steps(training)
    figures: list[StepFigures] = []
    rate = 0.0
    for number, batch in enumerate(learner.batches(training, seed=seed, epoch=epoch), start=1):
        done = course.epoch * steps + number - 1
        rate = learner.rate(step=done, steps=learner.epochs * steps, reductions=course.plateau.reductions)
        state, step_figures = learner.step(state, batch, rate=rate)
        figures.append(step_figures)
        observer.step(epoch=epoch, step=number, steps=steps, figures=step_figures)
    learnt_seconds = time.monotonic() - started
    judged = learner.judge(state, validation)
    counted = [each.accuracy for each in figures if each.accuracy is not None]
    report = EpochReport(
        epoch=epoch,
        epochs=learner.epochs,
        loss=float(np.mean([each.loss for each in figures])),
        accuracy=float(np.mean(counted)) if counted else None,
        validation_loss=judged.loss,
        validation_accuracy=judged.accuracy,
        others=dict(judged.others),
        rate=rate,
        seconds=time.monotonic() - started,
        images_per_second=len(figures) * learner.batch_size / max(learnt_seconds, 1e-9),
        best=judged.accuracy > course.best,
    )
    patience = learner.schedule.patience if learner.schedule is not None else learner.epochs
    plateau = course.plateau.after(judged.loss, patience=patience)
    return state, report, Course(epoch, plateau, max(course.best, judged.accuracy))


def _plain(course: Course) -> dict[str, Any]:
    return asdict(course)


def _course(about: dict[str, Any]) -> Course:
    found = about["course"]
    return Course(found["epoch"], Plateau(**found["plateau"]), found["best"])
