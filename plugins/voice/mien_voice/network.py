"""The tone network, and the only module that knows haiku: a wide linear half and a deep half that reads subwords.

Pure functions over plain arrays, no text. Letters in the shape comments:
B batch, L n-gram features of a text (padded), K features known, T subwords (padded), V vocabulary, E width of a
subword's vector, D width of the encoder, H attention heads, O outputs.
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
        bag: Width of the n-grams' embeddings in the deep half.
        vector: Width of the subwords' vectors (E).
        width: Of the encoder (D).
        blocks: Encoder blocks: a convolution, which knows the order, then attention, which sees the whole text.
        kernel: Subwords that a convolution sees.
        heads: Of an attention (H); they share the width.
        hidden: Units of the layer that joins n-grams and subwords.
        outputs: Logits of either half (O).
        linear_share: Of the linear half in the mean of both.
        dropout: While training.
    """

    features: int
    vocabulary: int
    bag: int = 24
    vector: int = 96
    width: int = 160
    blocks: int = 4
    kernel: int = 3
    heads: int = 4
    hidden: int = 96
    outputs: int = 35
    linear_share: float = 0.5
    dropout: float = 0.3

    def as_dict(self) -> dict[str, int | float]:
        """For a manifest."""
        return asdict(self)


class Inputs(NamedTuple):
    """Texts as the network takes them.

    Attributes:
        ids: int32 ``[B, L]``, numbers of the n-grams that are there; 0 where padded.
        values: float32 ``[B, L]``, their weights; 0 where padded.
        tokens: int32 ``[B, T]``, subwords; 0 where padded.
    """

    ids: Any
    values: Any
    tokens: Any


class Wide(hk.Module):
    """The linear half: a weighted sum of the rows of the n-grams that are there."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(name="wide")
        self._shape = (config.features, config.outputs)

    def __call__(self, inputs: Inputs) -> jax.Array:
        """Logits ``[B, O]``."""
        table = hk.get_parameter("table", self._shape, init=jnp.zeros)
        bias = hk.get_parameter("bias", self._shape[1:], init=jnp.zeros)
        return _weighted_rows(table, inputs) + bias


class Deep(hk.Module):
    """The other half: embedded n-grams without their order, and an encoder of the subwords in theirs."""

    def __init__(self, config: NetworkConfig, *, training: bool) -> None:
        super().__init__(name="deep")
        self._config = config
        self._training = training

    def __call__(self, inputs: Inputs) -> jax.Array:
        """Logits ``[B, O]``."""
        config = self._config
        embed = hk.initializers.RandomNormal(0.05)  # type: ignore[no-untyped-call]  # haiku leaves it so
        table = hk.get_parameter("bag", (config.features, config.bag), init=embed)
        offset = hk.get_parameter("bag_bias", (config.bag,), init=jnp.zeros)
        bag = jax.nn.gelu(_weighted_rows(table, inputs) + offset)  # [B, bag]
        joined = jnp.concatenate([bag, self._read(inputs.tokens)], axis=-1)  # [B, bag + 2 D]
        hidden = jax.nn.gelu(hk.Linear(config.hidden, name="join")(self._dropout(joined)))
        skip = hk.Linear(config.outputs, with_bias=False, name="bag_head")(self._dropout(bag))
        low = hk.initializers.Constant(-3.0)  # most labels are rare
        head: jax.Array = hk.Linear(config.outputs, b_init=low, name="head")(self._dropout(hidden))
        return head + skip

    @hk.transparent  # its parameters are named as the module's own
    def _read(self, tokens: jax.Array) -> jax.Array:
        """``[B, T]`` subwords -> ``[B, 2 D]``."""
        config = self._config
        mask = (tokens > 0).astype(jnp.float32)[..., None]  # [B, T, 1]
        vectors = hk.Embed(config.vocabulary, config.vector, name="vectors")(tokens)  # [B, T, E]
        x = hk.Linear(config.width, name="project")(self._dropout(vectors)) * mask  # [B, T, D]
        for block in range(config.blocks):
            y = _norm(f"norm_conv_{block}")(x) * mask
            y = jax.nn.gelu(hk.Conv1D(config.width, config.kernel, name=f"conv_{block}")(y))
            x = (x + self._dropout(hk.Linear(config.width, name=f"mix_{block}")(y))) * mask
            y = _attention(_norm(f"norm_attend_{block}")(x), mask, config.heads, name=f"attend_{block}")
            x = (x + self._dropout(y)) * mask
        x = _norm("norm_out")(x)
        return jnp.concatenate([_attend(x, mask), _maximum(x, mask)], axis=-1)

    def _dropout(self, x: jax.Array) -> jax.Array:
        return hk.dropout(hk.next_rng_key(), self._config.dropout, x) if self._training else x


def _weighted_rows(table: jax.Array, inputs: Inputs) -> jax.Array:
    """``[K, N]`` and ``[B, L]`` -> ``[B, N]``."""
    return jnp.einsum("bl,bln->bn", inputs.values, table[inputs.ids])


def _norm(name: str) -> hk.LayerNorm:
    return hk.LayerNorm(-1, create_scale=True, create_offset=True, name=name)


def _attention(x: jax.Array, mask: jax.Array, heads: int, *, name: str) -> jax.Array:
    """Every subword takes from those that it attends to, ``[B, T, D] -> [B, T, D]`` (Vaswani et al. 2017)."""
    batch, length, width = x.shape
    each = hk.Linear(3 * width, name=f"{name}_in")(x).reshape(batch, length, 3, heads, width // heads)
    query, key, value = each[:, :, 0], each[:, :, 1], each[:, :, 2]  # [B, T, H, D / H]
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / jnp.sqrt(float(width // heads))  # [B, H, T, T]
    weights = jax.nn.softmax(scores - 1e4 * (1.0 - mask[:, None, None, :, 0]), axis=-1)
    taken = jnp.einsum("bhqk,bkhd->bqhd", weights, value).reshape(batch, length, width)
    result: jax.Array = hk.Linear(width, name=f"{name}_out")(taken)
    return result


def _attend(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Weighted mean over the subwords, ``[B, T, D] -> [B, D]``; zeros where there are none."""
    scores = hk.Linear(1, name="attention")(x) - 1e4 * (1.0 - mask)
    return jnp.sum(jax.nn.softmax(scores, axis=1) * mask * x, axis=1)


def _maximum(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Maximum over the subwords, ``[B, T, D] -> [B, D]``; zeros where there are none."""
    highest = jnp.max(x * mask - 1e4 * (1.0 - mask), axis=1)
    return jnp.where(jnp.any(mask > 0, axis=1), highest, 0.0)


def deep_half(config: NetworkConfig, *, training: bool) -> hk.Transformed:
    """``Inputs -> [B, O]`` of the deep half alone: what is trained by steps."""
    return hk.transform(lambda inputs: Deep(config, training=training)(inputs))


def apply(config: NetworkConfig, params: Params, inputs: Inputs) -> jax.Array:
    """The whole network, without dropout: the weighted mean of both halves.

    Args:
        config: Its sizes.
        params: Its weights.
        inputs: Texts.

    Returns:
        Logits ``[B, O]``.
    """
    share = config.linear_share
    both = hk.transform(
        lambda inputs: share * Wide(config)(inputs) + (1.0 - share) * Deep(config, training=False)(inputs)
    )
    logits: jax.Array = both.apply(params, None, inputs)
    return logits


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
