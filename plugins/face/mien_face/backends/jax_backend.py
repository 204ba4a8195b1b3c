"""Runs the expression network through XLA: the backend that is always there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig

if TYPE_CHECKING:
    import jax


class JaxBackend:
    """Compiles the network once for each bucket, when it is first needed.

    Args:
        config: The network.
        arrays: Its folded arrays, float32.
    """

    def __init__(self, config: NetworkConfig, arrays: Arrays) -> None:
        import jax

        from mien_face.forward import prepare

        self._config = config
        self._arrays: dict[str, jax.Array] = jax.device_put(prepare(config, arrays))  # or each call would copy them
        self._compiled: dict[int, jax.stages.Compiled] = {}
        self._lock = threading.Lock()

    def logits(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits of both heads side by side, [n, 7 + 8]; n must be a bucket."""
        return np.asarray(self._executable(len(images))(self._arrays, images), np.float32)

    def compile(self, count: int) -> None:
        """Compile for batches of ``count`` unless that is done."""
        self._executable(count)

    def _executable(self, count: int) -> jax.stages.Compiled:
        with self._lock:
            if count not in self._compiled:
                self._compiled[count] = self._compile(count)
            return self._compiled[count]

    def _compile(self, count: int) -> jax.stages.Compiled:
        import jax

        from mien_face.forward import forward

        images = np.zeros((count, INPUT_SIZE, INPUT_SIZE, 1), np.float32)
        config = self._config
        return jax.jit(lambda arrays, images: forward(config, arrays, images)).lower(self._arrays, images).compile()
