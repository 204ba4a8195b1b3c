"""A depthwise convolution as nine shifted multiply-adds against XLA's own, forwards and with gradients.

    python benchmarks/depthwise.py [--repeats N]

Shows why ``mien_face_lab.zoo`` writes its depthwise layers out. Figures are medians of wall-clock time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from mien_face_lab.zoo.network import shifted_sum

SHAPES: Final = ((32, 24, 16), (32, 12, 32), (32, 24, 64))
"""Batch, height and width, channels: the first two are layers of ``mini_xception``."""


def library(features: jax.Array, kernel: jax.Array) -> jax.Array:
    """XLA's depthwise convolution."""
    return jax.lax.conv_general_dilated(
        features,
        kernel[:, :, None],
        (1, 1),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=features.shape[-1],
    )


def with_gradients(convolve: Callable[[jax.Array, jax.Array], jax.Array]) -> Callable[..., object]:
    """The convolution and the gradients by both of its inputs."""
    return jax.value_and_grad(lambda features, kernel: jnp.square(convolve(features, kernel)).sum(), argnums=(0, 1))


def milliseconds(action: Callable[..., object], features: jax.Array, kernel: jax.Array, repeats: int) -> float:
    """Median time of a compiled call, after one that does not count."""
    compiled = jax.jit(action)
    jax.block_until_ready(compiled(features, kernel))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(compiled(features, kernel))
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    table = Table("batch x side x side x channels", "what", "XLA's, ms", "shifted, ms", "gain")
    generator = np.random.default_rng(0)
    for batch, side, channels in SHAPES:
        features = jnp.asarray(generator.standard_normal((batch, side, side, channels)), jnp.float32)
        kernel = jnp.asarray(generator.standard_normal((3, 3, channels)), jnp.float32)
        for what, wrap in (("forwards", lambda convolve: convolve), ("with gradients", with_gradients)):
            slow, fast = (milliseconds(wrap(each), features, kernel, repeats) for each in (library, shifted_sum))
            shape = f"{batch} x {side} x {side} x {channels}"
            table.add_row(shape, what, f"{slow:.2f}", f"{fast:.2f}", f"{slow / fast:.0f} times")
    console = Console()
    console.print(f"jax {jax.__version__} on {jax.default_backend()}, {os.cpu_count()} cores, median of {repeats}")
    console.print(table)


if __name__ == "__main__":
    main()
