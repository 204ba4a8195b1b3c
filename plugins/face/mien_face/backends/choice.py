"""Chooses, builds and checks the backend that runs the expression network. The backends themselves are beside it.

Before a backend other than JAX is used it answers a fixed probe; where it departs from the reference by more than its
precision explains, it is not used.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mien import (
    AnalyzerNotFoundError,
    ExecutionBackend,
    MienError,
    MissingDependencyError,
    PluginError,
    Precision,
)
from mien_face.backends.base import ExpressionProgram
from mien_face.backends.names import BackendName, MakeBackend, built_in_backend
from mien_face.backends.reference import reference_logits
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig
from mien_face.labels import HEAD_LABELS, Head

_log = logging.getLogger("mien.face")

FLOAT32_TOLERANCE: Final = 1e-4
"""Largest difference of a probability from the reference's where both compute in float32."""

BFLOAT16_TOLERANCE: Final = 0.02
"""The same in bfloat16, which keeps 8 bits of a number: over twice what rounding moved on any of 3,579 faces."""

PROBE_FACES: Final = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A backend that can be tried.

    Attributes:
        name: As it is registered.
        precision: What it may compute in.
    """

    name: str
    precision: Precision


def build_backend(
    config: NetworkConfig,
    arrays: Arrays,
    *,
    name: str = BackendName.AUTO,
    precision: Precision = Precision.AUTO,
    make: MakeBackend = built_in_backend,
) -> ExecutionBackend:
    """Build the backend that the settings name.

    Args:
        config: The network.
        arrays: Its folded arrays, float32.
        name: Of a registered backend. ``auto`` tries the plugin's own that are installed, the fastest first, logs why
            one is passed over, and ends with JAX.
        precision: Whether bfloat16 may be used.
        make: Makes backends by their names.

    Raises:
        MissingDependencyError: The named backend is not installed.
        PluginError: The named backend fails, or departs from the reference.
        AnalyzerNotFoundError: There is no backend of the name.
    """
    program = ExpressionProgram(config, arrays)
    if name == BackendName.JAX:
        return make(name, program, precision)
    if name != BackendName.AUTO:
        return _build_named(program, Candidate(name, precision), make)
    for candidate in _installed(precision):
        try:
            backend = make(candidate.name, program, candidate.precision)
            _check(backend, program)
        except Exception as error:  # whatever a foreign runtime raises, the face stream goes on with the next
            _log.warning("the face network does not run on %s: %s", candidate.name, _reason(error))
        else:
            _log.info("the face network runs on %s in %s", candidate.name, backend.precision)
            return backend
    _log.info("the face network runs on jax in float32")
    return make(BackendName.JAX, program, Precision.FLOAT32)


def probe_images() -> npt.NDArray[np.float32]:
    """The fixed pictures that every backend has to answer alike, [4, 48, 48, 1], of smooth and of fine structure."""
    generator = np.random.default_rng(20)
    fine = generator.standard_normal((PROBE_FACES, INPUT_SIZE, INPUT_SIZE), np.float32)
    coarse = generator.standard_normal((PROBE_FACES, INPUT_SIZE // 8, INPUT_SIZE // 8), np.float32)
    images = coarse.repeat(8, axis=1).repeat(8, axis=2) + fine / 4
    return np.asarray(images[..., np.newaxis], np.float32)


def departure(backend: ExecutionBackend, config: NetworkConfig, arrays: Arrays) -> float:
    """Largest distance of a backend's probabilities of the probe from the reference's, 0 to 1; NaN counts as 1."""
    images = probe_images()
    found = np.concatenate([backend.run(images[index : index + 1]) for index in range(len(images))])
    expected = reference_logits(config, arrays, images)
    difference = max(
        float(np.abs(_softmax(one) - _softmax(other)).max())
        for one, other in zip(_heads(found), _heads(expected), strict=True)
    )
    return difference if np.isfinite(difference) else 1.0


def _build_named(program: ExpressionProgram, candidate: Candidate, make: MakeBackend) -> ExecutionBackend:
    try:
        backend = make(candidate.name, program, candidate.precision)
        _check(backend, program)
    except (MissingDependencyError, AnalyzerNotFoundError):
        raise
    except Exception as error:
        raise PluginError(
            f'the face network does not run on {candidate.name}: {_reason(error)}; use backend = "auto" or "jax"'
        ) from error
    return backend


def _check(backend: ExecutionBackend, program: ExpressionProgram) -> None:
    """Raise PluginError unless it answers as the reference does."""
    allowed = BFLOAT16_TOLERANCE if backend.precision == "bfloat16" else FLOAT32_TOLERANCE
    found = departure(backend, program.config, program.arrays)
    if found > allowed:
        raise PluginError(
            f"in {backend.precision} a probability is {found:.2g} from the reference's; {allowed:g} is allowed"
        )


def _installed(precision: Precision) -> Iterator[Candidate]:
    """What can be tried besides JAX, fastest first: only with bfloat16 is OpenVINO faster than ONNX Runtime."""
    has_openvino, has_onnxruntime = (_is_installed(name) for name in (BackendName.OPENVINO, BackendName.ONNXRUNTIME))
    if has_openvino and precision is Precision.AUTO and _finds_bfloat16():
        yield Candidate(BackendName.OPENVINO.value, Precision.AUTO)
    if has_onnxruntime:
        yield Candidate(BackendName.ONNXRUNTIME.value, Precision.FLOAT32)
    if has_openvino:
        yield Candidate(BackendName.OPENVINO.value, Precision.FLOAT32)


def _is_installed(name: BackendName) -> bool:
    return importlib.util.find_spec(str(name)) is not None


def _finds_bfloat16() -> bool:
    from mien_face.backends.openvino_backend import has_bfloat16

    try:
        return has_bfloat16()
    except Exception as error:  # of an OpenVINO that is there and broken
        _log.warning("OpenVINO does not say what this processor can do: %s", _reason(error))
        return False


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MienError) else f"{type(error).__name__}: {error}"


def _heads(logits: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    return np.split(logits, [len(HEAD_LABELS[Head.FER2013])], axis=1)


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
