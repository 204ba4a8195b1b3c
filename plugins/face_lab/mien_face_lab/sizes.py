"""Networks of several sizes beside each other: what each costs, and how well it reads the same faces and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mien import WeightsError
from mien_face.config import NetworkConfig
from mien_face.inference import NETWORK_NAME
from mien_face.labels import majority_labels
from mien_face_lab.asking import judge_people

if TYPE_CHECKING:
    from mien_face_lab.asking import People
    from mien_face_lab.classifiers import FaceClassifier
    from mien_face_lab.training.data import FaceData


@dataclass(frozen=True, slots=True)
class Size:
    """A network's cost and worth.

    Attributes:
        name: Of its weights.
        sha256: Of its weights.
        operations: Multiplications and additions a face, counted apart.
        parameters: Numbers in it.
        fer2013: Accuracy by FER2013's labels.
        ferplus: Accuracy by FER+'s majority; None where nobody voted.
        counter: Name of a figure of ``mien_face_lab.counter`` -> value; empty where portraits were not looked at.
    """

    name: str
    sha256: str
    operations: int
    parameters: int
    fer2013: float
    ferplus: float | None
    counter: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


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


def rows(sizes: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The sizes as text for a table, the first row the head; smallest first.

    Args:
        sizes: As ``Size.to_json`` makes them.
    """
    head = ("weights", "MFLOPs", "million parameters", "FER+ majority", "FER2013 labels")
    shown: list[tuple[str, ...]] = [(*head, "neutral read as neutral", "AUC neutral, negative", "AUC smiling, neutral")]
    for each in sorted(sizes, key=lambda size: size["operations"]):
        shares = (each["ferplus"], each["fer2013"], each["counter"].get("neutral_as_neutral"))
        areas = (each["counter"].get(name) for name in ("auc_neutral_negative", "auc_smiling_neutral"))
        shown.append(
            (
                each["name"],
                f"{each['operations'] / 1e6:.0f}",
                f"{each['parameters'] / 1e6:.2f}",
                *("-" if value is None else f"{value:.1%}" for value in shares),
                *("-" if value is None else f"{value:.3f}" for value in areas),
            )
        )
    return shown
