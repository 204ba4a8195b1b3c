"""Trains the deep half in PyTorch: masked-subword pretraining, cross-fitted teachers, one small student that ships.

Teachers are wider networks of the same kind, each trained without one part of the texts; what they say of that part is
what the student learns beside the labels, so that no teacher repeats by heart. Arrays in, arrays out; no files.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from mien_voice.calibration import FloatArray
from mien_voice.network import NetworkConfig
from mien_voice.tokenizer import UNKNOWN_ID
from mien_voice_lab.training.torchnet import Batch, Weights, deep, encode, initial

FOLDS: Final = 4
SOFT_SHARE: Final = 0.5
"""Of the student's targets; the labels say the rest."""

LOOKS: Final = 6
"""How often a training is looked at."""

_MEASURED: Final = 40
"""Steps after which it is known how long one takes."""

MASKED: Final = 0.15
"""Share of the subwords that pretraining hides and asks for."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one network is trained.

    Attributes:
        steps: Of the optimiser.
        batch_size: Texts a step.
        rate: Learning rate at its highest; warms up over one twentieth, then falls as a cosine.
        vector_rate: Share of it for the subwords' vectors, so that words that are rare here stay near their relatives.
        weight_decay: AdamW's.
        ema: Share of the running mean of the weights that each step keeps.
        token_dropout: Share of the subwords that are hidden.
        feature_dropout: Share of the n-grams that are hidden.
    """

    steps: int
    batch_size: int = 512
    rate: float = 1.5e-3
    vector_rate: float = 0.2
    weight_decay: float = 0.01
    ema: float = 0.995
    token_dropout: float = 0.1
    feature_dropout: float = 0.15


class Table(NamedTuple):
    """N texts in C forms on the device: n-grams ``[C, N, L]`` with values, subwords ``[C, N, T]``."""

    ids: Tensor
    values: Tensor
    tokens: Tensor

    def batch(self, form: int | Tensor, rows: Tensor) -> Batch:
        """Some texts, each in one form, cut to the longest of them."""
        tokens, ids, values = self.tokens[form, rows].long(), self.ids[form, rows].long(), self.values[form, rows]
        subwords = max(int((tokens > 0).sum(dim=1).max()), 1)
        ngrams = max(int((values != 0).sum(dim=1).max()), 1)
        return Batch(ids[:, :ngrams], values[:, :ngrams].float(), tokens[:, :subwords])


class Task(NamedTuple):
    """What is learned: targets ``[N, O]`` and how much each counts."""

    targets: Tensor
    weight: Tensor


def pretrain(
    config: NetworkConfig, weights: Weights, tokens: Tensor, *, recipe: Recipe, seed: int, deadline: float, say: Say
) -> None:
    """Teach the encoder to tell hidden subwords from the others (Devlin et al. 2019); changes ``weights``.

    Args:
        config: The network's sizes.
        weights: Its weights.
        tokens: ``[N, T]`` subwords.
        recipe: How.
        seed: Of order and dropout.
        deadline: ``time.monotonic()`` at which it ends, whole or not.
        say: Takes a line of progress.
    """
    generator = torch.Generator(tokens.device).manual_seed(seed)
    device = tokens.device
    back = (
        torch.randn(config.width, config.vector, generator=generator, device=device) / config.width**0.5
    ).requires_grad_()
    bias = torch.zeros(config.vocabulary, device=device, requires_grad=True)
    trained = {name: tensor for name, tensor in weights.items() if "bag" not in name and "head" not in name}
    optimiser = _optimiser({**trained, "back": back, "bias": bias}, recipe)
    rows, total = _orders(len(tokens), recipe.batch_size, generator, device), torch.zeros((), device=device)
    begun, step = time.monotonic(), -1
    while (step := step + 1) < recipe.steps and time.monotonic() < deadline:
        if step == _MEASURED:  # fewer steps, so that the rate has fallen when time is up
            each = (time.monotonic() - begun) / _MEASURED
            recipe = replace(
                recipe, steps=min(recipe.steps, _MEASURED + int(0.95 * (deadline - time.monotonic()) / each))
            )
        given = tokens[next(rows)].long()
        given = given[:, : max(int((given > 0).sum(dim=1).max()), 1)]
        hidden = (torch.rand(given.shape, generator=generator, device=device) < MASKED) & (given > 0)
        with _mixed(device):
            x, _ = encode(config, weights, torch.where(hidden, UNKNOWN_ID, given), dropout=0.1)
            asked = (x[hidden] @ back) @ weights["deep/vectors/embeddings"].T / config.vector**0.5 + bias
            loss = functional.cross_entropy(asked.float(), given[hidden])
        _advance(optimiser, loss, _rate(recipe, step))
        total += loss.detach()
        if (step + 1) % 500 == 0:
            say(f"  pretraining step {step + 1}: {float(total) / 500:.3f}")
            total.zero_()


