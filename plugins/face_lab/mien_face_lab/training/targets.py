"""What a network is to answer for each face: its labels, softened, and what a teacher makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mien_face.labels import FER2013_LABELS, FERPLUS_LABELS, Head, majority_labels, vote_targets
from mien_face_lab.training.faces import FaceData

Floats = npt.NDArray[np.float32]

Targets: TypeAlias = Mapping[Head, tuple[Floats, Floats]]
"""Head -> distributions ``[count, labels]`` and weights ``[count]``."""


def label_targets(data: FaceData, *, smoothing: float, majority_share: float = 0.0) -> Targets:
    """The FER2013 label, a share of which is spread over all classes, and FER+'s votes.

    Args:
        data: The faces.
        smoothing: That share, 0 to 1; a majority is softened by it too.
        majority_share: Of a FER+ target that is what most people saw, rather than all their votes, on faces where the
            emotion of the majority rule exists, 0 to 1.
    """
    labels = _smoothed(data.labels, len(FER2013_LABELS), smoothing)
    votes, weights = vote_targets(data.votes)
    majority = majority_labels(data.votes)
    decided = majority >= 0
    share = np.float32(majority_share)
    votes[decided] *= 1 - share
    votes[decided] += share * _smoothed(majority[decided], len(FERPLUS_LABELS), smoothing)
    return {Head.FER2013: (labels, np.ones(len(data), np.float32)), Head.FERPLUS: (votes, weights)}


def weigh_undecided(targets: Targets, data: FaceData, *, weight: float) -> Targets:
    """The same targets, where faces whose votes have no majority count by this weight with FER+'s head."""
    values, weights = targets[Head.FERPLUS]
    decided = majority_labels(data.votes) >= 0
    return {**targets, Head.FERPLUS: (values, np.where(decided, weights, np.float32(weight) * weights))}


def taught(targets: Targets, answers: Mapping[Head, Floats], *, shares: Mapping[Head, float]) -> Targets:
    """Mix a teacher's answers into targets; a face without a target of its own is the teacher's alone.

    Args:
        targets: Of the labels.
        answers: The teacher's probabilities: head -> ``[count, labels]``.
        shares: Of each head's targets that are the teacher's, 0 to 1.

    Returns:
        Targets that all weigh 1.
    """
    mixed: dict[Head, tuple[Floats, Floats]] = {}
    for head, (values, weights) in targets.items():
        share = np.float32(shares[head])
        both = (1 - share) * values + share * answers[head]
        labelled = (weights > 0)[:, np.newaxis]
        mixed[head] = np.where(labelled, both, answers[head]).astype(np.float32), np.ones_like(weights)
    return mixed


def _smoothed(labels: npt.NDArray[np.int64], classes: int, share: float) -> Floats:
    hard = np.eye(classes, dtype=np.float32)[labels]
    return (1 - np.float32(share)) * hard + np.float32(share) / np.float32(classes)


def at(targets: Targets, chosen: npt.NDArray[np.int64]) -> Targets:
    """The targets of the faces at these positions."""
    return {head: (values[chosen], weights[chosen]) for head, (values, weights) in targets.items()}
