"""Trains the deep half with optax: minibatches of similar length, weights of the texts, EMA of the weights.

Knows arrays only; where they come from is ``data.py``'s, what is trained on what is ``run.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from mien_voice import network
from mien_voice.network import Inputs, NetworkConfig, Params
from mien_voice.tokenizer import UNKNOWN_ID

SUBWORDS: Final = (32, 64)
"""A minibatch's subwords are padded to one of these: few, because each pair of lengths is compiled by itself."""

NGRAMS: Final = (192, 384, 1024)
"""A minibatch's n-grams are padded to one of these."""

_SHUFFLED_TOGETHER: Final = 24
"""Minibatches that are drawn at once and then sorted by length, so that little is padding."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train.

    Attributes:
        epochs: Times through the data.
        batch_size: Texts a step.
        learning_rate: At its highest; warms up over one twentieth, then falls as a cosine.
        weight_decay: AdamW's.
        ema: Share of the running mean of the weights that each step keeps.
        token_dropout: Share of the subwords that are hidden.
        feature_dropout: Share of the n-grams that are hidden.
        seed: Of the initial weights, order and dropout.
    """

    epochs: int = 4
    batch_size: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    ema: float = 0.99
    token_dropout: float = 0.1
    feature_dropout: float = 0.15
    seed: int = 0


class Texts(NamedTuple):
    """N texts as the network takes them.

    Attributes:
        matrix: Sparse ``[N, K]``, the n-grams' values.
        subwords: Subwords of each text.
    """

    matrix: Any
    subwords: Sequence[npt.NDArray[np.int32]]


class Examples(NamedTuple):
    """What is learned from; N texts, O outputs.

    Attributes:
        texts: The texts.
        targets: ``[N, O]`` in [0, 1].
        weight: ``[N, O]``, how much each text counts for each output.
    """

    texts: Texts
    targets: FloatArray
    weight: FloatArray


class State(NamedTuple):
    """Everything that a step changes."""

    params: Params
    average: Params
    optimiser: Any


def padded(length: int, lengths: Sequence[int]) -> int:
    """The smallest of the lengths that holds it, or the largest there is."""
    return next((one for one in lengths if one >= length), lengths[-1])


def inputs_of(texts: Texts, rows: npt.NDArray[np.int64]) -> Inputs:
    """Some of the texts, padded; what is longer than the largest padding is cut."""
    start, stop = texts.matrix.indptr[rows], texts.matrix.indptr[rows + 1]
    ngrams = padded(int((stop - start).max()), NGRAMS)
    subwords = padded(max(len(texts.subwords[row]) for row in rows), SUBWORDS)
    ids = np.zeros((len(rows), ngrams), np.int32)
    values = np.zeros((len(rows), ngrams), np.float32)
    tokens = np.zeros((len(rows), subwords), np.int32)
    for index, row in enumerate(rows):
        own = slice(start[index], min(stop[index], start[index] + ngrams))
        ids[index, : own.stop - own.start] = texts.matrix.indices[own]
        values[index, : own.stop - own.start] = texts.matrix.data[own]
        words = texts.subwords[row][:subwords]
        tokens[index, : len(words)] = words
    return Inputs(ids, values, tokens)


def minibatches(
    lengths: npt.NDArray[np.int64], batch_size: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Row numbers of full minibatches: a new order each time, texts of similar length together."""
    order = rng.permutation(len(lengths))
    step = batch_size * _SHUFFLED_TOGETHER
    batches: list[npt.NDArray[np.int64]] = []
    for start in range(0, len(order), step):
        chunk = order[start : start + step]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        batches += [chunk[i : i + batch_size] for i in range(0, len(chunk) - batch_size + 1, batch_size)]
    for index in rng.permutation(len(batches)):
        yield batches[index]


def train(
    config: NetworkConfig,
    examples: Examples,
    settings: Settings,
    *,
    on_epoch: Callable[[int, float, Params], None] = lambda epoch, loss, params: None,
) -> Params:
    """Train the deep half.

    Args:
        config: The network's sizes.
        examples: What to learn from.
        settings: How.
        on_epoch: Called after each epoch with its number, mean loss and averaged weights.

    Returns:
        The averaged weights after the last epoch.
    """
    rng = np.random.default_rng(settings.seed)
    lengths = np.diff(examples.texts.matrix.indptr).astype(np.int64)
    size = min(settings.batch_size, len(lengths))
    steps = settings.epochs * sum(1 for _ in minibatches(lengths, size, np.random.default_rng(0)))
    first = inputs_of(examples.texts, np.arange(size))
    state, step = _prepare(config, settings, steps, first)
    key = jax.random.key(settings.seed + 1)
    for epoch in range(settings.epochs):
        losses = []
        for rows in minibatches(lengths, size, rng):
            key, own = jax.random.split(key)
            inputs = _hide(inputs_of(examples.texts, rows), settings, rng)
            state, loss = step(state, own, inputs, examples.targets[rows], examples.weight[rows])
            losses.append(loss)
        on_epoch(epoch, float(np.mean(jax.device_get(losses))), state.average)
    return state.average


def _hide(inputs: Inputs, settings: Settings, rng: np.random.Generator) -> Inputs:
    """Hide some of the n-grams and subwords; the n-grams that stay weigh accordingly more."""
    kept = rng.random(inputs.values.shape, np.float32) >= settings.feature_dropout
    values = inputs.values * kept / np.float32(1.0 - settings.feature_dropout)
    hidden = (rng.random(inputs.tokens.shape, np.float32) < settings.token_dropout) & (inputs.tokens > 0)
    return Inputs(inputs.ids, values.astype(np.float32), np.where(hidden, UNKNOWN_ID, inputs.tokens).astype(np.int32))


def _prepare(
    config: NetworkConfig, settings: Settings, steps: int, first: Inputs
) -> tuple[State, Callable[..., tuple[State, jax.Array]]]:
    """Initial state and the compiled step."""
    model = network.deep_half(config, training=True)
    warm_up = steps // 20 + 1
    schedule = optax.warmup_cosine_decay_schedule(0.0, settings.learning_rate, warm_up, max(steps, warm_up + 1))
    optimiser = optax.adamw(schedule, weight_decay=settings.weight_decay)
    params: Params = model.init(jax.random.key(settings.seed), first)

    def loss_of(params: Params, key: jax.Array, inputs: Inputs, targets: jax.Array, weight: jax.Array) -> jax.Array:
        logits = model.apply(params, key, inputs)
        each = weight * optax.sigmoid_binary_cross_entropy(logits, targets)  # [B, O]
        return jnp.mean(jnp.sum(each, axis=-1))

    @jax.jit
    def step(state: State, *batch: Any) -> tuple[State, jax.Array]:
        loss, gradient = jax.value_and_grad(loss_of)(state.params, *batch)
        updates, optimiser_state = optimiser.update(gradient, state.optimiser, state.params)
        params = optax.apply_updates(state.params, updates)
        average = optax.incremental_update(params, state.average, 1.0 - settings.ema)
        return State(params, average, optimiser_state), loss

    return State(params, params, optimiser.init(params)), step


def predict(config: NetworkConfig, params: Params, texts: Texts, *, batch_size: int = 256) -> FloatArray:
    """The deep half's logits on many texts, ``[N, O]``."""
    model = network.deep_half(config, training=False)
    forward = jax.jit(lambda params, inputs: model.apply(params, None, inputs))
    order = np.argsort(np.diff(texts.matrix.indptr), kind="stable")
    logits = np.zeros((len(order), config.outputs), np.float32)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        logits[rows] = np.asarray(forward(params, inputs_of(texts, rows)))
    return logits
