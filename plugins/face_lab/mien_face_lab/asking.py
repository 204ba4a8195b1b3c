"""Asks the face analyzer what people on portraits show: detector, crop, network and tables as in the product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from mien import ImageFrame, InputError, Prediction
from mien_face.analyzer import FaceAnalyzer
from mien_face.crop import CROP_SIDE
from mien_face.factory import build_detector, build_tables
from mien_face.labels import FER2013_LABELS
from mien_face.settings import FaceSettings
from mien_face_lab.counter import KINDS, CounterFigures, Readings, judge
from mien_face_lab.portraits import CutPortraits, Portrait, Portraits, is_kept_back

if TYPE_CHECKING:
    from mien import FaceDetector
    from mien_face_lab.classifiers import FaceClassifier

BATCH: Final = 16
"""Portraits in a call: the network's largest batch, and few enough to hold decoded."""


def at_counter(
    classifier: FaceClassifier, portraits: Portraits, *, detector: FaceDetector | None = None, seed: int = 0
) -> CounterFigures:
    """Judge how people are read, each by the largest face of the portrait.

    Of the very file that the network learnt from, which its manifest names by its digest, only the persons that were
    kept back are judged.

    Args:
        classifier: Loaded.
        portraits: Labelled; those of labels that are not judged are left out.
        detector: What finds the faces; the one that ships without it.
        seed: Of the intervals.

    Raises:
        InputError: No portrait is of a label that is judged, or one cannot be decoded.
    """
    labelled = [each for each in portraits.rows if each.expression in KINDS]
    digest = portraits.digest()
    known = classifier.manifest.training.get("portraits", {}).get("digest") == digest
    judged = [each for each in labelled if is_kept_back(each.person)] if known else labelled
    if not judged:
        raise InputError(f"no portrait of {portraits.name} has a label that is judged by: {', '.join(KINDS)}")
    settings = FaceSettings()
    analyzer = FaceAnalyzer(
        detector or build_detector(settings), _Combined(classifier), build_tables(settings), settings
    )
    found = list(_answers(analyzer, judged))
    seen = [(portrait, answer) for portrait, answer in zip(judged, found, strict=True) if answer is not None]
    readings = Readings(
        kinds=np.array([KINDS[portrait.expression] for portrait, _ in seen], np.str_),
        emotions=np.array([max(answer.emotions, key=answer.emotions.__getitem__) for _, answer in seen], np.str_),
        evidence=np.array([answer.satisfaction for _, answer in seen], np.float64),
        persons=np.array([portrait.person for portrait, _ in seen], np.str_),
    )
    return CounterFigures(
        name=portraits.name,
        digest=digest,
        portraits=len(judged),
        persons=len({portrait.person for portrait in judged}),
        without_face=len(judged) - len(seen),
        left_out=len(portraits.rows) - len(labelled),
        learnt_from=len(labelled) - len(judged),
        figures=judge(readings, seed=seed),
    )


def cut_portraits(portraits: Portraits, *, detector: FaceDetector | None = None) -> CutPortraits:
    """The faces that the product would read, one of each portrait; those in which none is found are left out.

    Args:
        portraits: With or without labels.
        detector: What finds the faces; the one that ships without it.

    Raises:
        InputError: A portrait cannot be decoded.
    """
    settings = FaceSettings(max_faces=1)
    looking = _Looking()
    analyzer = FaceAnalyzer(detector or build_detector(settings), looking, build_tables(settings), settings)
    found = [row for row, answer in zip(portraits.rows, _answers(analyzer, portraits.rows), strict=True) if answer]
    crops = np.stack(looking.crops) if looking.crops else np.zeros((0, CROP_SIDE, CROP_SIDE), np.uint8)
    return CutPortraits(crops, [each.person for each in found], [each.expression for each in found])


class _Looking:
    """A classifier that says nothing and keeps what it is shown."""

    labels: tuple[str, ...] = FER2013_LABELS

    def __init__(self) -> None:
        self.crops: list[npt.NDArray[np.uint8]] = []

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        self.crops.extend(crops)
        return np.full((len(crops), len(self.labels)), 1 / len(self.labels), np.float32)

    def warm_up(self) -> None:
        """Nothing."""


class _Combined:
    """A classifier of the laboratory as the analyzer takes one: both heads' answer together."""

    labels: tuple[str, ...] = FER2013_LABELS

    def __init__(self, classifier: FaceClassifier) -> None:
        self._classifier = classifier

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return self._classifier.probabilities(crops).combined

    def warm_up(self) -> None:
        """Nothing: the first call may take longer."""


def _answers(analyzer: FaceAnalyzer, portraits: Sequence[Portrait]) -> Iterator[Prediction | None]:
    """What is said of each portrait's largest face; None where none is found."""
    for start in range(0, len(portraits), BATCH):
        batch = portraits[start : start + BATCH]
        for predictions in analyzer.analyze([ImageFrame(portrait.decode()) for portrait in batch]):
            yield predictions[0] if predictions else None
