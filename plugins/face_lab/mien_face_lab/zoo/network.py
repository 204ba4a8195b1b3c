"""Networks of the zoo in Flax NNX, built from their descriptions.

Outside Flax a network's arrays go by name: the layer's position, then its part (``3.kernel``, ``8.branch.2.mean``).
Kernels are [height, width, in, out], those of depthwise layers [height, width, channels].

Shapes: n pictures, h height, w width, c channels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from flax import nnx

from mien_face.config import Arrays
from mien_face_lab.zoo import layers as described
from mien_face_lab.zoo.catalogue import ZooNetwork
from mien_face_lab.zoo.layers import Layer, Shape, Step, trace

STATISTICS_MOMENTUM: Final = 0.99
"""Share of a running statistic that a step keeps: Keras's default, which most of these networks were trained with."""

NORM_EPSILON: Final = 1e-3
"""Added to a variance before its square root is taken; Keras's default."""

_NAMED: Final = 5
"""Arrays that a message names at the most."""


class DepthwiseConv(nnx.Module):
    """A convolution within each channel, as shifted multiply-adds.

    XLA's own depthwise convolution is about a hundred times slower on a CPU (``benchmarks/depthwise.py``).

    Args:
        channels: In and out.
        side: Of the kernel, odd.
        rngs: Source of the first weights.
    """

    def __init__(self, channels: int, side: int, *, rngs: nnx.Rngs) -> None:
        limit = math.sqrt(6 / (side * side * 2))  # Glorot and Bengio 2010, with one channel in and out
        values = jax.random.uniform(rngs.params(), (side, side, channels), minval=-limit, maxval=limit)
        self.kernel = nnx.Param(values)

    def __call__(self, features: jax.Array) -> jax.Array:
        """[n, h, w, c] -> [n, h, w, c]."""
        return shifted_sum(features, self.kernel[...])


def shifted_sum(features: jax.Array, kernel: jax.Array) -> jax.Array:
    """A depthwise convolution, stride 1, padded with zeros.

    Args:
        features: [n, h, w, c].
        kernel: [side, side, c], side odd.
    """
    side = kernel.shape[0]
    border = side // 2
    height, width = features.shape[1:3]
    padded = jnp.pad(features, ((0, 0), (border, border), (border, border), (0, 0)))
    total = jnp.zeros_like(features)
    for row in range(side):
        for column in range(side):
            total += padded[:, row : row + height, column : column + width] * kernel[row, column]
    return total


class Stateless(nnx.Module):
    """A layer without weights of its own.

    Args:
        layer: What to do.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __call__(self, features: jax.Array) -> jax.Array:
        """[n, ...] -> [n, ...]."""
        match self._layer:
            case described.Relu():
                return nnx.relu(features)
            case described.Flatten():
                return features.reshape(len(features), -1)  # [n, h, w, c] -> [n, h * w * c]
            case described.GlobalMean():
                return features.mean(axis=(1, 2))  # [n, h, w, c] -> [n, c]
            case described.Pool(side=side, stride=stride, same=same):
                padding = "SAME" if same else "VALID"
                window, strides = (side, side), (stride, stride)
                pooled: jax.Array = nnx.max_pool(features, window, strides, padding)  # type: ignore[no-untyped-call]
                return pooled
        raise TypeError(f"{self._layer} has weights")


class Sum(nnx.Module):
    """Two paths, added."""

    def __init__(self, layer: described.Residual, shape: Shape, *, rngs: nnx.Rngs) -> None:
        self.branch = Stack(layer.branch, shape, rngs=rngs)
        self.shortcut = Stack(layer.shortcut, shape, rngs=rngs)

    def __call__(self, features: jax.Array, *, rngs: nnx.Rngs | None) -> jax.Array:
        """[n, h, w, c] -> [n, h, w, c]."""
        return self.branch(features, rngs=rngs) + self.shortcut(features, rngs=rngs)


class Stack(nnx.Module):
    """Layers one after the other.

    Args:
        layers: Their description.
        shape: Of one face's input.
        rngs: Source of the first weights (stream ``params``).
    """

    def __init__(self, layers: tuple[Layer, ...], shape: Shape, *, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List([_module(step, rngs) for step in trace(layers, shape)])

    def __call__(self, features: jax.Array, *, rngs: nnx.Rngs | None = None) -> jax.Array:
        """Run the layers.

        Args:
            features: [n, *shape].
            rngs: Source of dropout (stream ``dropout``); needed in training mode only.
        """
        for layer in self.layers:
            features = layer(features, rngs=rngs) if isinstance(layer, (Sum, nnx.Dropout)) else layer(features)
        return features


def build(network: ZooNetwork, classes: int, *, rngs: nnx.Rngs) -> Stack:
    """A network with ``classes`` outputs; training begins with the weights of ``initial_arrays`` instead of its own."""
    return Stack(network.layers(classes), network.input_shape, rngs=rngs)


def initial_arrays(network: ZooNetwork, classes: int, seed: int) -> Arrays:
    """The arrays of an untrained network, drawn by NumPy: nothing is compiled, and JAX's version does not matter."""
    stack = nnx.eval_shape(lambda: build(network, classes, rngs=nnx.Rngs(0)))
    shapes = {_name(path): tuple(variable.shape) for path, variable in nnx.to_flat_state(nnx.state(stack))}
    generator = np.random.default_rng(seed)
    return {name: _first(name, shape, network, generator) for name, shape in sorted(shapes.items())}


