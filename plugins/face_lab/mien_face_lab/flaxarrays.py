"""Flax networks from arrays that go by name, and back: what training, export and the zoo share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx

from mien_face.config import Arrays

NetworkT = TypeVar("NetworkT", bound=nnx.Module)

NameOf: TypeAlias = Callable[[tuple[object, ...]], str]
"""Our name for a variable at a path of a Flax module."""

_NAMED: Final = 5
"""Arrays that a message names at the most."""


def with_arrays(
    build: Callable[[], NetworkT], arrays: Mapping[str, jax.Array] | Arrays, *, name_of: NameOf
) -> NetworkT:
    """Build a network of given arrays (they may be traced); its own first weights are never computed.

    Args:
        build: Makes the network.
        arrays: Parameters and statistics by name.
        name_of: How they are called.

    Raises:
        ValueError: An array is missing, left over, or of another shape.
    """
    network: NetworkT = nnx.eval_shape(build)
    graph, state = nnx.split(network)
    flat = dict(nnx.to_flat_state(state))
    paths = {name_of(path): path for path in flat}
    different = sorted(paths.keys() ^ arrays.keys())
    if different:
        more = f" and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
        raise ValueError(f"not this network's arrays: they differ in {', '.join(different[:_NAMED])}{more}")
    for name, path in paths.items():
        if flat[path].shape != arrays[name].shape:
            raise ValueError(f"{name} must have the shape {flat[path].shape}, got {arrays[name].shape}")
        flat[path] = flat[path].replace(jnp.asarray(arrays[name]))
    built: NetworkT = nnx.merge(graph, nnx.from_flat_state(flat.items()))
    return built


def arrays_of(network: nnx.Module, *, name_of: NameOf) -> dict[str, jax.Array]:
    """The arrays of a network, parameters and statistics, by name."""
    return {name_of(path): variable[...] for path, variable in nnx.to_flat_state(nnx.state(network))}
