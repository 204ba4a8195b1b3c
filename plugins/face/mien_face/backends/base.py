"""The expression network as the execution backends get it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import ExecutableNetwork
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig

BUCKETS: Final = (1, 2, 4, 8, 16)
"""Batch sizes that are compiled, ascending."""


@dataclass(frozen=True, slots=True)
class ExpressionProgram(ExecutableNetwork):
    """The folded network: normalised crops [n, 48, 48, 1] in, logits of both heads side by side, [n, 7 + 8], out.

    Attributes:
        config: The network.
        arrays: Its folded arrays, float32.
    """

    config: NetworkConfig
    arrays: Arrays

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one crop."""
        return (INPUT_SIZE, INPUT_SIZE, 1)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The buckets."""
        return BUCKETS

    def onnx(self) -> bytes:
        """As an ONNX file."""
        from mien_face.backends.onnx_model import onnx_model

        return onnx_model(self.config, self.arrays)

    def traceable(self) -> tuple[Callable[[Any, Any], Any], Mapping[str, npt.NDArray[np.float32]]]:
        """As a function for JAX, with its arrays in the form that computes fastest."""
        from mien_face.forward import forward, prepare

        config = self.config
        return lambda arrays, images: forward(config, arrays, images), prepare(config, self.arrays)
