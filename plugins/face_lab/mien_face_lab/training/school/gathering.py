"""Makes a school's pool and exam of labelled faces and portraits.

Portraits carry coarse labels, and are few where something speaks against a service; but they are people as a camera
before a counter sees them, where FER2013's come from web searches for emotions. Persons that ``is_kept_back`` names are
for the exam alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from mien_face.labels import FER2013_LABELS, FERPLUS_LABELS, Head, majority_labels
from mien_face_lab.counter import KINDS, Kind
from mien_face_lab.portraits import CutPortraits, is_kept_back
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.school.pool import Floats, Pool
from mien_face_lab.training.school.storing import Exam
from mien_face_lab.training.targets import label_targets, weigh_undecided
from mien_face_lab.training.votes import labels_by_votes

SMOOTHING: Final = 0.05
MAJORITY_SHARE: Final = 0.7
UNDECIDED_WEIGHT: Final = 0.5
RARE: Final = ("disgust", "fear", "contempt")
RARE_SHOWN: Final = 2.0

PORTRAIT_SMOOTHING: Final = 0.2
PORTRAITS_SHOWN: Final[Mapping[str, float]] = MappingProxyType(
    {"neutral": 0.5, "happiness": 0.5, "": 0.3, "sadness": 4.0, "anger": 4.0, "disgust": 4.0}
)
"""How often a portrait of a label is shown in an epoch; others twice."""


def gather_pool(data: FaceData, portraits: CutPortraits) -> Pool:
    """What is learnt from: all faces, and the portraits of persons that are not kept back."""
    chosen = np.flatnonzero([not is_kept_back(person) for person in portraits.persons])
    words = [portraits.expressions[int(index)] for index in chosen]
    targets = label_targets(data, smoothing=SMOOTHING, majority_share=MAJORITY_SHARE)
    targets = weigh_undecided(targets, data, weight=UNDECIDED_WEIGHT)
    values, weights = _portrait_targets(words)
    none = np.zeros((len(chosen), len(FER2013_LABELS)), np.float32)
    return Pool(
        crops=np.concatenate([data.crops, portraits.crops[chosen]]),
        values={
            Head.FER2013: np.concatenate([targets[Head.FER2013][0], none + np.float32(1 / len(FER2013_LABELS))]),
            Head.FERPLUS: np.concatenate([targets[Head.FERPLUS][0], values]),
        },
        weights={
            Head.FER2013: np.concatenate([targets[Head.FER2013][1], np.zeros(len(chosen), np.float32)]),
            Head.FERPLUS: np.concatenate([targets[Head.FERPLUS][1], weights]),
        },
        chances=np.concatenate([labels_by_votes(data), none]),
        shown=np.concatenate([_shown(data), np.array([PORTRAITS_SHOWN.get(word, 2.0) for word in words], np.float32)]),
    )


def gather_exam(validation: FaceData, portraits: CutPortraits) -> Exam:
    """What is judged by: the validation part, and the portraits of persons that are kept back."""
    chosen = np.flatnonzero([is_kept_back(person) for person in portraits.persons])
    kinds = [list(Kind).index(KINDS[word]) if word in KINDS else -1 for word in portraits.expressions]
    nothing = np.full(len(chosen), -1, np.int64)
    return Exam(
        crops=np.concatenate([validation.crops, portraits.crops[chosen]]),
        labels=np.concatenate([validation.labels, nothing]),
        majority=np.concatenate([majority_labels(validation.votes), nothing]),
        kinds=np.concatenate([np.full(len(validation), -1, np.int64), np.array(kinds, np.int64)[chosen]]),
    )


def _shown(data: FaceData) -> Floats:
    """Faces of rare expressions twice."""
    majority = majority_labels(data.votes)
    rare = np.isin(majority, [FERPLUS_LABELS.index(word) for word in RARE])
    rare |= data.labels == FER2013_LABELS.index("disgust")
    return np.where(rare, np.float32(RARE_SHOWN), np.float32(1))


def _portrait_targets(words: Sequence[str]) -> tuple[Floats, npt.NDArray[np.float32]]:
    """FER+'s answers to portraits; those without a label count nothing."""
    known = np.array([word in FERPLUS_LABELS for word in words])
    labels = np.array([FERPLUS_LABELS.index(word) if word in FERPLUS_LABELS else 0 for word in words], np.int64)
    share = np.float32(PORTRAIT_SMOOTHING)
    hard = np.eye(len(FERPLUS_LABELS), dtype=np.float32)[labels]
    return (1 - share) * hard + share / len(FERPLUS_LABELS), known.astype(np.float32)
