"""Figures about a detector's answers: recall, precision, average precision, landmarks. Boxes in, numbers out.

A found box is *right* where it overlaps a face that no better-scored box has taken, with an intersection over union of
at least ``OVERLAP``. It *does not count*, either way, where it shows a face too small to be asked for or a box labelled
uncertain, or lies mostly on one. All else is *false*, of whatever size it is. The rules are those of PASCAL VOC
(Everingham et al. 2010) with COCO's for regions to be ignored (Lin et al. 2014).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from mien import Box, Detection
from mien_face_lab.detection.labelled import LabelledFace, LabelledPicture, Points
from mien_face_lab.detection.parts import (
    FaceResult,
    GroupFigures,
    PoseFigures,
    SizeFigures,
    by_group,
    by_pose,
    by_size,
    mean_error,
    pose_of,
)

OVERLAP: Final = 0.5
"""Intersection over union from which a box shows a face."""
ON_IGNORED: Final = 0.5
"""Share of a found box that must lie on an ignored one for it not to count."""
LEAST_EYE_DISTANCE: Final = 0.15
"""Share of the box's width."""


class MatchKind(StrEnum):
    """What became of a found box."""

    RIGHT = "right"
    FALSE = "false"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one found box.

    Attributes:
        kind: Right, false, or not counted.
        face: Which of the faces it shows; none unless it is right.
    """

    kind: MatchKind
    face: int | None = None


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """How a detector fared; a figure without a case to judge by is none.

    Attributes:
        pictures: Pictures judged.
        faces: Faces that count: their shorter side has at least ``min_size`` pixels.
        min_size: Pixels.
        threshold: Score from which a box counts, for all figures but ``ap50``.
        recall: Share of the faces that were found.
        precision: Share of the found boxes that are right, of those that count.
        false_positives_per_image: False boxes a picture.
        ap50: Average precision: area under the envelope of precision over recall, over all scores.
        landmark_error: Mean distance of found landmarks from the true ones, in eye distances of the face.
        face_free_pictures: Pictures without a face and without an uncertain box.
        face_free_with_false: Share of them in which something was found.
        by_size: Faces by their size.
        by_pose: Faces by how far they are turned aside.
        by_group: Pictures by their group, where they have one.
    """

    pictures: int
    faces: int
    min_size: float
    threshold: float
    recall: float | None
    precision: float | None
    false_positives_per_image: float
    ap50: float | None
    landmark_error: float | None
    face_free_pictures: int
    face_free_with_false: float | None
    by_size: tuple[SizeFigures, ...]
    by_pose: tuple[PoseFigures, ...]
    by_group: tuple[GroupFigures, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Found:
    """A found box that counts."""

    score: float
    right: bool
    group: str


def evaluate_detections(
    judged: Iterable[tuple[LabelledPicture, Sequence[Detection]]], *, min_size: float, threshold: float
) -> DetectionFigures:
    """Judge what a detector found.

    Args:
        judged: Each picture, and what was found in it, also with scores below the threshold.
        min_size: Faces whose shorter side has fewer pixels do not count.
        threshold: Score from which a found box counts as an answer.

    Raises:
        ValueError: There is no picture.
    """
    found: list[_Found] = []
    faces: list[FaceResult] = []
    groups: list[str] = []
    face_free = alarmed = 0
    for picture, detections in judged:
        groups.append(picture.group)
        here, of_picture = _judge(picture, detections, min_size=min_size, threshold=threshold)
        found += here
        faces += of_picture
        if not picture.faces and not picture.uncertain:
            face_free += 1
            alarmed += any(each.score >= threshold for each in detections)
    if not groups:
        raise ValueError("there is no picture to judge by")
    answers = [each for each in found if each.score >= threshold]
    right = sum(each.right for each in answers)
    return DetectionFigures(
        pictures=len(groups),
        faces=len(faces),
        min_size=min_size,
        threshold=threshold,
        recall=_share(right, len(faces)),
        precision=_share(right, len(answers)),
        false_positives_per_image=(len(answers) - right) / len(groups),
        ap50=average_precision([each.score for each in found], [each.right for each in found], len(faces)),
        landmark_error=mean_error(faces),
        face_free_pictures=face_free,
        face_free_with_false=_share(alarmed, face_free),
        by_size=tuple(by_size(faces, min_size)),
        by_pose=tuple(by_pose(faces)),
        by_group=tuple(by_group(faces, groups, [each.group for each in answers if not each.right])),
    )


def match(
    found: Sequence[Box], faces: Sequence[Box], ignored: Sequence[Box] = (), *, overlap: float = OVERLAP
) -> list[Match]:
    """Decide what each found box is.

    Args:
        found: Best score first: each takes the free face that it overlaps most.
        faces: Those that count.
        ignored: Boxes that count neither way.
        overlap: Intersection over union from which a box shows a face.

    Returns:
        One answer for each found box, in their order. No face is taken twice.
    """
    free = set(range(len(faces)))
    answers = []
    for box in found:
        best = max(free, key=lambda index: (faces[index].iou(box), -index), default=None)
        if best is not None and faces[best].iou(box) >= overlap:
            free.remove(best)
            answers.append(Match(MatchKind.RIGHT, best))
        elif any(_lies_on(box, other) for other in ignored):
            answers.append(Match(MatchKind.IGNORED))
        else:
            answers.append(Match(MatchKind.FALSE))
    return answers


def average_precision(scores: Sequence[float], right: Sequence[bool], faces: int) -> float | None:
    """Area under the envelope of precision over recall.

    Args:
        scores: Of the found boxes that count.
        right: Whether each shows a face.
        faces: How many there were to find.

    Returns:
        In [0, 1]; none where there were no faces. Boxes of one score are taken together, so that order cannot matter.
    """
    if faces == 0:
        return None
    if not scores:
        return 0.0
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    ranked = np.asarray(scores, np.float64)[order]
    hits = np.cumsum(np.asarray(right, np.float64)[order])
    last_of_score = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    recall = hits[last_of_score] / faces
    precision = hits[last_of_score] / (last_of_score + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def landmark_error(found: Points, face: LabelledFace) -> float | None:
    """Mean distance of landmarks from the true ones in true eye distances; none where either is unknown.

    The eyes of a face in profile are nearly in one place: a distance below ``LEAST_EYE_DISTANCE`` counts as that.
    """
    true = face.landmarks
    if not found or not true:
        return None
    eyes = max(math.dist(true[0], true[1]), LEAST_EYE_DISTANCE * face.box.width)
    return float(np.mean([math.dist(one, other) for one, other in zip(found, true, strict=True)])) / eyes


def size_of(box: Box) -> float:
    """What counts as a face's size: its shorter side, pixels."""
    return min(box.width, box.height)


