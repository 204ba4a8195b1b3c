"""Runs a network through ONNX Runtime, in float32; needs ``mien[onnx]``."""

from __future__ import annotations

import os
from typing import Final

import numpy as np
import numpy.typing as npt

from mien import ExecutableNetwork, ExecutionBackend, MissingDependencyError
from mien_face.backends.onnx_model import INPUT, OUTPUT, channels_first

_ERRORS_ONLY: Final = 3
"""ONNX Runtime's log severity: its warnings are about hardware that it looked for and did not find."""

_NO_TELEMETRY: Final = ("ORT_DISABLE_TELEMETRY", "1")
"""Read when ONNX Runtime is imported. Without it, it gives the machine an id, writes that into the cache directory and
reports to its makers: nothing for a machine that watches customers."""


class OnnxRuntimeBackend(ExecutionBackend):
    """One session serves every batch size, and concurrent calls.

    Args:
        network: The network.

    Raises:
        MissingDependencyError: ONNX Runtime is not installed.
    """

    precision = "float32"

    def __init__(self, network: ExecutableNetwork) -> None:
        os.environ.setdefault(*_NO_TELEMETRY)
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingDependencyError(
                "the backend 'onnxruntime' needs ONNX Runtime: pip install 'mien[onnx]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        self._session = onnxruntime.InferenceSession(network.onnx(), options, providers=["CPUExecutionProvider"])

    def run(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The network's outputs, ``[n, outputs]``."""
        return np.asarray(self._session.run([OUTPUT], {INPUT: channels_first(inputs)})[0], np.float32)
