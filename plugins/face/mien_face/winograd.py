"""3x3 convolutions of small maps by Winograd's minimal filtering, F(2x2, 3x3): 16 products in the place of 36.

A map is cut into tiles of 2x2 results, each made from 4x4 pixels. The tiles are transformed, multiplied channel by
channel with the transformed kernel, and transformed back. Cutting, padding and transforming a small map is linear in
its few pixels, so that all of it is one matrix for the way in and one for the way out: the convolution is three matrix
products and nothing else, which XLA compiles in no time and runs well.

Shapes: n pictures, h and w the map, t tiles, c channels in, o channels out.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import lax

LARGEST_MAP: Final = 6
"""Height up to which this is faster than XLA's own convolution: beyond it the two matrices, whose cost grows with the
square of the pixels, eat the gain."""

_TILE: Final = 2
"""Side of a tile's results."""

_WINDOW: Final = 4
"""Side of the pixels that they are made from."""

_KERNEL: Final = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
_IN: Final = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], np.float32)
_OUT: Final = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], np.float32)
"""The transforms of Lavin and Gray (2015) along one axis: of the kernel, of the pixels, and back."""


def is_worth_it(*, height: int, side: int, stride: int) -> bool:
    """Whether a convolution whose result has this height should be done here."""
    return side == 3 and stride == 1 and height <= LARGEST_MAP


def transform_kernel(kernel: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """[3, 3, c, o] -> [16, c, o]."""
    transformed = np.einsum("ap,bq,pqco->abco", _KERNEL, _KERNEL, kernel)
    return np.ascontiguousarray(transformed.reshape(_WINDOW * _WINDOW, *kernel.shape[2:]), np.float32)


def convolve(images: jax.Array, transformed: jax.Array) -> jax.Array:
    """Convolve with stride 1 and a border of zeros: [n, h, w, c] -> [n, h, w, o].

    Args:
        images: Maps of equal height and width.
        transformed: The kernel, as ``transform_kernel`` makes it.
    """
    count, height, width, channels = images.shape
    outputs = transformed.shape[-1]
    way_in, way_out = _matrices(height)
    pixels = images.transpose(1, 2, 0, 3).reshape(height * width, count * channels)
    tiles = (jnp.asarray(way_in) @ pixels).reshape(_WINDOW * _WINDOW, -1, channels)  # [16, t n, c]
    products = lax.dot_general(tiles, transformed, (((2,), (1,)), ((0,), (0,))))  # [16, t n, o]
    results = jnp.asarray(way_out) @ products.reshape(-1, count * outputs)  # [h w, n o]
    return results.reshape(height, width, count, outputs).transpose(2, 0, 1, 3)


@cache
def _matrices(side: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """All pixels of a map -> all transformed tiles, [16 t, h w], and products of these -> results, [h w, 16 t]."""
    tiles = -(-side // _TILE)
    way_in = np.zeros((_WINDOW, tiles, side), np.float32)
    way_out = np.zeros((side, _WINDOW, tiles), np.float32)
    for tile in range(tiles):
        first = tile * _TILE - 1  # a pixel outside the map is a zero of the border
        for position in range(max(first, 0), min(first + _WINDOW, side)):
            way_in[:, tile, position] = _IN[:, position - first]
        kept = min(_TILE, side - tile * _TILE)  # of a map of odd height the last tile has one row
        way_out[tile * _TILE : tile * _TILE + kept, :, tile] = _OUT[:kept]
    both_in = np.einsum("ary,bsx->abrsyx", way_in, way_in)
    both_out = np.einsum("yar,xbs->yxabrs", way_out, way_out)
    return both_in.reshape(-1, side * side), both_out.reshape(side * side, -1)
