"""Convolutions of small maps as one matrix product: every pixel's neighbours are gathered into a row.

Of a single picture this is faster than Winograd's filtering, whose transformed kernels are 1.8 times the numbers to
read, and than XLA's own convolution, which leaves the second core idle. Of several pictures it is not.

Shapes: n pictures, h and w the map, k the kernel's side, c channels in, o channels out.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

LARGEST_MAP: Final = 6
"""Height of the result up to which this pays; beyond it gathering takes longer than the product saves."""

LARGEST_BATCH: Final = 1
"""Pictures up to which it pays."""


def is_worth_it(*, count: int, height: int, side: int) -> bool:
    """Whether a convolution of so many pictures, whose result has this height, should be done here."""
    return count <= LARGEST_BATCH and height <= LARGEST_MAP and side > 1


def convolve(images: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Convolve with a border of zeros: [n, h, w, c] -> [n, h / stride, w / stride, o].

    Args:
        images: Maps of equal height and width.
        kernel: [k, k, c, o], k odd.
        stride: Of the kernel; divides h.
    """
    count, height, _, channels = images.shape
    side, outputs = kernel.shape[0], kernel.shape[-1]
    border = side // 2
    padded = jnp.pad(images, ((0, 0), (border, border), (border, border), (0, 0)))
    pixels = padded.reshape(count, -1, channels)
    neighbours = jnp.asarray(_neighbours(height, side, stride))
    rows = jnp.take(pixels, neighbours, axis=1, mode="clip").reshape(-1, side * side * channels)
    return (rows @ kernel.reshape(-1, outputs)).reshape(count, height // stride, height // stride, outputs)


@cache
def _neighbours(height: int, side: int, stride: int) -> npt.NDArray[np.int32]:
    """Positions in the padded map, row after row, of what each result is made from: [h / stride * w / stride * k k]."""
    first = np.arange(0, height, stride, dtype=np.int32)
    along = first[:, np.newaxis] + np.arange(side, dtype=np.int32)  # [h / stride, k]
    width = height + 2 * (side // 2)
    positions = along[:, np.newaxis, :, np.newaxis] * width + along[np.newaxis, :, np.newaxis, :]
    return positions.ravel().astype(np.int32)
