"""Execution backends: the runtimes that compute a plugin's network. The face plugin's network is run by one.

Whoever has a network describes it once as an ``ExecutableNetwork``; a backend takes the description that suits its
runtime, and answers what every other backend answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt


class Precision(StrEnum):
    """What a network is computed in; ``AUTO`` is bfloat16 where backend and processor have it, else float32."""

    AUTO = "auto"
    FLOAT32 = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendInfo:
    """What is known of an execution backend before its runtime is imported."""

    version: str
    description: str = ""


class ExecutableNetwork(ABC):
    """A network with its weights: one array of inputs, one array of outputs, a batch at a time."""

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """Of one input, without the batch: ``(height, width, channels)``."""

    @property
    @abstractmethod
    def batch_sizes(self) -> tuple[int, ...]:
        """The batch sizes that will be asked for, ascending."""

    @abstractmethod
    def onnx(self) -> bytes:
        """As an ONNX file, its batch size open.

        It takes ``images`` float32 ``[n, channels, height, width]`` and gives ``logits`` float32 ``[n, outputs]``.
        """

    @abstractmethod
    def traceable(self) -> tuple[Callable[[Any, Any], Any], Mapping[str, npt.NDArray[np.float32]]]:
        """As a pure function that JAX can trace, ``(arrays, inputs) -> outputs``, and its arrays.

        The inputs are float32 ``[n, *input_shape]``.
        """


class ExecutionBackend(ABC):
    """Runs one network. Deterministic, and safe to call from several threads."""

    @property
    @abstractmethod
    def precision(self) -> str:
        """What it computes in: ``float32`` or ``bfloat16``. It decides how close its answers must be."""

    @abstractmethod
    def run(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The network's outputs, ``[n, outputs]``, for float32 ``[n, *input_shape]``; n is one of the batch sizes."""

    def compile(self, count: int) -> None:
        """Make ready for batches of ``count``, one of the batch sizes. May be called twice."""
        return
