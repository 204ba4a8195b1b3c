"""Trains the deep half with optax: minibatches of similar length, label masks, EMA of the weights.

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
from mien_voice.network import NetworkConfig, Params
from mien_voice.tokenizer import UNKNOWN_ID

LENGTHS: Final = (16, 32, 64)
"""Subwords that a minibatch is padded to."""

_SHUFFLED_TOGETHER: Final = 24
"""Minibatches that are drawn at once and then sorted by length, so that little is padding."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train.

    Attributes:
        epochs: Times through the data.
        batch_size: Texts a step.
        learning_rate: At its highest; warms up over one tenth, then falls as a cosine.
        weight_decay: AdamW's.
        ema: Share of the running mean of the weights that each step keeps.
        token_dropout: Share of the subwords that are hidden.
        focus: Exponent that plays down the negatives that are already right (asymmetric loss); 0 is cross-entropy.
        seed: Of the initial weights, order and dropout.
    """

    epochs: int = 8
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    ema: float = 0.998
    token_dropout: float = 0.1
    focus: float = 0.0
    seed: int = 0


class Examples(NamedTuple):
    """What is learned from; N texts, O labels.

    Attributes:
        tokens: Subwords of each text.
        wide: The linear half's logits, ``[N, O]``, from models that did not see the text.
        targets: ``[N, O]`` in [0, 1].
        satisfaction: ``[N]`` in [0, 1].
        weight: ``[N]``, how much each text counts.
    """

    tokens: Sequence[npt.NDArray[np.int32]]
    wide: FloatArray
    targets: FloatArray
    satisfaction: FloatArray
    weight: FloatArray


class State(NamedTuple):
    """Everything that a step changes."""

    params: Params
    average: Params
    optimiser: Any


def pad(tokens: Sequence[npt.NDArray[np.int32]], length: int) -> npt.NDArray[np.int32]:
    """Subwords ``[B, length]``, padded with 0 or cut."""
    padded = np.zeros((len(tokens), length), np.int32)
    for row, ids in zip(padded, tokens, strict=True):
        kept = ids[:length]
        row[: len(kept)] = kept
    return padded


def padded_length(longest: int) -> int:
    """The smallest of ``LENGTHS`` that holds it, or the largest there is."""
    return next((length for length in LENGTHS if length >= longest), LENGTHS[-1])


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


def binary_loss(logits: jax.Array, targets: jax.Array, focus: float) -> jax.Array:
    """Cross-entropy of soft multi-label targets; with ``focus`` the easy negatives count less. Same shape as given."""
    loss = optax.sigmoid_binary_cross_entropy(logits, targets)
    if focus > 0:
        loss *= jnp.where(targets < 0.5, jax.nn.sigmoid(logits) ** focus, 1.0)
    return loss


def train(
    config: NetworkConfig,
    examples: Examples,
    settings: Settings,
    *,
    start: Params | None = None,
    on_epoch: Callable[[int, float, Params], None] = lambda epoch, loss, params: None,
) -> Params:
    """Train the deep half.

    Args:
        config: The network's sizes.
        examples: What to learn from.
        settings: How.
        start: Weights to begin from; new ones if None.
        on_epoch: Called after each epoch with its number, mean loss and averaged weights.

    Returns:
        The averaged weights after the last epoch.
    """
    rng = np.random.default_rng(settings.seed)
    lengths = np.array([len(ids) for ids in examples.tokens])
    steps = settings.epochs * sum(1 for _ in minibatches(lengths, settings.batch_size, np.random.default_rng(0)))
    state, step = _prepare(config, settings, steps, start)
    key = jax.random.key(settings.seed + 1)
    for epoch in range(settings.epochs):
        losses = []
        for rows in minibatches(lengths, settings.batch_size, rng):
            key, own = jax.random.split(key)
            tokens = pad([examples.tokens[row] for row in rows], padded_length(int(lengths[rows].max())))
            hidden = rng.random(tokens.shape) < settings.token_dropout
            tokens = np.where(hidden & (tokens > 0), UNKNOWN_ID, tokens)
            state, loss = step(
                state, own, tokens, examples.wide[rows], examples.targets[rows], examples.satisfaction[rows],
                examples.weight[rows],
            )  # fmt: skip
            losses.append(loss)
        on_epoch(epoch, float(np.mean(jax.device_get(losses))), state.average)
    return state.average


def _prepare(
    config: NetworkConfig, settings: Settings, steps: int, start: Params | None
) -> tuple[State, Callable[..., tuple[State, jax.Array]]]:
    """Initial state and the compiled step."""
    model = network.deep_half(config, training=True)
    schedule = optax.warmup_cosine_decay_schedule(0.0, settings.learning_rate, steps // 10 + 1, steps)
    optimiser = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=settings.weight_decay)
    )
    empty = np.zeros((1, LENGTHS[0]), np.int32), np.zeros((1, config.logits), np.float32)
    params: Params = start or model.init(jax.random.key(settings.seed), *empty)

    def loss_of(
        params: Params, key: jax.Array, tokens: jax.Array, wide: jax.Array, targets: jax.Array,
        satisfaction: jax.Array, weight: jax.Array,
    ) -> jax.Array:  # fmt: skip
        outputs = model.apply(params, key, tokens, wide)
        labels = jnp.sum(binary_loss(outputs.logits, targets, settings.focus), axis=-1)  # [B]
        feeling = optax.sigmoid_binary_cross_entropy(outputs.satisfaction, satisfaction)  # [B]
        return jnp.mean(weight * (labels + feeling))

    @jax.jit
    def step(state: State, *batch: Any) -> tuple[State, jax.Array]:
        loss, gradient = jax.value_and_grad(loss_of)(state.params, *batch)
        updates, optimiser_state = optimiser.update(gradient, state.optimiser, state.params)
        params = optax.apply_updates(state.params, updates)
        average = optax.incremental_update(params, state.average, 1.0 - settings.ema)
        return State(params, average, optimiser_state), loss

    return State(params, params, optimiser.init(params)), step


def predict(
    config: NetworkConfig, params: Params, tokens: Sequence[npt.NDArray[np.int32]], wide: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The deep half's outputs on many texts.

    Returns:
        Logits ``[N, O]`` and satisfaction logits ``[N]``.
    """
    model = network.deep_half(config, training=False)
    forward = jax.jit(lambda params, tokens, wide: model.apply(params, None, tokens, wide))
    logits, satisfaction = [], []
    for start in range(0, len(tokens), 512):
        rows = slice(start, start + 512)
        outputs = forward(params, pad(tokens[rows], LENGTHS[-1]), wide[rows])
        logits.append(np.asarray(outputs.logits))
        satisfaction.append(np.asarray(outputs.satisfaction))
    return np.concatenate(logits), np.concatenate(satisfaction)
