"""A network small enough to know its answers by heart, in both forms that a backend may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien.interfaces import ExecutableNetwork

Floats = npt.NDArray[np.float32]

_SHAPE: Final = (6, 5, 1)
_OUTPUTS: Final = 4
_FLOAT: Final = 1  # ONNX's number for float32
_INT_ATTRIBUTE: Final = 2
_OPSET: Final = 17
_IR_VERSION: Final = 8


class LinearNetwork(ExecutableNetwork):
    """``outputs = inputs x weights + bias`` over flattened pictures of 6 x 5 with one channel."""

    def __init__(self, *, seed: int = 3) -> None:
        """Draw the weights."""
        random = np.random.default_rng(seed)
        self.weights: Floats = random.standard_normal((int(np.prod(_SHAPE)), _OUTPUTS)).astype(np.float32)
        self.bias: Floats = random.standard_normal(_OUTPUTS).astype(np.float32)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(6, 5, 1)``."""
        return _SHAPE

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """Up to eight."""
        return (1, 2, 4, 8)

    def outputs(self, inputs: Floats) -> Floats:
        """What every backend has to answer, ``[n, 4]``."""
        return inputs.reshape(len(inputs), -1) @ self.weights + self.bias

    def onnx(self) -> bytes:
        """Flatten, MatMul and Add, as an ONNX file with an open batch size."""
        nodes = (
            _node(
                "Flatten", "flat", "images", attribute=_text(1, "axis") + _number(3, 1) + _number(20, _INT_ATTRIBUTE)
            ),
            _node("MatMul", "product", "flat", "weights"),
            _node("Add", "logits", "product", "bias"),
        )
        height, width, channels = _SHAPE
        graph = b"".join(
            [
                *(_block(1, node) for node in nodes),
                _text(2, "mien-testing"),
                _block(5, _tensor("weights", self.weights)),
                _block(5, _tensor("bias", self.bias)),
                _block(11, _value("images", (channels, height, width))),
                _block(12, _value("logits", (_OUTPUTS,))),
            ]
        )
        return b"".join(
            [
                _number(1, _IR_VERSION),
                _text(2, "mien"),
                _block(7, graph),
                _block(8, _text(1, "") + _number(2, _OPSET)),
            ]
        )

    def traceable(self) -> tuple[Callable[[Any, Any], Any], Mapping[str, Floats]]:
        """The same as a function of arrays, numpy's or JAX's."""
        return _linear, {"weights": self.weights, "bias": self.bias}


def _linear(arrays: Any, inputs: Any) -> Any:
    return inputs.reshape(inputs.shape[0], -1) @ arrays["weights"] + arrays["bias"]


# The few parts of protobuf's wire format that an ONNX file takes.


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _block(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, value: str) -> bytes:
    return _block(field, value.encode())


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _node(operator: str, output: str, *inputs: str, attribute: bytes = b"") -> bytes:
    names = [_text(1, name) for name in inputs]
    settings = [_block(5, attribute)] if attribute else []
    return b"".join([*names, _text(2, output), _text(3, output), _text(4, operator), *settings])


def _tensor(name: str, array: Floats) -> bytes:
    sizes = _block(1, b"".join(_varint(size) for size in array.shape))
    return sizes + _number(2, _FLOAT) + _text(8, name) + _block(9, np.ascontiguousarray(array, "<f4").tobytes())


def _value(name: str, sizes: tuple[int, ...]) -> bytes:
    axes = [_block(1, _text(2, "n")), *(_block(1, _number(1, size)) for size in sizes)]
    return _text(1, name) + _block(2, _block(1, _number(1, _FLOAT) + _block(2, b"".join(axes))))