def _judge(
    picture: LabelledPicture, detections: Sequence[Detection], *, min_size: float, threshold: float
) -> tuple[list[_Found], list[FaceResult]]:
    large = [face for face in picture.faces if size_of(face.box) >= min_size]
    small = [face.box for face in picture.faces if size_of(face.box) < min_size]
    ranked = sorted(detections, key=lambda each: (-each.score, each.box.x, each.box.y, each.box.area))
    matches = match([each.box for each in ranked], [face.box for face in large], [*small, *picture.uncertain])
    faces = [FaceResult(size_of(face.box), pose_of(face.landmarks), picture.group) for face in large]
    for detection, answer in zip(ranked, matches, strict=True):
        if answer.face is not None and detection.score >= threshold:
            _note(faces[answer.face], large[answer.face], detection)
    counted = [
        _Found(detection.score, answer.kind is MatchKind.RIGHT, picture.group)
        for detection, answer in zip(ranked, matches, strict=True)
        if answer.kind is not MatchKind.IGNORED
    ]
    return counted, faces


def _note(face: FaceResult, true: LabelledFace, detection: Detection) -> None:
    face.found = True
    face.landmark_error = landmark_error(detection.landmarks, true)


def _lies_on(box: Box, ignored: Box) -> bool:
    return box.intersection(ignored) >= ON_IGNORED * box.area > 0.0 or ignored.iou(box) >= OVERLAP


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
