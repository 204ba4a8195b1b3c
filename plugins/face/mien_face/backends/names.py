"""The names by which ``[plugins.face]`` chooses what runs the expression network. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum


class BackendName(StrEnum):
    """What runs the network; ``AUTO`` is the fastest that is installed and agrees with the reference."""

    AUTO = "auto"
    JAX = "jax"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


class Precision(StrEnum):
    """What the network is computed in; ``AUTO`` is bfloat16 where backend and processor have it, else float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
