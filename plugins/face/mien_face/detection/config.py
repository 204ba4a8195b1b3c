"""The face detector's network: its sizes as plain data, and the one walk that says how it computes, in any library.

Training, export and inference all go by this; nothing is computed here. A picture becomes a pyramid of feature maps,
each cell of which answers for a face around it ("cell" where others say anchor point). The network's arrays go by name:
``<layer>.kernel`` [height, width, in, out] and ``.bias``; before folding also ``.scale`` and the running ``.mean`` and
``.variance`` where a layer is normalised.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from mien_face.operations import Convolution, DetectorOperations, Layer, Maps, Tracer, Value

NETWORK_NAME: Final = "mien-face-detector"
"""What a manifest calls this network."""

STRIDES: Final = (8, 16, 32)
"""Pixels from cell to cell on each level of the pyramid, finest first."""

SIZE_MULTIPLE: Final = 16
"""Height and width of the network's input are multiples of this; so that 320x240 needs no border."""

PADDING_VALUE: Final = 127
"""Grey level of a border around a picture that does not fill the input: what the network's own borders look like."""

LANDMARKS: Final = 5
"""Right eye, left eye, nose, right and left mouth corner."""

OUTPUTS: Final = 1 + 4 + 2 * LANDMARKS
"""Numbers a cell answers with: score, box centre (x, y), logarithm of the box's width and height, landmarks (x, y)."""

UNIT: Final = 4
"""A level's unit of length for boxes and landmarks, in its strides: about the size of a face that it answers for."""

_STEM_KERNEL: Final = 5
_STEM_STRIDE: Final = 4


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """What the network's constructor needs.

    Attributes:
        stem: Channels after the first convolution, which has a stride of 4.
        widths: Channels of each stage; each begins by halving the picture, to strides of 8, 16 and 32.
        depths: Bottleneck blocks of each stage.
        bottleneck: Channels inside a block.
        heads: Channels of each level of the pyramid, finest first.
        long_side: Longer side, in pixels, that pictures are brought to unless a caller says otherwise.

    Raises:
        ValueError: There are not three stages, or a size is not positive.
    """

    stem: int = 16
    widths: tuple[int, ...] = (32, 64, 128)
    depths: tuple[int, ...] = (1, 3, 3)
    bottleneck: int = 32
    heads: tuple[int, ...] = (24, 32, 64)
    long_side: int = 320

    def __post_init__(self) -> None:
        if not len(self.widths) == len(self.depths) == len(self.heads) == len(STRIDES):
            raise ValueError(
                f"widths {self.widths}, depths {self.depths} and heads {self.heads} must name three stages"
            )
        if min(self.stem, self.bottleneck, *self.widths, *self.heads) < 1 or min(self.depths) < 0:
            raise ValueError(f"sizes must be positive, got {asdict(self)}")
        if self.long_side < SIZE_MULTIPLE or self.long_side % SIZE_MULTIPLE:
            raise ValueError(f"long_side must be a positive multiple of {SIZE_MULTIPLE}, got {self.long_side}")

    def walk(self, operations: DetectorOperations[Value], pictures: Value) -> list[Value]:
        """Run the network.

        Args:
            operations: What computes.
            pictures: In RGB, grey levels brought to about [-1, 1], as the operations take them.

        Returns:
            What the cells of each level answer, ``OUTPUTS`` channels, finest level first.
        """
        convolve, relu = operations.convolve, operations.relu
        features = relu(convolve(Convolution("stem", _STEM_KERNEL, self.stem, _STEM_STRIDE), pictures))
        stages = []
        for stage, (width, depth) in enumerate(zip(self.widths, self.depths, strict=True)):
            features = relu(convolve(Convolution(f"stages.{stage}.down", 3, width, stride=2), features))
            for block in range(depth):
                prefix = f"stages.{stage}.blocks.{block}"
                inside = relu(convolve(Convolution(f"{prefix}.reduce", 1, self.bottleneck), features))
                inside = relu(convolve(Convolution(f"{prefix}.mix", 3, self.bottleneck), inside))
                features = relu(operations.add(features, convolve(Convolution(f"{prefix}.expand", 1, width), inside)))
            stages.append(features)
        answers: list[Value] = []
        above: Value | None = None
        for level, features in reversed(list(enumerate(stages))):
            width = self.heads[level]
            merged = convolve(Convolution(f"levels.{level}.lateral", 1, width), features)
            if above is not None:  # four outputs for each cell of the coarser level, one a quarter
                coarse = convolve(Convolution(f"levels.{level}.above", 1, 4 * width), above)
                merged = operations.add(merged, operations.spread(coarse, merged))
            above = relu(merged)
            mixed = relu(convolve(Convolution(f"levels.{level}.mix", 3, width), above))
            answers.insert(0, convolve(Convolution(f"levels.{level}.answer", 1, OUTPUTS, normalised=False), mixed))
        return answers

    def layers(self) -> tuple[Layer, ...]:
        """Every convolution, in the order in which they run."""
        tracer = Tracer()
        self.walk(tracer, Maps(channels=3))
        return tuple(tracer.layers)

    def grids(self, height: int, width: int) -> tuple[tuple[int, int], ...]:
        """Rows and columns of cells on each level, for an input of a height and width in pixels.

        Raises:
            ValueError: They are not positive multiples of ``SIZE_MULTIPLE``.
        """
        if min(height, width) < SIZE_MULTIPLE or height % SIZE_MULTIPLE or width % SIZE_MULTIPLE:
            raise ValueError(f"height and width must be positive multiples of {SIZE_MULTIPLE}, got {height}x{width}")
        return tuple((math.ceil(height / stride), math.ceil(width / stride)) for stride in STRIDES)

    def flops(self, height: int, width: int) -> int:
        """Multiplications and additions, counted apart, of all convolutions for one picture."""
        return sum(
            2 * layer.side**2 * layer.inputs * layer.outputs
            * math.ceil(height / layer.reduction) * math.ceil(width / layer.reduction)
            for layer in self.layers()
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """As plain data, for a manifest."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DetectorConfig:
        """From a manifest's plain data.

        Raises:
            ValueError: A field is missing, unknown, or out of its range.
        """
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError(f"not a detector's configuration: {dict(data)!r}") from error
