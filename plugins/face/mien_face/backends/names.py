"""The execution backends that come with the plugin, by name. Imports nothing heavy; a backend does when it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from mien import AnalyzerNotFoundError, BackendInfo, ExecutableNetwork, ExecutionBackend, Precision, __version__

MakeBackend: TypeAlias = Callable[[str, ExecutableNetwork, Precision], ExecutionBackend]
"""Name, network and precision -> a backend; ``PluginContext.backend`` is one."""


class BackendName(StrEnum):
    """What runs the network; ``AUTO`` is the fastest that is installed and agrees with the reference."""

    AUTO = "auto"
    JAX = "jax"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


def make_jax(network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
    """XLA, in float32."""
    from mien_face.backends.jax_backend import JaxBackend

    return JaxBackend(network)


def make_onnxruntime(network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
    """ONNX Runtime, in float32."""
    from mien_face.backends.onnxruntime_backend import OnnxRuntimeBackend

    return OnnxRuntimeBackend(network)


def make_openvino(network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
    """OpenVINO, in bfloat16 where the precision allows it and the processor has it."""
    from mien_face.backends.openvino_backend import OpenVinoBackend, has_bfloat16

    return OpenVinoBackend(network, bfloat16=precision is Precision.AUTO and has_bfloat16())


FACTORIES: Final[Mapping[str, tuple[BackendInfo, Callable[[ExecutableNetwork, Precision], ExecutionBackend]]]] = {
    BackendName.JAX.value: (BackendInfo(version=__version__, description="XLA, float32; always there"), make_jax),
    BackendName.ONNXRUNTIME.value: (
        BackendInfo(version=__version__, description="ONNX Runtime, float32 (mien[onnx])"),
        make_onnxruntime,
    ),
    BackendName.OPENVINO.value: (
        BackendInfo(version=__version__, description="OpenVINO, bfloat16 or float32 (mien[openvino])"),
        make_openvino,
    ),
}
"""What the plugin registers."""


def built_in_backend(name: str, network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
    """One of the plugin's own backends, for use without a host. Raises AnalyzerNotFoundError where there is none."""
    if name not in FACTORIES:
        raise AnalyzerNotFoundError(f"there is no backend {name!r}; known are: {', '.join(sorted(FACTORIES))}")
    _, factory = FACTORIES[name]
    return factory(network, precision)
