"""Trains the tone network by steps: the deep half, judged together with the linear half that was fitted before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from mien.training import Curves, Figures
from mien_voice import network
from mien_voice.calibration import FloatArray, pool_groups, sigmoid
from mien_voice.network import Inputs, NetworkConfig
from mien_voice_lab import evaluation
from mien_voice_lab.training import deep, fitting
from mien_voice_lab.training.linear import Linear

Draws = npt.NDArray[np.uint8]
"""Where a generator's random numbers stand, as an array, which a checkpoint can keep."""


class Dev(NamedTuple):
    """The texts that choices are made on, and their emotions: zeros and ones ``[N, 28]``."""

    texts: deep.Texts
    targets: FloatArray


class State(NamedTuple):
    """Everything that training carries on.

    Attributes:
        deep: The deep half.
        wide: The linear half, fitted before; kept here since another fit differs in the last digits.
        draws: For the order of the texts, and for what is hidden of them.
    """

    deep: deep.Weights
    wide: Linear
    draws: Draws


class Batch(NamedTuple):
    """What a step learns from, and where the random numbers stand after it."""

    inputs: Inputs
    targets: FloatArray
    weight: FloatArray
    draws: Draws


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
        return len(data.targets) // min(self.batch_size, len(data.targets))

    def initial(self, seed: int) -> State:
        """The linear half beside an untrained deep one."""
        nothing = Inputs(np.zeros((1, 1), np.int32), np.zeros((1, 1), np.float32), np.zeros((1, 1), np.int32))
        params = network.deep_half(self._config, training=True).init(jax.random.key(seed), nothing)
        key = jax.random.key_data(jax.random.key(seed + 1))
        weights = deep.Weights(params, params, deep.optimiser(self._recipe).init(params), key)
        return State(weights, self._wide, _draws(np.random.default_rng(seed)))

    def batches(self, data: deep.Examples, *, state: State, seed: int, epoch: int) -> Iterator[Batch]:
        """One epoch, drawn with the random numbers that come next."""
        rng = _generator(state.draws)
        lengths = np.diff(data.texts.matrix.indptr).astype(np.int64)
        for rows in deep.minibatches(lengths, min(self.batch_size, len(lengths)), rng):
            inputs = deep.hide(deep.inputs_of(data.texts, rows), self._recipe, rng)
            yield Batch(inputs, data.targets[rows], data.weight[rows], _draws(rng))

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        """The recipe's."""
        return self._recipe.rate(step=step, steps=steps)

    def step(self, state: State, batch: Batch, *, rate: float) -> tuple[State, Figures]:
        """Learn from a batch."""
        weights, loss = self._step(state.deep, np.float32(rate), batch.inputs, batch.targets, batch.weight)
        return State(weights, state.wide, batch.draws), {"loss": loss}

    def judge(self, state: State, data: Dev) -> dict[str, float]:
        """Macro-F1 of both halves together for each task, by the thresholds that are best for these texts."""
        logits = both(self._config, state, data.texts)
        thresholds = fitting.fit_thresholds(logits, data.targets, 1.0)
        truth = evaluation.truths(data.targets)
        figures: dict[str, float] = {}
        for task, columns in fitting.TASK_COLUMNS.items():
            said = sigmoid(logits[:, columns]) >= np.asarray(thresholds[task], np.float32)
            figures[task] = evaluation.macro_f1(said, truth[task])[0]
        return figures


def both(config: NetworkConfig, state: State, texts: deep.Texts) -> FloatArray:
    """Logits of both halves together, groups pooled, ``[N, outputs]``."""
    share = config.linear_share
    wide = state.wide.logits(texts.matrix)
    return pool_groups(share * wide + (1.0 - share) * deep.predict(config, state.deep.average, texts))


def _draws(rng: np.random.Generator) -> Draws:
    found = rng.bit_generator.state
    numbers = (found["state"]["state"], found["state"]["inc"], found["has_uint32"], found["uinteger"])
    return np.frombuffer(b"".join(number.to_bytes(16) for number in numbers), np.uint8)


def _generator(draws: Draws) -> np.random.Generator:
    """A generator that goes on from there."""
    state, step, has_half, half = (int.from_bytes(draws[start : start + 16].tobytes()) for start in range(0, 64, 16))
    bits = np.random.PCG64()
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": step},
        "has_uint32": has_half,
        "uinteger": half,
    }
    return np.random.Generator(bits)
