"""What a network needs of whatever computes it: the seam between its description and JAX, NumPy, PyTorch or ONNX.

Each network is described once, by a walk in its configuration that asks for one operation after the other. Each library
has a table of these operations. Walked with one of them a description computes; walked with a ``Tracer``, which knows
sizes only, it says which layers there are. Imports nothing that computes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple, Protocol, TypeVar

Value = TypeVar("Value")
"""Feature maps as a library has them: an array, a tensor, the name of a node."""

Answer_co = TypeVar("Answer_co", covariant=True)
"""What the heads give."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution that a walk asks for.

    Attributes:
        name: Prefix of its arrays.
        side: Of its kernel, odd; the border is padded with ``side // 2`` zeros.
        outputs: Channels out.
        stride: Between its outputs.
        normalised: Whether training normalises its output (which folding removes) instead of adding a bias.
    """

    name: str
    side: int
    outputs: int
    stride: int = 1
    normalised: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Convolution):
    """A convolution in its place.

    Attributes:
        inputs: Channels in.
        reduction: Pixels of the network's input from one of its outputs to the next.
    """

    inputs: int
    reduction: int


class Operations(Protocol[Value]):
    """What every network is made of."""

    def convolve(self, layer: Convolution, inputs: Value) -> Value:
        """Convolve, and normalise or add the bias."""

    def relu(self, inputs: Value) -> Value:
        """max(0, x)."""


class ExpressionOperations(Operations[Value], Protocol[Value, Answer_co]):
    """What the expression network is made of besides."""

    def halve(self, name: str, inputs: Value) -> Value:
        """Average 2x2 pixels."""

    def join(self, name: str, identity: Value, branch: Value) -> Value:
        """End a residual block: the rectified sum of its two paths."""

    def mean(self, inputs: Value) -> Value:
        """Of each channel, over all pixels."""

    def heads(self, features: Value) -> Answer_co:
        """The logits of both heads."""


class DetectorOperations(Operations[Value], Protocol[Value]):
    """What the face detector is made of besides."""

    def add(self, first: Value, second: Value) -> Value:
        """The sum of two maps of one size."""

    def spread(self, coarse: Value, like: Value) -> Value:
        """Each cell's channels over its four quarters, as many rows and columns of them as ``like`` has."""


class Maps(NamedTuple):
    """The size of some feature maps.

    Attributes:
        channels: How many.
        reduction: Pixels of the network's input from one of their cells to the next.
    """

    channels: int
    reduction: int = 1


class Tracer:
    """Operations on sizes alone.

    Attributes:
        layers: What was convolved with, in order.
    """

    def __init__(self) -> None:
        self.layers: list[Layer] = []

    def convolve(self, layer: Convolution, inputs: Maps) -> Maps:
        """Note the layer, and how large its output is."""
        made = Maps(layer.outputs, layer.stride * inputs.reduction)
        self.layers.append(Layer(**asdict(layer), inputs=inputs.channels, reduction=made.reduction))
        return made

    def relu(self, inputs: Maps) -> Maps:
        """The same size."""
        return inputs

    def halve(self, name: str, inputs: Maps) -> Maps:
        """Half the height and width."""
        return Maps(inputs.channels, 2 * inputs.reduction)

    def join(self, name: str, identity: Maps, branch: Maps) -> Maps:
        """The same size."""
        return self.add(identity, branch)

    def mean(self, inputs: Maps) -> Maps:
        """As many channels."""
        return inputs

    def heads(self, features: Maps) -> Maps:
        """What the heads are given."""
        return features

    def add(self, first: Maps, second: Maps) -> Maps:
        """The same size.

        Raises:
            ValueError: The two differ.
        """
        if first != second:
            raise ValueError(f"maps of {first} and of {second} cannot be added")
        return first

    def spread(self, coarse: Maps, like: Maps) -> Maps:
        """A quarter of the channels, twice the height and width."""
        return Maps(coarse.channels // 4, coarse.reduction // 2)
