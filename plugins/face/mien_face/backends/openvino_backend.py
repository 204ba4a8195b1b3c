"""Runs a network through OpenVINO; needs ``mien[openvino]``.

It computes in bfloat16 where it is told to: that pays on processors that have it (AMX or AVX512-BF16, by OpenVINO's
own account), and moves probabilities by up to a hundredth.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from mien import ExecutableNetwork, ExecutionBackend, MissingDependencyError
from mien_face.backends.onnx_model import channels_first

if TYPE_CHECKING:
    import openvino

_DEVICE: Final = "CPU"


class OpenVinoBackend(ExecutionBackend):
    """Compiles the network once for each batch size, when it is first needed: a fixed size is faster than an open one.

    Args:
        network: The network.
        bfloat16: Whether to compute in bfloat16 instead of float32; for processors that have it.

    Raises:
        MissingDependencyError: OpenVINO is not installed.
    """

    def __init__(self, network: ExecutableNetwork, *, bfloat16: bool = False) -> None:
        self._core = _core()
        self._model = network.onnx()
        self._input_shape = network.input_shape
        self._hint = "bf16" if bfloat16 else "f32"
        self._requests: dict[int, openvino.InferRequest] = {}
        self._lock = threading.Lock()

    @property
    def precision(self) -> str:
        """What it was told to compute in."""
        return "bfloat16" if self._hint == "bf16" else "float32"

    def run(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The network's outputs, ``[n, outputs]``."""
        count = len(inputs)
        inputs = channels_first(inputs)
        with self._lock:  # a request runs one call at a time, and one call keeps all cores busy
            results = self._request(count).infer([inputs], share_inputs=True)
            return np.array(results[0], np.float32)

    def compile(self, count: int) -> None:
        """Compile for batches of ``count`` unless that is done."""
        with self._lock:
            self._request(count)

    def _request(self, count: int) -> openvino.InferRequest:
        if count not in self._requests:
            model = self._core.read_model(self._model)
            height, width, channels = self._input_shape
            model.reshape([count, channels, height, width])
            settings = {"INFERENCE_PRECISION_HINT": self._hint, "PERFORMANCE_HINT": "LATENCY"}
            self._requests[count] = self._core.compile_model(model, _DEVICE, settings).create_infer_request()
        return self._requests[count]


def has_bfloat16() -> bool:
    """Whether OpenVINO computes in bfloat16 on this processor.

    Raises:
        MissingDependencyError: OpenVINO is not installed.
    """
    return "BF16" in _core().get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")


def _core() -> openvino.Core:
    try:
        with _without_telemetry():
            import openvino
    except ImportError as error:
        raise MissingDependencyError("the backend 'openvino' needs OpenVINO: pip install 'mien[openvino]'") from error
    return openvino.Core()


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Keep OpenVINO from reporting to its makers, as it does when it is imported.

    It would fork a process, write a client's id into the home directory and send that off: nothing for a machine that
    watches customers. Where its package for that is not to be had, OpenVINO goes without; so it is hidden meanwhile.
    """
    name = "openvino_telemetry"
    missing = object()
    before = sys.modules.get(name, missing)
    sys.modules[name] = None  # type: ignore[assignment]  # how Python is told that an import has to fail
    try:
        yield
    finally:
        if before is missing:
            del sys.modules[name]
        else:
            sys.modules[name] = before  # type: ignore[assignment]
