"""Tells expressions apart with the shipped, folded network. Needs nothing of training.

The network is compiled ahead of time for a few batch sizes ("buckets"); a batch is padded up to the next bucket, and
one over the largest is split. What computes is in ``mien_face.backends``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import AnalyzerRuntime, ExecutableNetwork, ExecutionBackend, Manifest, Precision, WeightsError, load_weights
from mien_face.backends.base import BUCKETS
from mien_face.backends.choice import build_backend
from mien_face.backends.names import BackendName, MakeBackend, built_in_backend
from mien_face.config import INPUT_SIZE, Arrays, NetworkConfig
from mien_face.labels import FER2013_LABELS, FERPLUS_LABELS, HEAD_LABELS, ferplus_as_fer2013
from mien_face.preprocess import check_crops, normalise

NETWORK_NAME: Final = "mien-face-resnet"
"""What a manifest must name as its network for these weights to fit."""

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Constants fitted on validation data after training.

    Attributes:
        fer2013_temperature: Divides the FER2013 head's logits.
        ferplus_temperature: Divides the FER+ head's logits.
        ferplus_share: Weight of the FER+ head in the combined answer, 0 to 1.
        combined_bias: Added to the logarithm of the combined answer, one for each FER2013 label, before it is made to
            sum to 1 again: raises labels that are answered too rarely.
    """

    fer2013_temperature: float = 1.0
    ferplus_temperature: float = 1.0
    ferplus_share: float = 0.0
    combined_bias: tuple[float, ...] = (0.0,) * len(FER2013_LABELS)

    def __post_init__(self) -> None:
        if min(self.fer2013_temperature, self.ferplus_temperature) <= 0 or not 0 <= self.ferplus_share <= 1:
            raise ValueError(f"temperatures must be over 0 and the share within [0, 1], got {self}")
        if len(self.combined_bias) != len(FER2013_LABELS):
            raise ValueError(f"the bias must have {len(FER2013_LABELS)} values, got {self.combined_bias}")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        """From a manifest's plain data.

        Raises:
            TypeError: A field is unknown or no number.
            ValueError: A value is out of its range.
        """
        values = dict(data)
        if "combined_bias" in values:
            values["combined_bias"] = tuple(float(value) for value in values["combined_bias"])
        return cls(**values)


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionProbabilities:
    """What the network makes of some faces; every row sums to 1.

    Attributes:
        combined: Both heads together in FER2013's classes, ``[faces, 7]``: what is told of people at a counter.
        fer2013: The FER2013 head alone, ``[faces, 7]``.
        ferplus: The FER+ head alone, ``[faces, 8]``.
    """

    combined: Probabilities
    fer2013: Probabilities
    ferplus: Probabilities


@dataclass(frozen=True, slots=True, eq=False)
class FoldedNetwork:
    """Weights as they are stored, checked.

    Attributes:
        config: The network.
        arrays: Its folded arrays, float32.
        calibration: What is applied to its answers.
        manifest: Where all that came from.
    """

    config: NetworkConfig
    arrays: Arrays
    calibration: Calibration
    manifest: Manifest


def load_folded(manifest_path: Path) -> FoldedNetwork:
    """Read weights.

    Raises:
        WeightsError: They are missing, damaged, or of another network.
    """
    manifest, stored = load_weights(manifest_path)
    config, calibration = _read_settings(manifest, manifest_path)
    arrays = {name: array.astype(np.float32) for name, array in stored.items()}
    _check_arrays(config, arrays, manifest_path)
    return FoldedNetwork(config, arrays, calibration, manifest)


