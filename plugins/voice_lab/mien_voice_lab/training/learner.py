"""Trains the tone network by steps: the deep half, judged together with the linear half that was fitted before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from mien.training import Curves, Figures
from mien_voice.calibration import FloatArray, pool_groups, sigmoid
from mien_voice.network import NetworkConfig
from mien_voice_lab import evaluation
from mien_voice_lab.training import deep, fitting
from mien_voice_lab.training.linear import Linear


class Dev(NamedTuple):
    """The texts that choices are made on, and their emotions: zeros and ones ``[N, 28]``."""

    texts: deep.Texts
    targets: FloatArray


class ToneLearner:
    """The tone network with its recipe; the last epoch's weights are those that ship.

    Args:
        config: The network's sizes.
        recipe: How the deep half is trained.
        wide: The linear half.
    """

    patience = None
    schedule = None
    best_by = None
    ships_best = False
    curves = Curves(
        "Tone network, both halves",
        "macro-F1 on dev",
        {"training loss": "loss", **{task: f"validation_{task}" for task in fitting.TASK_COLUMNS}},
    )

    def __init__(self, config: NetworkConfig, recipe: deep.Recipe, wide: Linear) -> None:
        self.epochs = recipe.epochs
        self.batch_size = recipe.batch_size
        self._config = config
        self._recipe = recipe
        self._wide = wide
        self._step = deep.compiled_step(config, recipe)

    def describe(self) -> dict[str, Any]:
        """Network and recipe as plain data."""
        return {"network": self._config.as_dict(), "recipe": asdict(self._recipe)}

    def steps(self, data: deep.Examples) -> int:
        """Minibatches of an epoch."""
        return deep.steps_in_epoch(data, self._recipe)

    def initial(self, seed: int) -> deep.State:
        """The linear half beside an untrained deep one."""
        return deep.initial_state(self._config, self._recipe, self._wide, seed)

    def batches(self, data: deep.Examples, *, state: deep.State, seed: int, epoch: int) -> Iterator[deep.Batch]:
        """One epoch, drawn with the random numbers that come next."""
        return deep.batches(data, self._recipe, state.draws)

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        """The recipe's."""
        return self._recipe.rate(step=step, steps=steps)

    def step(self, state: deep.State, batch: deep.Batch, *, rate: float) -> tuple[deep.State, Figures]:
        """Learn from a batch."""
        state, loss = self._step(state, batch, rate)
        return state, {"loss": loss}

    def judge(self, state: deep.State, data: Dev) -> dict[str, float]:
        """Macro-F1 of both halves together for each task, by the thresholds that are best for these texts."""
        logits = both(self._config, state, data.texts)
        thresholds = fitting.fit_thresholds(logits, data.targets, 1.0)
        truth = evaluation.truths(data.targets)
        figures: dict[str, float] = {}
        for task, columns in fitting.TASK_COLUMNS.items():
            said = sigmoid(logits[:, columns]) >= np.asarray(thresholds[task], np.float32)
            figures[task] = evaluation.macro_f1(said, truth[task])[0]
        return figures


def both(config: NetworkConfig, state: deep.State, texts: deep.Texts) -> FloatArray:
    """Logits of both halves together, groups pooled, ``[N, outputs]``."""
    share = config.linear_share
    wide = state.wide.logits(texts.matrix)
    return pool_groups(share * wide + (1.0 - share) * deep.predict(config, state.average, texts))
