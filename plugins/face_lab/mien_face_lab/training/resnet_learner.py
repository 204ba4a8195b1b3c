"""Trains networks of the shipped kind: two heads, Nesterov's momentum, averaged weights; by a ``recipe``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mien import Manifest
from mien.training import Figures, Schedule
from mien_face.config import Arrays, NetworkConfig
from mien_face.inference import softmax
from mien_face.labels import FER2013_LABELS, Head, majority_labels
from mien_face.preprocess import normalise
from mien_face_lab.evaluation import negative_log_likelihood
from mien_face_lab.training.distilling import Teacher
from mien_face_lab.training.export import export
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.learner import curves_of
from mien_face_lab.training.recipe import Batch, Recipe, batches, steps_in_epoch
from mien_face_lab.training.refitting import refit_heads
from mien_face_lab.training.state import TrainState, initial_state
from mien_face_lab.training.step import Engine, train_step
from mien_face_lab.training.targets import Floats, Targets, label_targets, taught, weigh_undecided
from mien_face_lab.training.votes import drawn_to_votes
from mien_face_lab.training.weighing import class_weights


class ResnetLearner:
    """A network of the shipped kind with its recipe; the best epoch is the one with the highest accuracy.

    Args:
        name: As ``--network`` calls it.
        engine: Computes gradients and answers.
        config: The network.
        recipe: How it is trained.
        start: Weights to begin with instead of random ones.
        teacher: What it learns from beside the labels.
        schedule: In place of the recipe's course of the learning rate.
        patience: Of early stopping; None: never.
        weigh_classes: Whether a face counts in inverse proportion to the size of its FER2013 class.
        ships_best: Whether the best epoch's weights are exported, rather than the last's.
    """

    best_by = "accuracy"

    def __init__(
        self,
        name: str,
        engine: Engine,
        config: NetworkConfig,
        recipe: Recipe,
        *,
        start: Arrays | None = None,
        teacher: Teacher | None = None,
        schedule: Schedule | None = None,
        patience: int | None = None,
        weigh_classes: bool = False,
        ships_best: bool = False,
    ) -> None:
        self.name = name
        self.epochs = recipe.epochs
        self.batch_size = recipe.batch_size
        self.patience = patience
        self.schedule = schedule
        self.ships_best = ships_best
        self.curves = curves_of(name)
        self._engine = engine
        self._config = config
        self._recipe = recipe
        self._start = start
        self._teacher = teacher
        self._answers: tuple[FaceData, Mapping[Head, Floats]] | None = None
        self._weigh_classes = weigh_classes

    def describe(self) -> dict[str, Any]:
        """Network and recipe as plain data."""
        return {
            "network": {"name": self.name, **self._config.to_json()},
            "recipe": self._recipe.to_json(),
            "teachers": [] if self._teacher is None else self._teacher.describe(),
            **self._describe_start(),
            "schedule": None if self.schedule is None else self.schedule.to_json(),
            "class_weights": self._weigh_classes,
            "patience": self.patience,
        }

    def select(self, data: FaceData) -> FaceData:
        """The faces of FER2013's classes."""
        return data.within(FER2013_LABELS)

    def steps(self, data: FaceData) -> int:
        """Batches of an epoch.

        Raises:
            InputError: There is none.
        """
        return steps_in_epoch(data, self._recipe)

    def initial(self, seed: int) -> TrainState:
        """An untrained network, or the weights to start from."""
        return initial_state(self._config, seed, self._start)

    def batches(self, data: FaceData, *, state: TrainState, seed: int, epoch: int) -> Iterator[Batch]:
        """One epoch of the recipe."""
        targets = self._targets_of(data, self._recipe.teacher_shares)
        return batches(data, self._recipe, seed=seed, epoch=epoch, targets=targets)

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        """The recipe's, or what the schedule in its place says."""
        if self.schedule is not None:
            return self.schedule.at(step=step, steps=steps, reductions=reductions)
        rate = self._recipe.rate(step / steps)
        if self._recipe.phases:
            rate *= min(1.0, (step + 1) / self._recipe.warm_up_steps)
        return rate

    def step(self, state: TrainState, batch: Batch, *, rate: float) -> tuple[TrainState, Figures]:
        """Learn from a batch."""
        return train_step(self._engine, self._recipe, state, batch, rate=rate)

    def judge(self, state: TrainState, data: FaceData) -> dict[str, float]:
        """Loss and accuracy of the averaged weights by the FER2013 labels; accuracy by FER+'s majority beside it."""
        logits = self._engine.logits(state.averaged, normalise(data.crops))
        answers = logits[Head.FER2013]
        judged = {
            "loss": negative_log_likelihood(softmax(answers, temperature=1), data.labels),
            "accuracy": float(np.mean(answers.argmax(axis=1) == data.labels)),
        }
        majority = majority_labels(data.votes)
        counted = majority >= 0
        if counted.any():
            right = logits[Head.FERPLUS].argmax(axis=1) == majority
            judged["ferplus_accuracy"] = float(np.mean(right[counted]))
        return judged

    def finish(self, state: TrainState, data: FaceData) -> TrainState:
        """Averaged weights as they are exported: mixed with the start's, heads fitted anew, as the recipe says."""
        arrays, refit = self._mixed_with_start(state.averaged), self._recipe.refit
        if refit is not None:
            targets = self._targets_of(data, refit.teacher_shares)
            arrays = refit_heads(self._engine, arrays, data, targets, penalty=refit.penalty)
        return state._replace(averaged=arrays)

    def export(self, state: TrainState, *, validation: FaceData, out: Path, training: Mapping[str, Any]) -> Manifest:
        """Write the averaged weights, folded and calibrated, with a manifest."""
        path = out / "expression.json"
        return export(self._config, state.averaged, validation=validation, manifest_path=path, training=training)

    def close(self) -> None:
        """Give the engine back."""
        self._engine.close()

    def _describe_start(self) -> dict[str, str]:
        """A fingerprint of the start where the end needs it beside the state: a resumed run has to have the same."""
        if self._start is None or not self._recipe.start_share:
            return {}
        fingerprint = hashlib.sha256()
        for name in sorted(self._start):
            fingerprint.update(np.ascontiguousarray(self._start[name]).tobytes())
        return {"start": fingerprint.hexdigest()[:16]}

    def _mixed_with_start(self, arrays: Arrays) -> Arrays:
        """The mean of where a run began and ended is often better than either (Wortsman et al. 2022)."""
        if self._start is None or not self._recipe.start_share:
            return arrays
        share = np.float32(self._recipe.start_share)
        return {name: share * self._start[name] + (1 - share) * array for name, array in arrays.items()}

    def _targets_of(self, data: FaceData, teacher_shares: Mapping[Head, float]) -> Targets:
        """What each face is to be answered with, and how much it counts."""
        recipe = self._recipe
        targets = label_targets(data, smoothing=recipe.label_smoothing, majority_share=recipe.majority_share)
        if self._teacher is not None:
            targets = taught(targets, self._taught_by(self._teacher, data), shares=teacher_shares)
        targets = weigh_undecided(targets, data, weight=recipe.undecided_weight)
        return _weighed(targets, class_weights(data.labels, len(FER2013_LABELS))) if self._weigh_classes else targets

    def _taught_by(self, teacher: Teacher, data: FaceData) -> Mapping[Head, Floats]:
        """The teacher's answers, drawn to the votes; kept, since they take a while."""
        if self._answers is None or self._answers[0] is not data:
            answers = teacher.answers(data.crops)
            drawn = drawn_to_votes(answers[Head.FER2013], data, share=self._recipe.votes_share)
            self._answers = data, {**answers, Head.FER2013: drawn}
        return self._answers[1]


def _weighed(targets: Targets, weights: Floats) -> Targets:
    """The same, each FER2013 target weighed by its class or classes."""
    values, counts = targets[Head.FER2013]
    return {**targets, Head.FER2013: (values, (counts * (values @ weights)).astype(np.float32))}
