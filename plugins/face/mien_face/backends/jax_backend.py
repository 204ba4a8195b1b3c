"""Runs a network through XLA: the backend that is always there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mien import ExecutableNetwork, ExecutionBackend, start_jax
from mien_face.compiled import Programs

if TYPE_CHECKING:
    import jax


class JaxBackend(ExecutionBackend):
    """Compiles the network once for each batch size, when it is first needed."""

    precision = "float32"

    def __init__(self, network: ExecutableNetwork) -> None:
        import jax

        start_jax()
        self._function, arrays = network.traceable()
        self._input_shape = network.input_shape
        self._arrays: dict[str, jax.Array] = jax.device_put(arrays)  # or each call would copy them
        self._programs: Programs[int, jax.stages.Compiled] = Programs(self._compile)

    def run(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The network's outputs, ``[n, outputs]``."""
        return np.asarray(self._programs.get(len(inputs))(self._arrays, inputs), np.float32)

    def compile(self, count: int) -> None:
        """Compile for batches of ``count`` unless that is done."""
        self._programs.get(count)

    def _compile(self, count: int) -> jax.stages.Compiled:
        import jax

        inputs = np.zeros((count, *self._input_shape), np.float32)
        return jax.jit(self._function).lower(self._arrays, inputs).compile()
