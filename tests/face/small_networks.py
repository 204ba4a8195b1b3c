"""A small network with made-up weights, and what it answers, for tests that turn one network into another."""

from __future__ import annotations

import numpy as np

from mien_face.config import Arrays, NetworkConfig
from mien_face.labels import Head
from mien_face_lab.training.jax_engine import JaxEngine
from mien_face_lab.training.recipe import Recipe
from mien_face_lab.training.state import initial_arrays

SMALL = NetworkConfig(stem=3, widths=(4, 6), depths=(1, 1), dropout=0.0)


def trained(config: NetworkConfig) -> Arrays:
    """Arrays of which none is at its first value, as after training."""
    generator = np.random.default_rng(1)
    return {
        name: np.abs(array + generator.normal(0.2, 0.1, array.shape)).astype(np.float32)
        if name.endswith((".scale", ".variance"))
        else (array + generator.normal(0, 0.1, array.shape)).astype(np.float32)
        for name, array in initial_arrays(config, 0).items()
    }


def logits(config: NetworkConfig, arrays: Arrays) -> dict[Head, np.ndarray]:
    faces = np.random.default_rng(2).standard_normal((5, 48, 48, 1)).astype(np.float32)
    return JaxEngine(config, Recipe(batch_size=8)).logits(arrays, faces)
