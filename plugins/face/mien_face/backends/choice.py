"""Chooses, builds and checks the backend that runs the expression network. The backends themselves are beside it.

Before a backend other than JAX is used it answers a fixed probe; where it departs from the reference by more than its
precision explains, it is not used.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mien import MienError, MissingDependencyError, PluginError
from mien_face.backends.base import Backend
from mien_face.backends.names import BackendName, Precision
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
        name: As in the settings.
        precision: ``"float32"`` or ``"bfloat16"``.
        build: Makes it.
    """

    name: BackendName
    precision: str
    build: Callable[[NetworkConfig, Arrays], Backend]

    @property
    def tolerance(self) -> float:
        """How far its probabilities may be from the reference's."""
        return BFLOAT16_TOLERANCE if self.precision == "bfloat16" else FLOAT32_TOLERANCE

    def __str__(self) -> str:
        return f"{self.name} in {self.precision}"


def build_backend(
    config: NetworkConfig,
    arrays: Arrays,
    *,
    name: BackendName = BackendName.AUTO,
    precision: Precision = Precision.AUTO,
) -> Backend:
    """Build the backend that the settings name.

    Args:
        config: The network.
        arrays: Its folded arrays, float32.
        name: ``AUTO`` tries the installed ones, the fastest first, logs why one is passed over, and ends with JAX.
        precision: Whether bfloat16 may be used.

    Raises:
        MissingDependencyError: The named backend is not installed.
        PluginError: The named backend fails, or departs from the reference.
    """
    if name != BackendName.AUTO:
        return _build_named(config, arrays, name, precision)
    for candidate in _installed(precision):
        try:
            backend = _checked(candidate, config, arrays)
        except Exception as error:  # whatever a foreign runtime raises, the face stream goes on with the next
            _log.warning("the face network does not run on %s: %s", candidate, _reason(error))
        else:
            _log.info("the face network runs on %s", candidate)
            return backend
    _log.info("the face network runs on jax in float32")
    return _jax(config, arrays)


def probe_images() -> npt.NDArray[np.float32]:
    """The fixed pictures that every backend has to answer alike, [4, 48, 48, 1], of smooth and of fine structure."""
    generator = np.random.default_rng(20)
    fine = generator.standard_normal((PROBE_FACES, INPUT_SIZE, INPUT_SIZE), np.float32)
    coarse = generator.standard_normal((PROBE_FACES, INPUT_SIZE // 8, INPUT_SIZE // 8), np.float32)
    images = coarse.repeat(8, axis=1).repeat(8, axis=2) + fine / 4
    return np.asarray(images[..., np.newaxis], np.float32)


def departure(backend: Backend, config: NetworkConfig, arrays: Arrays) -> float:
    """Largest distance of a backend's probabilities of the probe from the reference's, 0 to 1; NaN counts as 1."""
    images = probe_images()
    found = np.concatenate([backend.logits(images[index : index + 1]) for index in range(len(images))])
    expected = reference_logits(config, arrays, images)
    difference = max(
        float(np.abs(_softmax(one) - _softmax(other)).max())
        for one, other in zip(_heads(found), _heads(expected), strict=True)
    )
    return difference if np.isfinite(difference) else 1.0


def _build_named(config: NetworkConfig, arrays: Arrays, name: BackendName, precision: Precision) -> Backend:
    if name == BackendName.JAX:
        return _jax(config, arrays)
    candidate = _openvino(precision) if name == BackendName.OPENVINO else _onnxruntime()
    try:
        return _checked(candidate, config, arrays)
    except MissingDependencyError:
        raise
    except Exception as error:
        raise PluginError(
            f'the face network does not run on {candidate}: {_reason(error)}; use backend = "auto" or "jax"'
        ) from error


def _checked(candidate: Candidate, config: NetworkConfig, arrays: Arrays) -> Backend:
    backend = candidate.build(config, arrays)
    found = departure(backend, config, arrays)
    if found > candidate.tolerance:
        raise PluginError(f"a probability is {found:.2g} from the reference's; {candidate.tolerance:g} is allowed")
    return backend


def _installed(precision: Precision) -> Iterator[Candidate]:
    """What can be tried besides JAX, fastest first: only with bfloat16 is OpenVINO faster than ONNX Runtime."""
    has_openvino, has_onnxruntime = (_is_installed(name) for name in (BackendName.OPENVINO, BackendName.ONNXRUNTIME))
    if has_openvino and precision == Precision.AUTO and _finds_bfloat16():
        yield _openvino(Precision.AUTO)
    if has_onnxruntime:
        yield _onnxruntime()
    if has_openvino:
        yield _openvino(Precision.FLOAT32)


def _is_installed(name: BackendName) -> bool:
    return importlib.util.find_spec(str(name)) is not None


def _finds_bfloat16() -> bool:
    from mien_face.backends.openvino_backend import has_bfloat16

    try:
        return has_bfloat16()
    except Exception as error:  # of an OpenVINO that is there and broken
        _log.warning("OpenVINO does not say what this processor can do: %s", _reason(error))
        return False


def _openvino(precision: Precision) -> Candidate:
    from mien_face.backends.openvino_backend import OpenVinoBackend, has_bfloat16

    bfloat16 = precision == Precision.AUTO and has_bfloat16()
    return Candidate(
        BackendName.OPENVINO,
        "bfloat16" if bfloat16 else "float32",
        lambda config, arrays: OpenVinoBackend(config, arrays, bfloat16=bfloat16),
    )


def _onnxruntime() -> Candidate:
    from mien_face.backends.onnxruntime_backend import OnnxRuntimeBackend

    return Candidate(BackendName.ONNXRUNTIME, "float32", OnnxRuntimeBackend)


def _jax(config: NetworkConfig, arrays: Arrays) -> Backend:
    from mien_face.backends.jax_backend import JaxBackend

    return JaxBackend(config, arrays)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MienError) else f"{type(error).__name__}: {error}"


def _heads(logits: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    return np.split(logits, [len(HEAD_LABELS[Head.FER2013])], axis=1)


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
