"""How fast each backend runs the expression network, how soon it answers in a fresh process, and with how much memory.

    python benchmarks/face_network.py [--rounds N] [--json FILE|-] [--faces PARQUET]

All installed backends are timed in one process, in turns, on the shipped network and on one of twice its width with
random weights. A block of calls follows a pause and two calls that do not count, so that one runtime's idle threads do
not slow the next. Figures are milliseconds a face: the median, the 95th percentile and the least of the wall-clock time,
and the median CPU time of all threads, which other programs disturb less; on a busy machine the least is nearest to
what the machine can do. Nothing here fails for being slow, and nothing of it is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import MissingDependencyError
from mien_face.backends.base import BUCKETS, Backend
from mien_face.backends.choice import build_backend
from mien_face.backends.names import BackendName, Precision
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig
from mien_face.inference import ExpressionNetwork, load_folded
from mien_face.labels import HEAD_LABELS
from mien_face.plugin import MANIFEST

BATCHES: Final = (1, 4, 16)
CALLS: Final = 5
"""Timed calls of a block."""

PAUSE: Final = 0.02
"""Seconds before a block: longer than any of the runtimes lets idle threads spin."""

STARTS: Final = 5
"""Fresh processes of each backend."""

SAMPLE: Final = 512
"""Random crops on which backends are compared where no faces are given."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contender:
    """A backend in one precision."""

    name: BackendName
    precision: Precision
    label: str


@dataclass(slots=True)
class Times:
    """Milliseconds a face of every timed call."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def contenders() -> list[Contender]:
    """What is installed, JAX first."""
    found = [Contender(BackendName.JAX, Precision.FLOAT32, "jax")]
    try:
        from mien_face.backends.openvino_backend import has_bfloat16

        found.append(Contender(BackendName.OPENVINO, Precision.FLOAT32, "openvino"))
        if has_bfloat16():
            found.append(Contender(BackendName.OPENVINO, Precision.AUTO, "openvino bfloat16"))
    except MissingDependencyError:
        found.pop() if len(found) > 1 else None
    return found


def flops(config: NetworkConfig) -> float:
    """Millions of floating-point operations a face; a multiplication and an addition are two."""
    side, total = INPUT_SIZE // 2, 2.0 * (INPUT_SIZE // 2) ** 2 * 25 * config.stem
    for block in config.blocks():
        side //= block.stride
        shortcut = block.inputs * block.outputs if block.has_shortcut else 0
        total += 2.0 * side**2 * (9 * block.outputs * (block.inputs + block.outputs) + shortcut)
    return total / 1e6


def random_arrays(config: NetworkConfig) -> Arrays:
    """Folded arrays of a network that keeps its values' size from layer to layer."""
    generator = np.random.default_rng(0)
    arrays: Arrays = {}
    for name, side, inputs, outputs in config.convolutions():
        spread = np.sqrt(1.0 / (side * side * inputs))
        arrays[f"{name}.kernel"] = generator.normal(0, spread, (side, side, inputs, outputs)).astype(np.float32)
        arrays[f"{name}.bias"] = np.zeros(outputs, np.float32)
    for head, labels in HEAD_LABELS.items():
        arrays[f"{head}.kernel"] = generator.normal(0, 0.2, (config.widths[-1], len(labels))).astype(np.float32)
        arrays[f"{head}.bias"] = np.zeros(len(labels), np.float32)
    return arrays
