"""The deep half in training: minibatches of similar length, weights of the texts, optax, a mean of the weights.

Knows arrays only; where they come from is ``data.py``'s, what is trained on what is ``run.py``'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
class Recipe:
    """How to train.

    Attributes:
        epochs: Times through the data.
        batch_size: Texts a step.
        learning_rate: At its highest; warms up over one twentieth, then falls as a cosine.
        weight_decay: AdamW's.
        ema: Share of the running mean of the weights that each step keeps.
        token_dropout: Share of the subwords that are hidden.
        feature_dropout: Share of the n-grams that are hidden.
    """

    epochs: int = 4
    batch_size: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    ema: float = 0.99
    token_dropout: float = 0.1
    feature_dropout: float = 0.15

    def rate(self, *, step: int, steps: int) -> float:
        """The learning rate of a step of ``steps`` in all."""
        return _rates(self.learning_rate, steps)[step]


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

    def digest(self) -> str:
        """A fingerprint of all of it, by which a resumed run knows its data."""
        matrix, subwords = self.texts
        fingerprint = hashlib.sha256()
        for array in (matrix.data, matrix.indices, matrix.indptr, *subwords, self.targets, self.weight):
            fingerprint.update(np.ascontiguousarray(array).tobytes())
        return fingerprint.hexdigest()[:16]


class Weights(NamedTuple):
    """What a step changes.

    Attributes:
        params: The deep half's weights.
        average: Their running mean; what is evaluated and shipped.
        optimiser: Adam's means.
        key: Of the dropout of the next step.
    """

    params: Params
    average: Params
    optimiser: Any
    key: Any


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


def hide(inputs: Inputs, recipe: Recipe, rng: np.random.Generator) -> Inputs:
    """Hide some of the n-grams and subwords; the n-grams that stay weigh accordingly more."""
    kept = rng.random(inputs.values.shape, np.float32) >= recipe.feature_dropout
    values = inputs.values * kept / np.float32(1.0 - recipe.feature_dropout)
    hidden = (rng.random(inputs.tokens.shape, np.float32) < recipe.token_dropout) & (inputs.tokens > 0)
    return Inputs(inputs.ids, values.astype(np.float32), np.where(hidden, UNKNOWN_ID, inputs.tokens).astype(np.int32))


def optimiser(recipe: Recipe) -> optax.GradientTransformation:
    """AdamW at a learning rate of 1: steps scale its updates."""
    return optax.chain(optax.scale_by_adam(), optax.add_decayed_weights(recipe.weight_decay))


def compiled_step(config: NetworkConfig, recipe: Recipe) -> Callable[..., tuple[Weights, jax.Array]]:
    """One step: weights, learning rate, inputs, targets, how much they count -> new weights, and the loss before."""
    model, rule = network.deep_half(config, training=True), optimiser(recipe)

    def loss_of(params: Params, key: jax.Array, inputs: Inputs, targets: jax.Array, weight: jax.Array) -> jax.Array:
        logits = model.apply(params, key, inputs)
        each = weight * optax.sigmoid_binary_cross_entropy(logits, targets)  # [B, O]
        return jnp.mean(jnp.sum(each, axis=-1))

    @jax.jit
    def step(old: Weights, rate: jax.Array, *batch: Any) -> tuple[Weights, jax.Array]:
        key, own = jax.random.split(jax.random.wrap_key_data(old.key))
        loss, gradient = jax.value_and_grad(loss_of)(old.params, own, *batch)
        updates, optimiser_state = rule.update(gradient, old.optimiser, old.params)
        params = optax.apply_updates(old.params, jax.tree.map(lambda update: -rate * update, updates))
        average = optax.incremental_update(params, old.average, 1.0 - recipe.ema)
        return Weights(params, average, optimiser_state, jax.random.key_data(key)), loss

    return step


def predict(config: NetworkConfig, params: Params, texts: Texts, *, batch_size: int = 256) -> FloatArray:
    """The deep half's logits on many texts, ``[N, O]``."""
    forward = _forward(config)
    order = np.argsort(np.diff(texts.matrix.indptr), kind="stable")
    logits = np.zeros((len(order), config.outputs), np.float32)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        logits[rows] = np.asarray(forward(params, inputs_of(texts, rows)))
    return logits


@lru_cache(maxsize=1)
def _forward(config: NetworkConfig) -> Callable[[Params, Inputs], jax.Array]:
    """The deep half without dropout, compiled once for all epochs."""
    model = network.deep_half(config, training=False)
    return jax.jit(lambda params, inputs: model.apply(params, None, inputs))


@lru_cache(maxsize=2)
def _rates(highest: float, steps: int) -> tuple[float, ...]:
    """The learning rate of each step: a linear start over one twentieth, then half a cosine."""
    warm_up = steps // 20 + 1
    schedule = jax.jit(optax.warmup_cosine_decay_schedule(0.0, highest, warm_up, max(steps, warm_up + 1)))
    return tuple(float(schedule(step)) for step in range(steps))
