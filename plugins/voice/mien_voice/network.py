"""The tone network, and the only module that knows haiku: a wide linear half and a deep half that reads subwords.

Pure functions over plain arrays, no text. Letters in the shape comments:
B batch, L n-gram features of a text (padded), K features known, T subwords (padded), V vocabulary, D width, O outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

Params: TypeAlias = dict[str, dict[str, Any]]
"""Module -> parameter -> array: haiku's own layout."""

TABLE: Final = "wide/table"
"""The flat name of the wide half's matrix."""


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network's sizes.

    Attributes:
        features: n-gram features known (K).
        vocabulary: Subwords known (V).
        width: Of the embeddings and of the convolutions (D).
        blocks: Residual convolution blocks.
        kernel: Subwords that a convolution sees.
        hidden: Units of the layer that joins both halves.
        logits: Multi-label outputs of either half.
        dropout: While training.
    """

    features: int
    vocabulary: int
    width: int = 128
    blocks: int = 2
    kernel: int = 3
    hidden: int = 128
    logits: int = 34
    dropout: float = 0.3

    def as_dict(self) -> dict[str, int | float]:
        """For a manifest."""
        return asdict(self)


class Outputs(NamedTuple):
    """What the network says.

    Attributes:
        logits: ``[B, logits]``: the 28 emotions, then the groups.
        satisfaction: ``[B]``, a logit.
    """

    logits: jax.Array
    satisfaction: jax.Array


class Wide(hk.Module):
    """The linear half: a weighted sum of the rows of the n-grams that are there."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(name="wide")
        self._shape = (config.features, config.logits)

    def __call__(self, ids: jax.Array, values: jax.Array) -> jax.Array:
        """``[B, L]`` row numbers and weights (0 pads) -> ``[B, logits]``."""
        table = hk.get_parameter("table", self._shape, init=jnp.zeros)
        bias = hk.get_parameter("bias", self._shape[1:], init=jnp.zeros)
        rows = table[ids].astype(jnp.float32)  # [B, L, logits]
        return jnp.einsum("bl,blo->bo", values, rows) + bias


class Deep(hk.Module):
    """Reads the subwords in their order, and joins what it sees with the linear half."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(name="deep")
        self._config = config

    def __call__(self, tokens: jax.Array, wide: jax.Array, *, training: bool) -> Outputs:
        """``[B, T]`` subwords (0 pads) and the linear half's ``[B, logits]`` -> outputs."""
        config = self._config
        mask = (tokens > 0).astype(jnp.float32)[..., None]  # [B, T, 1]
        x = hk.Embed(config.vocabulary, config.width, name="embed")(tokens) * mask  # [B, T, D]
        x = self._dropout(x, training)
        for _ in range(config.blocks):
            y = hk.LayerNorm(-1, create_scale=True, create_offset=True)(x) * mask
            y = jax.nn.gelu(hk.Conv1D(config.width, config.kernel)(y))
            x = (x + self._dropout(hk.Linear(config.width)(y), training)) * mask
        x = hk.LayerNorm(-1, create_scale=True, create_offset=True)(x)
        pooled = jnp.concatenate([_attend(x, mask), _maximum(x, mask)], axis=-1)  # [B, 2 D]
        joined = jnp.concatenate([self._dropout(pooled, training), 0.5 * wide], axis=-1)
        hidden = self._dropout(jax.nn.gelu(hk.Linear(config.hidden, name="join")(joined)), training)
        final = hk.Linear(config.logits + 1, w_init=jnp.zeros, name="head")(hidden)  # [B, logits + 1]
        scale = hk.get_parameter("wide_scale", (config.logits,), init=jnp.ones)
        return Outputs(logits=final[:, :-1] + scale * wide, satisfaction=final[:, -1])

    def _dropout(self, x: jax.Array, training: bool) -> jax.Array:
        return hk.dropout(hk.next_rng_key(), self._config.dropout, x) if training else x


def _attend(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Weighted mean over the subwords, ``[B, T, D] -> [B, D]``; zeros where there are none."""
    scores = hk.Linear(1, name="attention")(x) - 1e4 * (1.0 - mask)
    return jnp.sum(jax.nn.softmax(scores, axis=1) * mask * x, axis=1)


def _maximum(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Maximum over the subwords, ``[B, T, D] -> [B, D]``; zeros where there are none."""
    highest = jnp.max(x * mask - 1e4 * (1.0 - mask), axis=1)
    return jnp.where(jnp.any(mask > 0, axis=1), highest, 0.0)


def wide_half(config: NetworkConfig) -> hk.Transformed:
    """``(ids, values) -> logits`` of the linear half alone."""
    return hk.transform(lambda ids, values: Wide(config)(ids, values))


def deep_half(config: NetworkConfig, *, training: bool) -> hk.Transformed:
    """``(tokens, wide logits) -> Outputs``; what is trained on the linear half's out-of-fold logits."""
    return hk.transform(lambda tokens, wide: Deep(config)(tokens, wide, training=training))


def apply(config: NetworkConfig, params: Params, ids: jax.Array, values: jax.Array, tokens: jax.Array) -> Outputs:
    """The whole network, without dropout.

    Args:
        config: Its sizes.
        params: Its weights.
        ids: int32 ``[B, L]``, rows of the table.
        values: float32 ``[B, L]``; 0 where padded.
        tokens: int32 ``[B, T]``; 0 where padded.

    Returns:
        Outputs for each text.
    """
    network = hk.transform(lambda i, v, t: Deep(config)(t, Wide(config)(i, v), training=False))
    outputs: Outputs = network.apply(params, None, ids, values, tokens)
    return outputs


def flatten(params: Mapping[str, Mapping[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    """Haiku's nested weights -> flat names ``module/parameter``."""
    return {f"{module}/{name}": np.asarray(array) for module, own in params.items() for name, array in own.items()}


def unflatten(arrays: Mapping[str, npt.NDArray[Any]]) -> Params:
    """Flat names -> haiku's nested weights."""
    params: Params = {}
    for path, array in arrays.items():
        module, _, name = path.rpartition("/")
        params.setdefault(module, {})[name] = array
    return params
