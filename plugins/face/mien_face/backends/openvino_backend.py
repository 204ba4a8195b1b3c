"""Runs the expression network through OpenVINO; needs ``mien[openvino]``.

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

from mien import MissingDependencyError
from mien_face.backends.onnx_model import onnx_model
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig

if TYPE_CHECKING:
    import openvino

_DEVICE: Final = "CPU"


class OpenVinoBackend:
    """Compiles the network once for each bucket, when it is first needed: a fixed size is faster than an open one.

    Args:
        config: The network.
        arrays: Its folded arrays, float32.
        bfloat16: Whether to compute in bfloat16 instead of float32; for processors that have it.

    Raises:
        MissingDependencyError: OpenVINO is not installed.
    """

    def __init__(self, config: NetworkConfig, arrays: Arrays, *, bfloat16: bool = False) -> None:
        self._core = _core()
        self._model = onnx_model(config, arrays)
        self._hint = "bf16" if bfloat16 else "f32"
        self._requests: dict[int, openvino.InferRequest] = {}
        self._lock = threading.Lock()

    def logits(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits of both heads side by side, [n, 7 + 8]; n must be a bucket."""
        count, height, width, channels = images.shape
        inputs = np.ascontiguousarray(images).reshape(count, channels, height, width)  # the same bytes: one channel
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
            model.reshape([count, 1, INPUT_SIZE, INPUT_SIZE])
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