class ExpressionNetwork:
    """From grey face crops to probabilities. Deterministic, and safe to call from several threads.

    Args:
        backend: Runs the network.
        calibration: What is applied to its answers.
        manifest: What the weights are.
        mirror: Whether each face is looked at twice, as it is and mirrored, for the mean of both logits.
        backend_name: As the backend is registered.
    """

    def __init__(
        self,
        backend: ExecutionBackend,
        calibration: Calibration,
        manifest: Manifest,
        *,
        mirror: bool = False,
        backend_name: str = "",
    ) -> None:
        self._backend = backend
        self._backend_name = backend_name
        self._calibration = calibration
        self._manifest = manifest
        self._mirror = mirror

    @classmethod
    def load(
        cls,
        manifest_path: Path,
        *,
        backend: str = BackendName.JAX,
        precision: Precision = Precision.AUTO,
        mirror: bool = False,
        make: MakeBackend = built_in_backend,
    ) -> ExpressionNetwork:
        """Load weights. Batch sizes are compiled when they are first needed, or by ``warm_up``.

        Args:
            manifest_path: Of the weights.
            backend: Name of what is to run them.
            precision: Whether bfloat16 may be used.
            mirror: Whether each face is looked at twice, as it is and mirrored.
            make: Makes backends by their names.

        Raises:
            MissingDependencyError: The backend is not installed.
            PluginError: The backend fails, or departs from the reference.
            WeightsError: The weights are missing, damaged, or of another network.
        """
        shipped = load_folded(manifest_path)
        made: list[str] = []

        def noting(name: str, network: ExecutableNetwork, allowed: Precision) -> ExecutionBackend:
            made.append(name)
            return make(name, network, allowed)

        runner = build_backend(shipped.config, shipped.arrays, name=backend, precision=precision, make=noting)
        # Of those that were tried the last is in use.
        return cls(runner, shipped.calibration, shipped.manifest, mirror=mirror, backend_name=made[-1])

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions, in the order of ``classify``'s columns."""
        return FER2013_LABELS

    @property
    def manifest(self) -> Manifest:
        """What the weights are."""
        return self._manifest

    def classify(self, crops: npt.NDArray[np.uint8]) -> Probabilities:
        """Classify grey faces.

        Args:
            crops: uint8 ``[faces, 48, 48]``; may be empty.

        Returns:
            Calibrated probabilities of both heads together, ``[faces, 7]``, in the order of ``labels``.

        Raises:
            ValueError: The crops have another type or shape.
        """
        return self.probabilities(crops).combined

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> ExpressionProbabilities:
        """Classify grey faces, with each head's own answer.

        Raises:
            ValueError: The crops have another type or shape.
        """
        return combine(self.logits(crops), self._calibration)

    def logits(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Uncalibrated logits of both heads side by side, ``[faces, 7 + 8]``.

        Raises:
            ValueError: The crops have another type or shape.
        """
        check_crops(crops)
        if not self._mirror:
            return self._looks(crops)
        both = self._looks(np.concatenate([crops, crops[:, :, ::-1]]))
        return (both[: len(crops)] + both[len(crops) :]) / np.float32(2)

    def runtime(self) -> AnalyzerRuntime:
        """What it runs on."""
        return AnalyzerRuntime(
            weights_sha256={self._manifest.name: self._manifest.sha256},
            backend=self._backend_name,
            batch_sizes=tuple(BUCKETS),
        )

    def warm_up(self) -> None:
        """Compile every bucket, so that no later call has to."""
        for count in BUCKETS:
            self._backend.compile(count)

    def _looks(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        parts = [self._bucket_logits(crops[start:end]) for start, end in split(len(crops))]
        empty = np.zeros((0, len(FER2013_LABELS) + len(FERPLUS_LABELS)), np.float32)
        return np.concatenate([empty, *parts])

    def _bucket_logits(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        bucket = next(size for size in BUCKETS if size >= len(crops))
        images = np.zeros((bucket, INPUT_SIZE, INPUT_SIZE, 1), np.float32)
        images[: len(crops)] = normalise(crops)
        return self._backend.run(images)[: len(crops)]


def split(count: int) -> list[tuple[int, int]]:
    """Cut a batch into parts of at most the largest bucket, as (start, end)."""
    largest = BUCKETS[-1]
    return [(start, min(start + largest, count)) for start in range(0, count, largest)]


def combine(logits: npt.NDArray[np.float32], calibration: Calibration) -> ExpressionProbabilities:
    """Turn both heads' logits, ``[faces, 7 + 8]``, into calibrated probabilities."""
    first, second = logits[:, : len(FER2013_LABELS)], logits[:, len(FER2013_LABELS) :]
    fer2013 = softmax(first, temperature=calibration.fer2013_temperature)
    ferplus = softmax(second, temperature=calibration.ferplus_temperature)
    share = np.float32(calibration.ferplus_share)
    mixed = (1 - share) * fer2013 + share * ferplus_as_fer2013(ferplus)
    raised = mixed * np.exp(np.asarray(calibration.combined_bias, np.float32))
    return ExpressionProbabilities(raised / raised.sum(axis=1, keepdims=True), fer2013, ferplus)


def softmax(logits: npt.NDArray[np.float32], *, temperature: float) -> Probabilities:
    """Probabilities of logits ``[faces, labels]``; a temperature over 1 makes them less sure."""
    scaled = logits / np.float32(temperature)
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: Probabilities = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def _read_settings(manifest: Manifest, path: Path) -> tuple[NetworkConfig, Calibration]:
    if manifest.network != NETWORK_NAME:
        raise WeightsError(f"{path} holds weights of {manifest.network!r}; the face plugin needs {NETWORK_NAME!r}")
    expected = {str(head): list(labels) for head, labels in HEAD_LABELS.items()}
    if manifest.labels != expected:
        raise WeightsError(f"{path} names the labels {manifest.labels}; the face plugin needs {expected}")
    try:
        return NetworkConfig.from_json(manifest.config), Calibration.from_json(manifest.calibration)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path} is not fit for the face plugin: {error}") from error


def _check_arrays(config: NetworkConfig, arrays: Arrays, path: Path) -> None:
    expected: dict[str, tuple[int, ...]] = {}
    for layer in config.layers():
        expected[f"{layer.name}.kernel"] = (layer.side, layer.side, layer.inputs, layer.outputs)
        expected[f"{layer.name}.bias"] = (layer.outputs,)
    for head, labels in HEAD_LABELS.items():
        expected |= {f"{head}.kernel": (config.widths[-1], len(labels)), f"{head}.bias": (len(labels),)}
    found = {name: array.shape for name, array in arrays.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise WeightsError(f"the arrays that {path} names do not fit its config: {', '.join(wrong[:5])}")