def network_of(network: ZooNetwork, classes: int, arrays: Mapping[str, jax.Array] | Arrays) -> Stack:
    """Build a network of given arrays (they may be traced).

    Raises:
        ValueError: An array is missing, left over, or of another shape.
    """
    empty = nnx.eval_shape(lambda: build(network, classes, rngs=nnx.Rngs(0)))  # computes no first weights
    graph, state = nnx.split(empty)
    flat = dict(nnx.to_flat_state(state))
    shapes = {_name(path): tuple(variable.shape) for path, variable in flat.items()}
    found = {name: tuple(array.shape) for name, array in arrays.items()}
    wrong = sorted(name for name in shapes.keys() | found.keys() if shapes.get(name) != found.get(name))
    if wrong:
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        names = ", ".join(f"{name} {found.get(name)} for {shapes.get(name)}" for name in wrong[:_NAMED])
        raise ValueError(f"these are not the arrays of {network.name} for {classes} classes: {names}{more}")
    filled = ((path, variable.replace(jnp.asarray(arrays[_name(path)]))) for path, variable in flat.items())
    built: Stack = nnx.merge(graph, nnx.from_flat_state(filled))
    return built


def arrays_of(stack: Stack) -> dict[str, jax.Array]:
    """The arrays of a network, parameters and statistics, by name."""
    return {_name(path): variable[...] for path, variable in nnx.to_flat_state(nnx.state(stack))}


def is_statistic(name: str) -> bool:
    """Whether an array is a running statistic rather than a parameter."""
    return name.endswith((".mean", ".var"))


def is_kernel(name: str) -> bool:
    """Whether an array is multiplied with features, rather than added or a normalisation's."""
    return name.endswith(".kernel")


def _first(name: str, shape: Shape, network: ZooNetwork, generator: np.random.Generator) -> npt.NDArray[np.float32]:
    """First values of an array."""
    if not is_kernel(name):
        return np.full(shape, 1 if name.endswith((".scale", ".var")) else 0, np.float32)
    if network.kernel_deviation is not None:
        values = generator.standard_normal(shape)
        while (outside := np.abs(values) > 2).any():  # truncated at two deviations
            values[outside] = generator.standard_normal(int(outside.sum()))
        return (network.kernel_deviation * values).astype(np.float32)
    window = math.prod(shape[:2]) if len(shape) > 2 else 1
    inputs, outputs = shape[-2:] if len(shape) != 3 else (1, 1)  # a depthwise kernel joins one channel with itself
    limit = math.sqrt(6 / (window * (inputs + outputs)))
    return generator.uniform(-limit, limit, shape).astype(np.float32)


def _name(path: tuple[object, ...]) -> str:
    return ".".join(str(part) for part in path if part != "layers")


def _module(step: Step, rngs: nnx.Rngs) -> nnx.Module:
    inputs, outputs = step.inputs[-1], step.outputs[-1]
    match step.layer:
        case described.Conv(side=side, stride=stride, same=same, bias=bias):
            return nnx.Conv(
                inputs,
                outputs,
                (side, side),
                strides=stride,
                padding="SAME" if same else "VALID",
                use_bias=bias,
                rngs=rngs,
            )
        case described.Depthwise(side=side):
            return DepthwiseConv(inputs, side, rngs=rngs)
        case described.Norm():
            return nnx.BatchNorm(inputs, momentum=STATISTICS_MOMENTUM, epsilon=NORM_EPSILON, rngs=rngs)
        case described.Dense():
            return nnx.Linear(inputs, outputs, rngs=rngs)
        case described.Dropout(share=share):
            return nnx.Dropout(share)
        case described.Residual():
            return Sum(step.layer, step.inputs, rngs=rngs)
    return Stateless(step.layer)
