"""The baseline that is no network: the nearest faces in the training data, by scikit-learn.

``--network knn`` takes it like a network, but there is nothing to train: faces are kept, and a face is of the classes
of those that look most like it. ``shaikh2021`` and ``ward2018`` name such a comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien import Manifest
from mien_face_lab.evaluation import evaluate
from mien_face_lab.training.faces import FaceData
from mien_face_lab.zoo.neighbours import KnnClassifier


def fit(training: FaceData, *, validation: FaceData, out: Path, about: Mapping[str, Any]) -> Manifest:
    """Keep faces, judge how they answer, and write them with a manifest.

    Args:
        training: The faces that are kept.
        validation: What to judge by.
        out: Folder of the files.
        about: How they were made, for the manifest.

    Raises:
        MissingDependencyError: scikit-learn is not installed.
    """
    classifier = KnnClassifier.fit(training.crops, training.labels, training.names)
    answers = classifier.classify(validation.crops)
    judged = evaluate(answers, validation.labels, classifier.labels)
    metrics = {"accuracy": judged.accuracy, "macro_f1": judged.macro_f1, "n": float(judged.n)}
    return classifier.save(out / "knn.json", metrics=metrics, training=about)
