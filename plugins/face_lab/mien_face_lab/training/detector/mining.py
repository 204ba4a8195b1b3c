"""Finds the photographs of the training part on which a detector sees faces where there are none."""

from __future__ import annotations

from typing import Final

import numpy as np

from mien import Box
from mien_face.config import Arrays
from mien_face.detection.config import DetectorConfig
from mien_face_lab.training.detector.pictures import Picture, Pictures
from mien_face_lab.training.detector.validation import runtime_detector

ALARMING_SCORE: Final = 0.42
"""Answers from this score on make a photograph a hard one: a little under any threshold that is shipped."""


def hard_names(config: DetectorConfig, folded: Arrays, pictures: Pictures) -> list[str]:
    """Names of the photographs without a face in which the detector sees one.

    Args:
        config: The network.
        folded: Its arrays, as ``mien_face_lab.detection.folding.fold`` makes them.
        pictures: Those of the training part.
    """
    detector = runtime_detector(config, folded, min_score=ALARMING_SCORE)
    photographs = [each for each in pictures.people + pictures.scenes if not len(each.boxes)]
    return [
        picture.name
        for picture in photographs
        if any(not _is_ignored(each.box, picture) for each in detector.detect([picture.pixels()])[0])
    ]


def _is_ignored(box: Box, picture: Picture) -> bool:
    """Whether an answer's centre lies on something that may be a face."""
    centre = np.array([box.x + box.width / 2, box.y + box.height / 2])
    inside = (centre >= picture.ignored[:, :2]) & (centre <= picture.ignored[:, 2:])
    return bool(inside.all(axis=1).any())
