"""The deep half once more in PyTorch, for training on a graphics card: the same arrays under the same names.

What it computes is ``mien_voice.network``'s, to rounding; a test holds both together. Letters in the shape comments as
there.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from mien_voice.network import NetworkConfig

Weights: TypeAlias = dict[str, Tensor]
"""Flat name of the runtime's array -> tensor."""

NORM_EPSILON: Final = 1e-5
"""Haiku's."""


class Batch:
    """Texts as tensors: ``ids`` int ``[B, L]``, ``values`` ``[B, L]``, ``tokens`` int ``[B, T]``; 0 where padded."""

    def __init__(self, ids: Tensor, values: Tensor, tokens: Tensor) -> None:
        self.ids, self.values, self.tokens = ids, values, tokens


def initial(config: NetworkConfig, *, seed: int, device: str) -> Weights:
    """Random weights, drawn as haiku draws them: truncated normals of one over the square root of the inputs."""
    generator = torch.Generator().manual_seed(seed)
    d, joined = config.width, config.bag + 2 * config.width
    weights: Weights = {
        "deep/bag": torch.randn(config.features, config.bag, generator=generator) * 0.05,
        "deep/bag_bias": torch.zeros(config.bag),
        "deep/vectors/embeddings": torch.randn(config.vocabulary, config.vector, generator=generator),
    }

    def linear(name: str, *shape: int, bias: float | None = 0.0) -> None:
        size = 1.0 / math.sqrt(math.prod(shape[:-1]))
        drawn = torch.randn(*shape, generator=generator).clamp_(-2.0, 2.0)
        weights[f"deep/{name}/w"] = drawn * size
        if bias is not None:
            weights[f"deep/{name}/b"] = torch.full(shape[-1:], bias)

    def norm(name: str) -> None:
        weights[f"deep/{name}/scale"], weights[f"deep/{name}/offset"] = torch.ones(d), torch.zeros(d)

    linear("project", config.vector, d)
    for block in range(config.blocks):
        norm(f"norm_conv_{block}")
        linear(f"conv_{block}", config.kernel, d, d)
        linear(f"mix_{block}", d, d)
        norm(f"norm_attend_{block}")
        linear(f"attend_{block}_in", d, 3 * d)
        linear(f"attend_{block}_out", d, d)
    norm("norm_out")
    linear("attention", d, 1)
    linear("join", joined, config.hidden)
    linear("head", config.hidden, config.outputs, bias=-3.0)
    linear("bag_head", config.bag, config.outputs, bias=None)
    return {name: tensor.to(device).requires_grad_() for name, tensor in weights.items()}


def deep(config: NetworkConfig, weights: Weights, batch: Batch, *, training: bool) -> Tensor:
    """Logits ``[B, O]`` of the deep half."""
    share = config.dropout if training else 0.0
    bag = functional.embedding_bag(batch.ids, weights["deep/bag"], per_sample_weights=batch.values, mode="sum")
    bag = functional.gelu(bag + weights["deep/bag_bias"], approximate="tanh")  # [B, bag]
    x, mask = encode(config, weights, batch.tokens, dropout=share)
    joined = torch.cat([bag, _attend(weights, x, mask), _maximum(x, mask)], dim=-1)  # [B, bag + 2 D]
    hidden = functional.gelu(_linear(weights, "join", functional.dropout(joined, share)), approximate="tanh")
    skip = functional.dropout(bag, share) @ weights["deep/bag_head/w"]
    return _linear(weights, "head", functional.dropout(hidden, share)) + skip


def encode(config: NetworkConfig, weights: Weights, tokens: Tensor, *, dropout: float) -> tuple[Tensor, Tensor]:
    """``[B, T]`` subwords -> ``[B, T, D]`` and the mask ``[B, T, 1]``."""
    mask = (tokens > 0).to(weights["deep/project/w"].dtype)[..., None]
    vectors = functional.dropout(functional.embedding(tokens, weights["deep/vectors/embeddings"]), dropout)
    x = _linear(weights, "project", vectors) * mask
    for block in range(config.blocks):
        y = _norm(weights, f"norm_conv_{block}", x) * mask
        y = functional.gelu(_convolve(weights, f"conv_{block}", y), approximate="tanh")
        x = (x + functional.dropout(_linear(weights, f"mix_{block}", y), dropout)) * mask
        y = _attention(config, weights, f"attend_{block}", _norm(weights, f"norm_attend_{block}", x), mask)
        x = (x + functional.dropout(y, dropout)) * mask
    return _norm(weights, "norm_out", x), mask


def _linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return x @ weights[f"deep/{name}/w"] + weights[f"deep/{name}/b"]


def _norm(weights: Weights, name: str, x: Tensor) -> Tensor:
    scale = weights[f"deep/{name}/scale"]
    return functional.layer_norm(x, scale.shape, scale, weights[f"deep/{name}/offset"], eps=NORM_EPSILON)


def _convolve(weights: Weights, name: str, x: Tensor) -> Tensor:
    """``[B, T, D] -> [B, T, D]``, padded to the same length; haiku's kernel is ``[kernel, in, out]``."""
    kernel = weights[f"deep/{name}/w"].permute(2, 1, 0)
    return functional.conv1d(x.transpose(1, 2), kernel, weights[f"deep/{name}/b"], padding="same").transpose(1, 2)


def _attention(config: NetworkConfig, weights: Weights, name: str, x: Tensor, mask: Tensor) -> Tensor:
    batch, length, width = x.shape
    each = _linear(weights, f"{name}_in", x).view(batch, length, 3, config.heads, width // config.heads)
    query, key, value = each.permute(2, 0, 3, 1, 4)  # each [B, H, T, D / H]
    away = -1e4 * (1.0 - mask[:, None, None, :, 0])
    taken = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=away.to(query.dtype).expand(batch, 1, length, length)
    )
    return _linear(weights, f"{name}_out", taken.transpose(1, 2).reshape(batch, length, width))


def _attend(weights: Weights, x: Tensor, mask: Tensor) -> Tensor:
    scores = _linear(weights, "attention", x) - 1e4 * (1.0 - mask)
    return (torch.softmax(scores, dim=1) * mask * x).sum(dim=1)


def _maximum(x: Tensor, mask: Tensor) -> Tensor:
    highest = (x * mask - 1e4 * (1.0 - mask)).amax(dim=1)
    return torch.where((mask > 0).any(dim=1), highest, torch.zeros_like(highest))