def train(
    config: NetworkConfig,
    weights: Weights,
    table: Table,
    task: Task,
    rows: Tensor,
    *,
    recipe: Recipe,
    seed: int,
    deadline: float,
    observe: Callable[[int, Weights], None] | None = None,
) -> Weights:
    """Train one network on some of the texts; its running mean is returned, ``weights`` change.

    A run that reaches the deadline ends with what it has. ``observe`` sees the step and the mean, ``LOOKS`` times.
    """
    device = table.tokens.device
    generator = torch.Generator(device).manual_seed(seed)
    optimiser = _optimiser(weights, recipe)
    average = {name: tensor.detach().clone() for name, tensor in weights.items()}
    forms, order = len(table.tokens), _orders(len(rows), recipe.batch_size, generator, device)
    for step in range(recipe.steps):
        if time.monotonic() > deadline:
            break
        own = rows[next(order)]
        form = torch.randint(0, forms + 1, (len(own),), generator=generator, device=device) % forms  # the first twice
        batch = _hide(table.batch(form, own), recipe, generator)
        with _mixed(device):
            logits = deep(config, weights, batch, training=True)
        each = functional.binary_cross_entropy_with_logits(
            logits.float(), task.targets[own], task.weight[own], reduction="sum"
        )
        _advance(optimiser, each / len(own), _rate(recipe, step))
        kept = min(recipe.ema, (1.0 + step) / (10.0 + step))
        torch._foreach_lerp_(list(average.values()), [weights[name].detach() for name in average], 1.0 - kept)
        if observe is not None and (step + 1) % max(recipe.steps // LOOKS, 1) == 0:
            observe(step + 1, average)
    return average


def predict(config: NetworkConfig, weights: Weights, table: Table, form: int, rows: Tensor | None = None) -> Tensor:
    """Logits ``[N, O]`` of some texts, or of all, in one form."""
    if rows is None:
        rows = torch.arange(table.tokens.shape[1], device=table.tokens.device)
    with torch.no_grad():
        return torch.cat([deep(config, weights, table.batch(form, part), training=False) for part in rows.split(2_048)])


def folds(size: int, *, seed: int) -> npt.NDArray[np.int64]:
    """Which part each text belongs to, ``[N]``."""
    found: npt.NDArray[np.int64] = np.random.default_rng(seed).permutation(size) % FOLDS
    return found


def soft_targets(task: Task, said: Tensor, times: Tensor, *, soft: float = SOFT_SHARE) -> Task:
    """The student's task: labels mixed with the mean of what the teachers said of texts that they did not see.

    Args:
        task: The labels.
        said: Sum of the teachers' probabilities, ``[N, O]``.
        times: How many teachers spoke of each text, ``[N]``.
        soft: The teachers' share.
    """
    heard = (times > 0).float()[:, None]
    share = soft * heard * (task.weight > 0)
    mean = said / times.clamp(min=1.0)[:, None]
    return Task((1.0 - share) * task.targets + share * mean, task.weight)


def started(config: NetworkConfig, vectors: FloatArray, *, seed: int, device: str) -> Weights:
    """Random weights with the subwords' vectors given."""
    weights = initial(config, seed=seed, device=device)
    with torch.no_grad():
        weights["deep/vectors/embeddings"].copy_(torch.from_numpy(vectors))
    return weights


def fresh(weights: Weights) -> Weights:
    """A copy to train further."""
    return {name: tensor.detach().clone().requires_grad_() for name, tensor in weights.items()}


def timed(config: NetworkConfig, weights: Weights, table: Table, task: Task, rows: Tensor, recipe: Recipe) -> float:
    """Seconds that a step takes, by a few that are thrown away."""
    warm = replace(recipe, steps=2)
    train(config, fresh(weights), table, task, rows, recipe=warm, seed=0, deadline=math.inf)
    begun = time.monotonic()
    train(config, fresh(weights), table, task, rows, recipe=replace(recipe, steps=10), seed=0, deadline=math.inf)
    if table.tokens.is_cuda:
        torch.cuda.synchronize()
    return (time.monotonic() - begun) / 10


def arrays(weights: Weights) -> dict[str, npt.NDArray[np.float16]]:
    """As the runtime's file holds them."""
    return {name: tensor.detach().cpu().numpy().astype(np.float16) for name, tensor in weights.items()}


def copied(weights: Weights) -> Weights:
    """As they are now."""
    return {name: tensor.detach().clone() for name, tensor in weights.items()}


def _hide(batch: Batch, recipe: Recipe, generator: torch.Generator) -> Batch:
    """Hide some of the n-grams and subwords; the n-grams that stay weigh accordingly more."""
    device = batch.tokens.device
    kept = torch.rand(batch.values.shape, generator=generator, device=device) >= recipe.feature_dropout
    hidden = torch.rand(batch.tokens.shape, generator=generator, device=device) < recipe.token_dropout
    tokens = torch.where(hidden & (batch.tokens > 0), UNKNOWN_ID, batch.tokens)
    return Batch(batch.ids, batch.values * kept / (1.0 - recipe.feature_dropout), tokens)


def _orders(size: int, batch_size: int, generator: torch.Generator, device: torch.device) -> Iterator[Tensor]:
    """Row numbers of minibatches for ever, in a new order each time."""
    while True:
        order = torch.randperm(size, generator=generator, device=device)
        yield from order.split(batch_size)[: max(size // batch_size, 1)]


def _optimiser(weights: Weights, recipe: Recipe) -> torch.optim.Optimizer:
    slow = [tensor for name, tensor in weights.items() if name.endswith("embeddings")]
    plain = [tensor for name, tensor in weights.items() if not name.endswith("embeddings") and tensor.ndim < 2]
    other = [tensor for name, tensor in weights.items() if not name.endswith("embeddings") and tensor.ndim >= 2]
    groups = [
        {"params": slow, "weight_decay": 0.0, "share": recipe.vector_rate},
        {"params": plain, "weight_decay": 0.0, "share": 1.0},
        {"params": other, "weight_decay": recipe.weight_decay, "share": 1.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98), eps=1e-6, fused=slow[0].is_cuda)


def _advance(optimiser: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], 1.0)
    optimiser.step()


def _rate(recipe: Recipe, step: int) -> float:
    warm_up = recipe.steps // 20 + 1
    if step < warm_up:
        return recipe.rate * (step + 1) / warm_up
    return recipe.rate * 0.5 * (1.0 + math.cos(math.pi * (step - warm_up) / max(recipe.steps - warm_up, 1)))


def _mixed(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
