"""Loads whatever a weight manifest is of: the shipped network, a network of the zoo, or the nearest neighbours.

For evaluation and experiments. The analyzer that serves loads the shipped network by itself, with its
execution backends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mien import WeightsError, read_manifest
from mien_face.inference import NETWORK_NAME, ExpressionNetwork
from mien_face.training.prepare import Equalise, equalised
from mien_face.zoo.catalogue import ZOO
from mien_face.zoo.classifier import ZooClassifier
from mien_face.zoo.neighbours import NAME as KNN_NAME
from mien_face.zoo.neighbours import KnnClassifier


class FaceClassifier(Protocol):
    """From grey face crops to probabilities."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of ``classify``'s columns: FER2013's seven, or with contempt eight."""

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Classify uint8 ``[n, 48, 48]``: probabilities ``[n, classes]``, rows summing to 1."""


def load_classifier(manifest_path: Path) -> FaceClassifier:
    """Load the classifier that a manifest is of.

    Raises:
        WeightsError: The files are missing, damaged, or of a network that is not known here.
        MissingDependencyError: A package that computes it is not installed.
    """
    manifest = read_manifest(manifest_path)
    classifier = _load(manifest.network, manifest_path)
    preparation = manifest.training.get("preparation")
    how = preparation.get("equalise") if isinstance(preparation, dict) else None
    if how in (None, Equalise.NONE):
        return classifier
    try:
        return _Equalising(classifier, Equalise(how))
    except ValueError as error:
        raise WeightsError(f"{manifest_path} was trained with an unknown equalisation, {how!r}") from error


class _Equalising:
    """A classifier of faces whose light is evened out first, as it was in training."""

    def __init__(self, classifier: FaceClassifier, how: Equalise) -> None:
        self._classifier = classifier
        self._how = how

    @property
    def labels(self) -> tuple[str, ...]:
        return self._classifier.labels

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return self._classifier.classify(np.array([equalised(crop, self._how) for crop in crops], crops.dtype))


def _load(network: str, manifest_path: Path) -> FaceClassifier:
    if network == NETWORK_NAME:
        return ExpressionNetwork.load(manifest_path)
    if network == KNN_NAME:
        return KnnClassifier.load(manifest_path)
    if network in ZOO:
        return ZooClassifier.load(manifest_path)
    known = ", ".join((NETWORK_NAME, *sorted(ZOO), KNN_NAME))
    raise WeightsError(f"{manifest_path} holds weights of {network!r}; known networks are {known}")
