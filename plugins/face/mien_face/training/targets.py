"""What a network is to answer for each face: its labels, softened, and what a teacher makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mien_face.labels import FER2013_LABELS, Head, vote_targets
from mien_face.training.faces import FaceData

Floats = npt.NDArray[np.float32]

Targets: TypeAlias = Mapping[Head, tuple[Floats, Floats]]
"""Head -> distributions ``[count, labels]`` and weights ``[count]``."""


def label_targets(data: FaceData, *, smoothing: float) -> Targets:
    """The FER2013 label, a share of which is spread over all classes, and FER+'s votes."""
    share = np.float32(smoothing)
    hard = np.eye(len(FER2013_LABELS), dtype=np.float32)[data.labels]
    smooth = (1 - share) * hard + share / np.float32(len(FER2013_LABELS))
    return {Head.FER2013: (smooth, np.ones(len(data), np.float32)), Head.FERPLUS: vote_targets(data.votes)}


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


def at(targets: Targets, chosen: npt.NDArray[np.int64]) -> Targets:
    """The targets of the faces at these positions."""
    return {head: (values[chosen], weights[chosen]) for head, (values, weights) in targets.items()}
