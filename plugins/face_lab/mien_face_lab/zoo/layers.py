"""The layers that networks of the zoo are described with: plain data, no arithmetic but that of shapes and costs.

A description is a tuple of layers. ``trace`` walks it and says what each layer makes of its input, so that parameters
and operations can be counted, and networks built, by the same walk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]
"""Of one face without the batch: ``(height, width, channels)`` or ``(features,)``."""


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution over all channels.

    Attributes:
        channels: Out.
        side: Of the kernel.
        stride: In both directions.
        same: Whether the border is padded, so that only the stride makes the picture smaller.
        bias: Whether a number is added for each channel.
    """

    channels: int
    side: int = 3
    stride: int = 1
    same: bool = True
    bias: bool = True


@dataclass(frozen=True, slots=True)
class Depthwise:
    """A convolution within each channel, stride 1, padded, without bias."""

    side: int = 3


@dataclass(frozen=True, slots=True)
class Norm:
    """Batch normalisation with scale and offset."""


@dataclass(frozen=True, slots=True)
class Relu:
    """max(0, x)."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The largest of each window."""

    side: int = 2
    stride: int = 2
    same: bool = False


@dataclass(frozen=True, slots=True)
class Dropout:
    """Sets a share of the features to 0 while training, and enlarges the others to make up for it."""

    share: float


@dataclass(frozen=True, slots=True)
class Flatten:
    """A picture's numbers in one row."""


@dataclass(frozen=True, slots=True)
class GlobalMean:
    """The mean of each channel."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Every feature with every other."""

    units: int


@dataclass(frozen=True, slots=True)
class Residual:
    """Two paths from the same input, added."""

    branch: tuple[Layer, ...]
    shortcut: tuple[Layer, ...]


Layer: TypeAlias = Conv | Depthwise | Norm | Relu | Pool | Dropout | Flatten | GlobalMean | Dense | Residual


@dataclass(frozen=True, slots=True)
class Step:
    """What a layer does to its input.

    Attributes:
        layer: The layer.
        inputs: Shape in.
        outputs: Shape out.
    """

    layer: Layer
    inputs: Shape
    outputs: Shape


def trace(layers: tuple[Layer, ...], shape: Shape) -> Iterator[Step]:
    """Walk a description; a residual layer is one step.

    Raises:
        ValueError: A layer's input has the wrong number of axes, or the two paths of a residual end differently.
    """
    for layer in layers:
        outputs = output_shape(layer, shape)
        yield Step(layer, shape, outputs)
        shape = outputs


def end_shape(layers: tuple[Layer, ...], shape: Shape) -> Shape:
    """What comes out of a description."""
    for step in trace(layers, shape):
        shape = step.outputs
    return shape


def output_shape(layer: Layer, shape: Shape) -> Shape:
    """What a layer makes of an input's shape."""
    match layer:
        case Norm() | Relu() | Dropout():
            return shape
        case Flatten():
            return (math.prod(shape),)
        case Dense(units=units):
            (_,) = shape
            return (units,)
        case Residual(branch=branch, shortcut=shortcut):
            ends = end_shape(branch, shape), end_shape(shortcut, shape)
            if ends[0] != ends[1]:
                raise ValueError(f"the paths of a residual end differently: {ends[0]} and {ends[1]}")
            return ends[0]
    height, width, channels = shape
    match layer:
        case GlobalMean():
            return (channels,)
        case Depthwise():
            return shape
        case Pool(side=side, stride=stride, same=same):
            return (_reduced(height, side, stride, same), _reduced(width, side, stride, same), channels)
        case Conv(channels=outputs, side=side, stride=stride, same=same):
            return (_reduced(height, side, stride, same), _reduced(width, side, stride, same), outputs)


def count_parameters(layers: tuple[Layer, ...], shape: Shape) -> tuple[int, int]:
    """Numbers in a network's arrays.

    Returns:
        All of them, and how many of these are running statistics, which are not trained.
    """
    total = statistics = 0
    for step in trace(layers, shape):
        inputs, outputs = step.inputs[-1], step.outputs[-1]
        match step.layer:
            case Conv(side=side, bias=bias):
                total += side * side * inputs * outputs + (outputs if bias else 0)
            case Depthwise(side=side):
                total += side * side * outputs
            case Norm():
                total, statistics = total + 4 * outputs, statistics + 2 * outputs
            case Dense():
                total += inputs * outputs + outputs
            case Residual(branch=branch, shortcut=shortcut):
                for path in (branch, shortcut):
                    own, own_statistics = count_parameters(path, step.inputs)
                    total, statistics = total + own, statistics + own_statistics
    return total, statistics


def count_operations(layers: tuple[Layer, ...], shape: Shape) -> int:
    """Multiplications and additions of convolutions and dense layers for one face, counted apart (FLOPs)."""
    products = 0
    for step in trace(layers, shape):
        match step.layer:
            case Conv(side=side):
                products += math.prod(step.outputs) * side * side * step.inputs[-1]
            case Depthwise(side=side):
                products += math.prod(step.outputs) * side * side
            case Dense(units=units):
                products += units * step.inputs[-1]
            case Residual(branch=branch, shortcut=shortcut):
                products += sum(count_operations(path, step.inputs) for path in (branch, shortcut)) // 2
    return 2 * products


def _reduced(side: int, kernel: int, stride: int, same: bool) -> int:
    return -(-side // stride) if same else (side - kernel) // stride + 1
