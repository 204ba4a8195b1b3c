"""Writes the folded network as an ONNX model, for the runtimes that read one and for ``mien export face``.

The model is made from the weights each time it is wanted and is no second source of truth. It is written here and not
with the ``onnx`` package: seven operators take less code than that dependency would take disk.

Axes in ONNX are [n, channels, height, width]; the network's one input channel makes that the same bytes as ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from mien import Manifest
from mien_face.backends import wire
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig
from mien_face.labels import HEAD_LABELS, Head
from mien_face.operations import Convolution

INPUT: Final = "images"
"""Normalised crops, float32 [n, 1, 48, 48]."""

OUTPUT: Final = "logits"
"""Of both heads side by side, float32 [n, 7 + 8]."""

OPSET: Final = 17
"""Version of ONNX's operators: old enough for every runtime of the last years."""

_IR_VERSION: Final = 8
"""Version of the file format that came with that opset."""

_FLOAT: Final = 1
"""ONNX's number for float32."""

_INT_ATTRIBUTE: Final = 2
_INTS_ATTRIBUTE: Final = 7


def channels_first(inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``[n, height, width, channels]`` as ONNX has it, ``[n, channels, height, width]``; one channel is not copied."""
    return np.ascontiguousarray(inputs.transpose(0, 3, 1, 2))


def onnx_model(config: NetworkConfig, arrays: Arrays, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """Write the network.

    Args:
        config: The network.
        arrays: Its folded arrays, float32.
        metadata: To be put into the file, where tools show it.

    Returns:
        A serialized ``onnx.ModelProto`` with one input, ``images``, and one output, ``logits``; n is left open.
    """
    graph = _Graph()
    labels = sum(len(HEAD_LABELS[head]) for head in Head)
    config.walk(_Nodes(graph, arrays), INPUT)
    content = b"".join(
        [
            *(wire.block(1, node) for node in graph.nodes),
            wire.text(2, "mien-face"),
            *(wire.block(5, tensor) for tensor in graph.tensors),
            wire.block(11, _value(INPUT, (1, INPUT_SIZE, INPUT_SIZE))),
            wire.block(12, _value(OUTPUT, (labels,))),
        ]
    )
    entries = (metadata or {}).items()
    return b"".join(
        [
            wire.number(1, _IR_VERSION),
            wire.text(2, "mien"),
            wire.block(7, content),
            wire.block(8, wire.text(1, "") + wire.number(2, OPSET)),
            *(wire.block(14, wire.text(1, key) + wire.text(2, value)) for key, value in entries),
        ]
    )


def describe(manifest: Manifest) -> dict[str, str]:
    """What a file that leaves this package should say of itself: how to feed it, and how to read its answers."""
    return {
        "name": manifest.name,
        "version": manifest.version,
        "sha256_of_weights": manifest.sha256,
        "license": manifest.license,
        "license_note": manifest.license_note,
        "images": "grey faces of 48 x 48, each with mean 0 and standard deviation 1",
        "logits": json.dumps({head: list(labels) for head, labels in manifest.labels.items()}),
        "calibration": json.dumps(manifest.calibration),
    }


@dataclass(slots=True)
class _Graph:
    """Nodes and constants as serialized messages, in order."""

    nodes: list[bytes] = field(default_factory=list)
    tensors: list[bytes] = field(default_factory=list)

    def add(self, operator: str, output: str, *inputs: str, **attributes: int | tuple[int, ...]) -> str:
        """Add a node; its output's name is returned."""
        names = [wire.text(1, name) for name in inputs]
        settings = [wire.block(5, _attribute(name, value)) for name, value in attributes.items()]
        self.nodes.append(
            b"".join([*names, wire.text(2, output), wire.text(3, output), wire.text(4, operator), *settings])
        )
        return output

    def constant(self, name: str, array: npt.NDArray[np.float32]) -> str:
        """Add a constant; its name is returned."""
        content = np.ascontiguousarray(array, "<f4").tobytes()
        self.tensors.append(
            wire.packed(1, array.shape) + wire.number(2, _FLOAT) + wire.text(8, name) + wire.block(9, content)
        )
        return name


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The operations, on names of nodes; each adds one or two to a graph."""

    graph: _Graph
    arrays: Arrays

    def convolve(self, layer: Convolution, inputs: str) -> str:
        kernel = self.arrays[f"{layer.name}.kernel"].transpose(3, 2, 0, 1)  # [h, w, in, out] -> [out, in, h, w]
        weights = self.graph.constant(f"{layer.name}.kernel", kernel)
        bias = self.graph.constant(f"{layer.name}.bias", self.arrays[f"{layer.name}.bias"])
        side, border, strides = (layer.side,) * 2, (layer.side // 2,) * 4, (layer.stride,) * 2
        return self.graph.add(
            "Conv", layer.name, inputs, weights, bias, kernel_shape=side, pads=border, strides=strides
        )

    def relu(self, inputs: str) -> str:
        return self.graph.add("Relu", f"{inputs}.relu", inputs)

    def halve(self, name: str, inputs: str) -> str:
        return self.graph.add("AveragePool", name, inputs, kernel_shape=(2, 2), strides=(2, 2))

    def join(self, name: str, identity: str, branch: str) -> str:
        return self.relu(self.graph.add("Add", name, branch, identity))

    def mean(self, inputs: str) -> str:
        return self.graph.add("Flatten", "pooled", self.graph.add("GlobalAveragePool", "mean", inputs), axis=1)

    def heads(self, features: str) -> str:
        kernel = np.concatenate([self.arrays[f"{head}.kernel"] for head in Head], axis=1)
        weights = self.graph.constant("heads.kernel", kernel)
        bias = self.graph.constant("heads.bias", np.concatenate([self.arrays[f"{head}.bias"] for head in Head]))
        return self.graph.add("Gemm", OUTPUT, features, weights, bias)


def _attribute(name: str, value: int | tuple[int, ...]) -> bytes:
    if isinstance(value, int):
        return wire.text(1, name) + wire.number(3, value) + wire.number(20, _INT_ATTRIBUTE)
    numbers = b"".join(wire.number(8, each) for each in value)
    return wire.text(1, name) + numbers + wire.number(20, _INTS_ATTRIBUTE)


def _value(name: str, sizes: tuple[int, ...]) -> bytes:
    """A named float32 array of [n, *sizes]."""
    axes = [wire.block(1, wire.text(2, "n")), *(wire.block(1, wire.number(1, size)) for size in sizes)]
    array = wire.number(1, _FLOAT) + wire.block(2, b"".join(axes))
    return wire.text(1, name) + wire.block(2, wire.block(1, array))
