"""Classifies a face by the faces of the training data that look most like it; needs scikit-learn (``mien[train]``).

Faces are compared as 24x24 pictures without brightness and contrast, by Euclidean distance; nearer faces count more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Manifest, MissingDependencyError, WeightsError, load_weights, save_weights
from mien_face.labels import EXPRESSIONS
from mien_face.preprocess import check_crops, standardise

NAME: Final = "knn"
"""As a manifest calls it."""

NEIGHBOURS: Final = 9
"""Faces that are asked; not tuned."""

SIDE: Final = 24
"""Height and width at which faces are compared, pixels."""

_HEAD: Final = "expression"


class KnnClassifier:
    """From grey face crops to the shares of the nearest faces' classes.

    Args:
        faces: uint8 ``[kept, 24, 24]``.
        labels: Positions in ``names``, ``[kept]``.
        names: The classes: the first seven or all eight of ``EXPRESSIONS``.

    Raises:
        MissingDependencyError: scikit-learn is not installed.
    """

    def __init__(self, faces: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], names: tuple[str, ...]) -> None:
        try:
            from sklearn.neighbors import KNeighborsClassifier
        except ImportError as error:
            raise MissingDependencyError("knn needs scikit-learn: pip install 'mien[train]'") from error
        self._faces = faces
        self._targets = labels
        self._names = names
        self._manifest: Manifest | None = None
        count = min(NEIGHBOURS, len(faces))
        self._neighbours = KNeighborsClassifier(n_neighbors=count, weights="distance", algorithm="brute")
        self._neighbours.fit(_vectors(faces), labels)

    @classmethod
    def fit(cls, crops: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], names: tuple[str, ...]) -> KnnClassifier:
        """Keep training faces, uint8 ``[kept, 48, 48]``."""
        return cls(_reduced(crops), labels, names)

    @classmethod
    def load(cls, manifest_path: Path) -> KnnClassifier:
        """Load kept faces.

        Raises:
            WeightsError: They are missing, damaged, or not those of this classifier.
            MissingDependencyError: scikit-learn is not installed.
        """
        manifest, arrays = load_weights(manifest_path)
        nothing = np.zeros(0)
        faces, labels = arrays.get("faces", nothing), arrays.get("labels", nothing)
        names = tuple(manifest.labels.get(_HEAD, ()))
        fits = faces.ndim == 3 and len(faces) == len(labels) > 0
        if manifest.network != NAME or not fits or names != EXPRESSIONS[: len(names)]:
            raise WeightsError(f"{manifest_path} does not hold the faces of {NAME!r}, but {manifest.network!r}")
        made = cls(faces.astype(np.uint8), labels.astype(np.int64), names)
        made._manifest = manifest
        return made

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of ``classify``'s columns."""
        return self._names

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Classify grey faces: uint8 ``[n, 48, 48]`` to shares ``[n, classes]``, rows summing to 1."""
        check_crops(crops)
        answers = np.zeros((len(crops), len(self._names)), np.float32)
        if len(crops):
            answers[:, self._neighbours.classes_] = self._neighbours.predict_proba(_vectors(_reduced(crops)))
        return answers

    @property
    def manifest(self) -> Manifest:
        """What the kept faces are.

        Raises:
            WeightsError: They were neither loaded nor saved.
        """
        if self._manifest is None:
            raise WeightsError("these faces were not loaded from files, so there is no manifest")
        return self._manifest

    def save(self, path: Path, *, metrics: Mapping[str, float], training: Mapping[str, Any]) -> Manifest:
        """Write the kept faces with a manifest."""
        self._manifest = save_weights(
            path,
            {"faces": self._faces, "labels": self._targets},
            name=NAME,
            version="1.0.0",
            network=NAME,
            labels={_HEAD: list(self._names)},
            license="of the data that it was made from",
            license_note="This file holds reduced copies of the training pictures themselves: their licence applies.",
            training=dict(training),
            metrics=dict(metrics),
        )
        return self._manifest


def _reduced(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    small = [cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for crop in crops]
    return np.stack(small).astype(np.uint8)


def _vectors(faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """[n, 24, 24] -> [n, 576], each with mean 0 and deviation 1."""
    standard = standardise(faces)
    return standard.reshape(len(faces), -1)
