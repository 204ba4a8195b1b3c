"""Trained networks of the zoo as files and as classifiers. Needs Flax (``mien[train]``), unlike the shipped network.

Shapes: n faces, k classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import jax
import numpy as np
import numpy.typing as npt

from mien import Manifest, MissingDependencyError, WeightsError, load_weights, save_weights
from mien_face.config import INPUT_SIZE, Arrays
from mien_face.inference import softmax
from mien_face.labels import EXPRESSIONS
from mien_face.preprocess import check_crops
from mien_face_lab.zoo.catalogue import ZOO, ZooNetwork

VERSION: Final = "1.0.0"
"""Of the weights that this code makes."""

BATCH: Final = 64
"""Faces computed at once; fewer are padded, so that one shape is compiled."""

_HEAD: Final = "expression"


class ZooClassifier:
    """From grey face crops to probabilities by a network of the zoo.

    Args:
        network: Which.
        labels: The classes that it tells apart, in the order of its outputs.
        arrays: Its weights.
        manifest: What they are.

    Raises:
        MissingDependencyError: Flax is not installed.
        ValueError: The arrays are not this network's.
    """

    def __init__(self, network: ZooNetwork, labels: tuple[str, ...], arrays: Arrays, manifest: Manifest) -> None:
        try:
            from mien_face_lab.zoo.network import network_of
        except ImportError as error:
            raise MissingDependencyError(f"{network.name} needs Flax: pip install 'mien[train]'") from error
        network_of(network, len(labels), arrays)  # checks them
        self._side = network.input_side
        self._columns = [EXPRESSIONS.index(label) for label in labels]
        self._arrays = arrays
        self._manifest = manifest

        def logits(arrays: Arrays, images: jax.Array) -> jax.Array:
            stack = network_of(network, len(labels), arrays)
            stack.eval()  # type: ignore[no-untyped-call]
            return stack(images)

        self._logits = jax.jit(logits)

    @classmethod
    def load(cls, manifest_path: Path) -> ZooClassifier:
        """Load trained weights.

        Raises:
            WeightsError: They are missing, damaged, or of no network of the zoo.
            MissingDependencyError: Flax is not installed.
        """
        manifest, arrays = load_weights(manifest_path)
        if manifest.network not in ZOO:
            known = ", ".join(sorted(ZOO))
            raise WeightsError(f"{manifest_path} holds weights of {manifest.network!r}; the zoo has {known}")
        labels = tuple(manifest.labels.get(_HEAD, ()))
        if not labels or not set(labels) <= set(EXPRESSIONS):
            raise WeightsError(f"{manifest_path} names the labels {labels}; expected some of {EXPRESSIONS}")
        plain = {name: array.astype(np.float32) for name, array in arrays.items()}
        try:
            return cls(ZOO[manifest.network], labels, plain, manifest)
        except ValueError as error:
            raise WeightsError(f"the arrays that {manifest_path} names do not fit: {error}") from error

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of ``classify``'s columns: FER2013's seven, and contempt where the network knows it."""
        return EXPRESSIONS[: max(len(EXPRESSIONS) - 1, max(self._columns) + 1)]

    @property
    def manifest(self) -> Manifest:
        """What the weights are."""
        return self._manifest

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Classify grey faces.

        Args:
            crops: uint8 ``[n, 48, 48]``; may be empty.

        Returns:
            Probabilities ``[n, k]`` in the order of ``labels``; 0 for a class that the network does not know.

        Raises:
            ValueError: The crops have another type or shape.
        """
        check_crops(crops)
        answers = np.zeros((len(crops), len(self.labels)), np.float32)
        for start in range(0, len(crops), BATCH):
            part = crops[start : start + BATCH]
            images = np.zeros((BATCH, self._side, self._side, 1), np.float32)
            images[: len(part)] = network_input(part, self._side)
            logits = np.asarray(self._logits(self._arrays, images))[: len(part)]
            answers[start : start + BATCH, self._columns] = softmax(logits, temperature=1)
        return answers


def network_input(crops: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.float32]:
    """Crops as the zoo's networks take them.

    Args:
        crops: uint8 grey, ``[n, 48, 48]``.
        side: Height and width of the network's input.

    Returns:
        Float32 ``[n, side, side, 1]``, 0 to 1.
    """
    if side != INPUT_SIZE:
        resized = [cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR) for crop in crops]
        crops = np.stack(resized).astype(np.uint8) if resized else np.zeros((0, side, side), np.uint8)
    return (crops.astype(np.float32) / np.float32(255))[..., np.newaxis]


def save_network(
    path: Path,
    network: ZooNetwork,
    labels: tuple[str, ...],
    arrays: Arrays,
    *,
    metrics: Mapping[str, float],
    training: Mapping[str, Any],
) -> Manifest:
    """Write weights with a manifest (``path``) beside them."""
    return save_weights(
        path,
        arrays,
        name=network.name,
        version=VERSION,
        network=network.name,
        labels={_HEAD: list(labels)},
        license="of the data that it was trained on",
        license_note=f"A reimplementation of {network.source}. The weights were trained on the data named below.",
        training=dict(training),
        metrics=dict(metrics),
    )
