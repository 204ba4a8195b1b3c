"""Runs the expression network through ONNX Runtime, in float32; needs ``mien[onnx]``."""

from __future__ import annotations

import os
from typing import Final

import numpy as np
import numpy.typing as npt

from mien import MissingDependencyError
from mien_face.backends.onnx_model import INPUT, OUTPUT, onnx_model
from mien_face.config import Arrays, NetworkConfig

_ERRORS_ONLY: Final = 3
"""ONNX Runtime's log severity: its warnings are about hardware that it looked for and did not find."""

_NO_TELEMETRY: Final = ("ORT_DISABLE_TELEMETRY", "1")
"""Read when ONNX Runtime is imported. Without it, it gives the machine an id, writes that into the cache directory and
reports to its makers: nothing for a machine that watches customers."""


class OnnxRuntimeBackend:
    """One session serves every bucket, and concurrent calls.

    Args:
        config: The network.
        arrays: Its folded arrays, float32.

    Raises:
        MissingDependencyError: ONNX Runtime is not installed.
    """

    def __init__(self, config: NetworkConfig, arrays: Arrays) -> None:
        os.environ.setdefault(*_NO_TELEMETRY)
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingDependencyError(
                "the backend 'onnxruntime' needs ONNX Runtime: pip install 'mien[onnx]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        self._session = onnxruntime.InferenceSession(
            onnx_model(config, arrays), options, providers=["CPUExecutionProvider"]
        )

    def logits(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits of both heads side by side, [n, 7 + 8]."""
        count, height, width, channels = images.shape
        inputs = {INPUT: images.reshape(count, channels, height, width)}  # the same bytes: there is one channel
        return np.asarray(self._session.run([OUTPUT], inputs)[0], np.float32)

    def compile(self, count: int) -> None:
        """Nothing: the session takes any batch size."""
