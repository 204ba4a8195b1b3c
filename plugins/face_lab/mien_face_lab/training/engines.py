"""What can compute a training run, and what is said where it is not installed. Imports neither JAX nor PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from mien import MissingDependencyError


class EngineName(StrEnum):
    """What computes a training run."""

    JAX = "jax"
    TORCH = "torch"


@contextmanager
def imported_for(engine: EngineName) -> Iterator[None]:
    """Import an engine's modules inside of this.

    Raises:
        MissingDependencyError: A package that they need is not installed.
    """
    try:
        yield
    except ImportError as error:
        if engine is EngineName.TORCH:
            message = "--engine torch needs PyTorch: pip install torch, or use --engine jax"
        else:
            message = "training needs Flax and Optax: pip install 'mien[train]'"
        raise MissingDependencyError(message) from error
