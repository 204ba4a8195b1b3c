"""The folded detector as a pure JAX function: what inference compiles. How it is trained is elsewhere.

Shapes: n pictures, h height, w width, a cells of all levels (finest level first, each row by row), c channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from mien_face.detection.config import LANDMARKS, STRIDES, UNIT, DetectorConfig
from mien_face.forward import convolution
from mien_face.operations import Convolution

LARGEST_LOG_SIZE = 4.0
"""Boxes are at most e^4 = 55 units large: keeps an untrained network's answers finite."""


class DetectorOutput(NamedTuple):
    """What every cell answers.

    Attributes:
        scores: Logits, [n, a]; their sigmoid is the score.
        boxes: Left, top, right, bottom in pixels of the network's input, [n, a, 4]; they may reach over its border.
        landmarks: Right eye, left eye, nose, right and left mouth corner (x, y) in the same pixels, [n, a, 5, 2].
    """

    scores: jax.Array
    boxes: jax.Array
    landmarks: jax.Array


def forward(config: DetectorConfig, arrays: Mapping[str, jax.Array], images: jax.Array) -> DetectorOutput:
    """Run the folded network.

    Args:
        config: The network.
        arrays: Folded: a kernel and a bias for each of the configuration's layers.
        images: RGB, uint8 or float32 in [0, 255], [n, h, w, 3]; h and w multiples of ``SIZE_MULTIPLE``.

    Returns:
        The answers of all cells.

    Raises:
        ValueError: Height or width is not a multiple of ``SIZE_MULTIPLE``.
    """
    config.grids(*images.shape[1:3])
    return decode(config.walk(_Folded(arrays), normalise(images)))


@dataclass(frozen=True, slots=True)
class _Folded:
    """The operations."""

    arrays: Mapping[str, jax.Array]

    def convolve(self, layer: Convolution, inputs: jax.Array) -> jax.Array:
        outputs = convolution(inputs, self.arrays[f"{layer.name}.kernel"], layer.stride)
        return outputs + self.arrays[f"{layer.name}.bias"]

    def relu(self, inputs: jax.Array) -> jax.Array:
        return jax.nn.relu(inputs)

    def add(self, first: jax.Array, second: jax.Array) -> jax.Array:
        return first + second

    def spread(self, coarse: jax.Array, like: jax.Array) -> jax.Array:
        return quarters(coarse, *like.shape[1:3])


def normalise(images: jax.Array) -> jax.Array:
    """Bring grey levels of [0, 255] to about [-1, 1]."""
    return images.astype(jnp.float32) / 127.5 - 1


def quarters(cells: jax.Array, rows: int, columns: int) -> jax.Array:
    """Spread each cell's channels over its four quarters: [n, r, s, 4 c] -> [n, rows, columns, c].

    The sub-pixel convolution of Shi et al. 2016; what reaches over an odd number of rows or columns is dropped.
    """
    count, height, width, channels = cells.shape
    split = cells.reshape(count, height, width, 2, 2, channels // 4).transpose(0, 1, 3, 2, 4, 5)
    return split.reshape(count, 2 * height, 2 * width, channels // 4)[:, :rows, :columns]


def decode(answers: Sequence[jax.Array]) -> DetectorOutput:
    """Turn the levels' raw answers, finest first, each [n, rows, columns, 15], into boxes and landmarks in pixels."""
    centres, units = cells([(answer.shape[1], answer.shape[2]) for answer in answers])
    count = answers[0].shape[0]
    flat = jnp.concatenate([answer.reshape(count, -1, answer.shape[-1]) for answer in answers], axis=1)  # [n, a, 15]
    middles = centres + flat[..., 1:3] * units
    halves = jnp.exp(jnp.minimum(flat[..., 3:5], LARGEST_LOG_SIZE)) * units / 2
    points = flat[..., 5:].reshape(count, -1, LANDMARKS, 2)
    return DetectorOutput(
        scores=flat[..., 0],
        boxes=jnp.concatenate([middles - halves, middles + halves], axis=-1),
        landmarks=points * units[:, None] + centres[:, None],
    )


def cells(grids: Sequence[tuple[int, int]]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Where cells are and how they measure.

    Args:
        grids: Rows and columns of each level, finest first.

    Returns:
        Centres (x, y) in pixels, [a, 2]; units of length in pixels, [a, 1].
    """
    centres, units = [], []
    for (rows, columns), stride in zip(grids, STRIDES, strict=True):
        y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
        centres.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
        units.append(np.full((rows * columns, 1), UNIT * stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(units).astype(np.float32)
