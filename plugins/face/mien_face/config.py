"""The expression network: its sizes as plain data, and the one walk that says how it computes, in whatever library.

Training, export and inference all go by this; nothing is computed here. A network's arrays go by name: of each
convolution ``<layer>.kernel`` [height, width, in, out], ``.scale``, ``.bias`` and the running ``.mean`` and
``.variance``, folded only the kernel and ``.bias``; ``<head>.kernel`` [in, labels] and ``.bias``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mien_face.labels import HEAD_LABELS
from mien_face.operations import Answer_co, Convolution, ExpressionOperations, Layer, Maps, Tracer, Value

Arrays: TypeAlias = dict[str, npt.NDArray[np.float32]]
"""A network's arrays by name."""

INPUT_SIZE: Final = 48
"""Height and width of the network's input, pixels: the size of FER2013's pictures."""

STEM_KERNEL: Final = 5
"""Side of the first convolution, which also halves the picture."""

NORM_EPSILON: Final = 1e-5
"""Added to a variance before its square root is taken."""


@dataclass(frozen=True, slots=True)
class BlockShape:
    """One residual block.

    Attributes:
        name: Prefix of its arrays.
        inputs: Channels in.
        outputs: Channels out.
        stride: 1, or 2 where it halves the picture.
    """

    name: str
    inputs: int
    outputs: int
    stride: int

    @property
    def has_shortcut(self) -> bool:
        """Whether the identity needs a 1x1 convolution to fit the block's output."""
        return self.stride != 1 or self.inputs != self.outputs


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """What the network's constructor needs.

    Attributes:
        stem: Channels after the first convolution.
        widths: Channels of each stage; every stage after the first halves the picture.
        depths: Residual blocks of each stage.
        dropout: Share of the features dropped before the heads while training.

    Raises:
        ValueError: The stages do not match, a size is not positive, or the dropout is outside [0, 1).
    """

    stem: int = 32
    widths: tuple[int, ...] = (32, 80, 192)
    depths: tuple[int, ...] = (1, 1, 2)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.depths) or not self.widths:
            raise ValueError(f"widths {self.widths} and depths {self.depths} must name the same stages, at least one")
        if min(self.stem, *self.widths, *self.depths) < 1:
            raise ValueError(f"sizes must be at least 1, got stem {self.stem}, {self.widths}, {self.depths}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    def blocks(self) -> Iterator[BlockShape]:
        """The residual blocks in order."""
        inputs, number = self.stem, 0
        for stage, (width, depth) in enumerate(zip(self.widths, self.depths, strict=True)):
            for index in range(depth):
                yield BlockShape(f"blocks.{number}", inputs, width, 2 if stage > 0 and index == 0 else 1)
                inputs, number = width, number + 1

    def walk(self, operations: ExpressionOperations[Value, Answer_co], images: Value) -> Answer_co:
        """Run the network.

        Args:
            operations: What computes.
            images: Normalised crops, 48 x 48, as the operations take them.

        Returns:
            What the operations make of the heads' logits.
        """
        return operations.heads(self.features(operations, images))

    def features(self, operations: ExpressionOperations[Value, Answer_co], images: Value) -> Value:
        """Run the network up to what both heads look at: means over the last features."""
        convolve, relu = operations.convolve, operations.relu
        features = relu(convolve(Convolution("stem", STEM_KERNEL, self.stem, stride=2), images))
        for block in self.blocks():
            branch = relu(convolve(Convolution(f"{block.name}.first", 3, block.outputs, block.stride), features))
            branch = convolve(Convolution(f"{block.name}.second", 3, block.outputs), branch)
            if block.stride != 1:
                features = operations.halve(f"{block.name}.halved", features)
            if block.has_shortcut:
                features = convolve(Convolution(f"{block.name}.shortcut", 1, block.outputs), features)
            features = operations.join(block.name, features, branch)
        return operations.mean(features)

    def layers(self) -> tuple[Layer, ...]:
        """Every convolution, in the order in which they run."""
        tracer = Tracer()
        self.features(tracer, Maps(channels=1))
        return tuple(tracer.layers)

    def parameters(self) -> int:
        """Numbers in the folded network: kernels and biases, those of both heads among them."""
        convolutions = sum((layer.side**2 * layer.inputs + 1) * layer.outputs for layer in self.layers())
        return convolutions + sum((self.widths[-1] + 1) * len(labels) for labels in HEAD_LABELS.values())

    def operations(self) -> int:
        """Multiplications and additions of the convolutions for one face, counted apart."""
        return sum(
            2 * layer.side**2 * layer.inputs * layer.outputs * (INPUT_SIZE // layer.reduction) ** 2
            for layer in self.layers()
        )

    def to_json(self) -> dict[str, Any]:
        """As plain data, for a manifest."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NetworkConfig:
        """From a manifest's plain data.

        Raises:
            ValueError: A field is missing, unknown, or out of its range.
        """
        try:
            return cls(
                stem=int(data["stem"]),
                widths=tuple(int(width) for width in data["widths"]),
                depths=tuple(int(depth) for depth in data["depths"]),
                dropout=float(data["dropout"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a network configuration: {dict(data)!r}") from error
