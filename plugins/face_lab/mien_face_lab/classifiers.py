"""Loads whatever a weight manifest is of: the shipped network, a network of the zoo, or the nearest neighbours.

For evaluation and experiments. The analyzer that serves loads the shipped network by itself, with its backends.
Shapes: n faces.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from mien import Manifest, WeightsError, read_manifest
from mien_face.inference import NETWORK_NAME, ExpressionNetwork, ExpressionProbabilities
from mien_face.labels import EXPRESSIONS, FER2013_LABELS
from mien_face_lab.training.names import Crop, Equalise
from mien_face_lab.training.prepare import Preparation, equalised
from mien_face_lab.zoo.catalogue import ZOO
from mien_face_lab.zoo.classifier import ZooClassifier
from mien_face_lab.zoo.neighbours import NAME as KNN_NAME
from mien_face_lab.zoo.neighbours import KnnClassifier

_FERPLUS_ORDER: Final = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
"""FER+'s emotions, in its order, by the names of ``EXPRESSIONS``."""


class FaceClassifier(Protocol):
    """From grey face crops to probabilities by FER2013's and by FER+'s classes."""

    @property
    def manifest(self) -> Manifest:
        """What the weights are."""

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> ExpressionProbabilities:
        """Classify uint8 ``[n, 48, 48]``."""


class SingleHead:
    """A classifier with one answer, in the form of one with two.

    FER2013's classes take contempt for anger, as everywhere here; of FER+'s, one that the classifier does not know is
    never answered.

    Args:
        classifier: Answers.
        equalise: How light is evened out first, as it was in training.
    """

    def __init__(self, classifier: ZooClassifier | KnnClassifier, equalise: Equalise) -> None:
        self._classifier = classifier
        self._equalise = equalise

    @property
    def manifest(self) -> Manifest:
        """What the weights are."""
        return self._classifier.manifest

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> ExpressionProbabilities:
        """Classify uint8 ``[n, 48, 48]``."""
        if self._equalise is not Equalise.NONE and len(crops):
            crops = np.stack([equalised(crop, self._equalise) for crop in crops])
        answers = self._classifier.classify(crops)
        every = np.zeros((len(crops), len(EXPRESSIONS)), np.float32)
        every[:, : answers.shape[1]] = answers
        seven = every[:, : len(FER2013_LABELS)].copy()
        seven[:, FER2013_LABELS.index("angry")] += every[:, EXPRESSIONS.index("contempt")]
        ferplus = every[:, [EXPRESSIONS.index(label) for label in _FERPLUS_ORDER]]
        return ExpressionProbabilities(seven, seven, ferplus)


def load_classifier(manifest_path: Path, *, mirror: bool = False) -> FaceClassifier:
    """Load the classifier that a manifest is of.

    Args:
        manifest_path: Of the weights.
        mirror: Whether a network of the shipped kind looks at each face and at its mirror image.

    Raises:
        WeightsError: The files are missing, damaged, or of a network that is not known here.
        MissingDependencyError: A package that computes it is not installed.
    """
    manifest = read_manifest(manifest_path)
    if manifest.network == NETWORK_NAME:
        return ExpressionNetwork.load(manifest_path, mirror=mirror)
    if manifest.network == KNN_NAME:
        return SingleHead(KnnClassifier.load(manifest_path), preparation_of(manifest).equalise)
    if manifest.network in ZOO:
        return SingleHead(ZooClassifier.load(manifest_path), preparation_of(manifest).equalise)
    known = ", ".join((NETWORK_NAME, *sorted(ZOO), KNN_NAME))
    raise WeightsError(f"{manifest_path} holds weights of {manifest.network!r}; known networks are {known}")


def preparation_of(manifest: Manifest) -> Preparation:
    """How the pictures were prepared that a network was trained on, copies aside: others must be, to be judged fairly.

    Raises:
        WeightsError: The manifest names a preparation that is not known here.
    """
    found: Any = manifest.training.get("preparation", {})
    try:
        return Preparation(
            crop=Crop(found.get("crop", Crop.AUTO)),
            align=bool(found.get("align", False)),
            equalise=Equalise(found.get("equalise", Equalise.NONE)),
        )
    except (AttributeError, ValueError) as error:
        raise WeightsError(f"{manifest.name} was trained with an unknown preparation, {found!r}") from error
