"""Asks the face analyzer what people on portraits show: detector, crop, network and tables as in the product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from mien import ImageFrame, InputError, Prediction, WeightsError
from mien_face.analyzer import FaceAnalyzer
from mien_face.config import NetworkConfig
from mien_face.crop import CROP_SIDE
from mien_face.factory import build_detector, build_tables
from mien_face.inference import NETWORK_NAME
from mien_face.labels import FER2013_LABELS, majority_labels
from mien_face.settings import FaceSettings
from mien_face_lab.counter import KINDS, CounterFigures, Readings, judge
from mien_face_lab.portraits import CutPortraits, Portrait, Portraits, is_kept_back
from mien_face_lab.sizes import Size

if TYPE_CHECKING:
    from mien import FaceDetector
    from mien_face_lab.classifiers import FaceClassifier
    from mien_face_lab.training.data import FaceData

BATCH: Final = 16
"""Portraits in a call: the network's largest batch, and few enough to hold decoded."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Portraits that are judged by, with their faces cut out: found once, for all networks that are asked.

    Attributes:
        name: Of the file.
        digest: Of it.
        portraits: That are judged.
        persons: On them.
        left_out: Portraits of other labels, or of none.
        learnt_from: Portraits of persons whom a network learnt from, which are not judged.
        cut: The faces that were found.
    """

    name: str
    digest: str
    portraits: int
    persons: int
    left_out: int
    learnt_from: int
    cut: CutPortraits


def at_counter(
    classifier: FaceClassifier, portraits: Portraits, *, detector: FaceDetector | None = None, seed: int = 0
) -> CounterFigures:
    """Judge how people are read, each by the largest face of the portrait.

    Args:
        classifier: Loaded.
        portraits: As ``find_people`` takes them.
        detector: What finds the faces; the one that ships without it.
        seed: Of the intervals.

    Raises:
        InputError: No portrait is of a label that is judged, or one cannot be decoded.
    """
    return judge_people(classifier, find_people([classifier], portraits, detector=detector), seed=seed)


def find_people(
    classifiers: Sequence[FaceClassifier], portraits: Portraits, *, detector: FaceDetector | None = None
) -> People:
    """Find whom networks are judged by.

    Of the very file that one of them learnt from, which its manifest names by its digest, only the persons that were
    kept back are judged.

    Args:
        classifiers: The networks.
        portraits: Labelled; those of labels that are not judged are left out.
        detector: What finds the faces; the one that ships without it.

    Raises:
        InputError: No portrait is of a label that is judged, or one cannot be decoded.
    """
    labelled = [each for each in portraits.rows if each.expression in KINDS]
    digest = portraits.digest()
    known = any(each.manifest.training.get("portraits", {}).get("digest") == digest for each in classifiers)
    judged = [each for each in labelled if is_kept_back(each.person)] if known else labelled
    if not judged:
        raise InputError(f"no portrait of {portraits.name} has a label that is judged by: {', '.join(KINDS)}")
    return People(
        name=portraits.name,
        digest=digest,
        portraits=len(judged),
        persons=len({portrait.person for portrait in judged}),
        left_out=len(portraits.rows) - len(labelled),
        learnt_from=len(labelled) - len(judged),
        cut=cut_portraits(replace(portraits, rows=tuple(judged)), detector=detector),
    )


def judge_people(classifier: FaceClassifier, people: People, *, seed: int = 0) -> CounterFigures:
    """Judge how a network reads people: by both heads' answer together, and the tables that ship.

    Args:
        classifier: Loaded.
        people: Whom it is judged by.
        seed: Of the intervals.
    """
    cut = people.cut
    answers = classifier.probabilities(cut.crops).combined.astype(np.float64)
    satisfaction = build_tables(FaceSettings()).satisfaction
    evidence = answers @ [satisfaction[label] for label in FER2013_LABELS] / answers.sum(axis=1)
    readings = Readings(
        kinds=np.array([KINDS[expression] for expression in cut.expressions], np.str_),
        emotions=np.array(FER2013_LABELS, np.str_)[answers.argmax(axis=1)],
        evidence=np.clip(evidence, 0.0, 1.0),
        persons=np.array(cut.persons, np.str_),
    )
    return CounterFigures(
        name=people.name,
        digest=people.digest,
        portraits=people.portraits,
        persons=people.persons,
        without_face=people.portraits - len(cut.crops),
        left_out=people.left_out,
        learnt_from=people.learnt_from,
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


def _answers(analyzer: FaceAnalyzer, portraits: Sequence[Portrait]) -> Iterator[Prediction | None]:
    """What is said of each portrait's largest face; None where none is found."""
    for start in range(0, len(portraits), BATCH):
        batch = portraits[start : start + BATCH]
        for predictions in analyzer.analyze([ImageFrame(portrait.decode()) for portrait in batch]):
            yield predictions[0] if predictions else None


def size_of(classifier: FaceClassifier, faces: FaceData, people: People | None) -> Size:
    """Measure a network, one look a face.

    Args:
        classifier: A network of the shipped kind, loaded.
        faces: Labelled, of FER2013's classes.
        people: To judge by how people at a counter are read.

    Raises:
        WeightsError: It is a network of another kind, whose operations are not known.
    """
    manifest = classifier.manifest
    if manifest.network != NETWORK_NAME:
        raise WeightsError(f"{manifest.name} is of {manifest.network!r}; sizes of {NETWORK_NAME!r} can be compared")
    config = NetworkConfig.from_json(manifest.config)
    answers = classifier.probabilities(faces.crops)
    majority = majority_labels(faces.votes)
    right = (answers.ferplus.argmax(axis=1) == majority)[majority >= 0]
    counter = judge_people(classifier, people).figures if people is not None else {}
    return Size(
        name=manifest.name,
        sha256=manifest.sha256,
        operations=config.operations(),
        parameters=config.parameters(),
        fer2013=float(np.mean(answers.fer2013.argmax(axis=1) == faces.labels)),
        ferplus=float(right.mean()) if len(right) else None,
        counter={name: figure.value for name, figure in counter.items()},
    )
