"""Figures about a part of the faces: those of a size, of a pose, or of pictures from one source."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mien_face_lab.detection.labelled import Points

SIZE_EDGES: Final = (24, 32, 48, 64, 96, 128, 192)
"""Where one class of face sizes ends and the next begins, pixels of the shorter side."""

_TURNED_FROM: Final = 0.3
_PROFILE_FROM: Final = 0.8
"""Distance of the nose's tip from the middle of the eyes, along their line and in eye distances: looking through 2,200
faces, both eyes are whole below the first, and the far one is on the face's outline or behind it above the second."""


class Pose(StrEnum):
    """How far a face is turned aside, told from its landmarks."""

    FRONTAL = "frontal"
    HALF = "half"
    PROFILE = "profile"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class FaceResult:
    """What became of a face that counts.

    Attributes:
        size: Shorter side, pixels.
        pose: From its true landmarks.
        group: Of its picture.
        found: Whether a box shows it.
        landmark_error: Of that box, in eye distances.
    """

    size: float
    pose: Pose = Pose.UNKNOWN
    group: str = ""
    found: bool = False
    landmark_error: float | None = None


@dataclass(frozen=True, slots=True)
class SizeFigures:
    """How faces of one size fared.

    Attributes:
        from_size: Smallest shorter side, pixels.
        to_size: Below this; none where there is no limit.
        faces: Faces of this size.
        recall: Share of them that were found.
        landmark_error: As in ``DetectionFigures``.
    """

    from_size: float
    to_size: float | None
    faces: int
    recall: float | None
    landmark_error: float | None


@dataclass(frozen=True, slots=True)
class PoseFigures:
    """How faces of one pose fared.

    Attributes:
        pose: Theirs.
        faces: Faces of this pose.
        recall: Share of them that were found.
        landmark_error: As in ``DetectionFigures``.
    """

    pose: Pose
    faces: int
    recall: float | None
    landmark_error: float | None


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """How the pictures of one group fared.

    Attributes:
        group: What they have in common.
        pictures: How many.
        faces: Faces on them that count.
        recall: Share of these that were found.
        false_positives_per_image: False boxes a picture.
        landmark_error: As in ``DetectionFigures``.
    """

    group: str
    pictures: int
    faces: int
    recall: float | None
    false_positives_per_image: float
    landmark_error: float | None


def pose_of(landmarks: Points) -> Pose:
    """How far a face is turned aside; unknown without landmarks, or where the eyes are in one place."""
    if not landmarks:
        return Pose.UNKNOWN
    right_eye, left_eye, nose = landmarks[:3]
    across = (left_eye[0] - right_eye[0], left_eye[1] - right_eye[1])
    length = math.hypot(*across)
    if length == 0.0:
        return Pose.UNKNOWN
    aside = (nose[0] - (right_eye[0] + left_eye[0]) / 2, nose[1] - (right_eye[1] + left_eye[1]) / 2)
    turn = abs(aside[0] * across[0] + aside[1] * across[1]) / length**2
    if turn < _TURNED_FROM:
        return Pose.FRONTAL
    return Pose.HALF if turn < _PROFILE_FROM else Pose.PROFILE


def by_size(faces: Sequence[FaceResult], min_size: float) -> Iterator[SizeFigures]:
    """Classes of size that have faces."""
    edges: list[float] = [min_size, *(edge for edge in SIZE_EDGES if edge > min_size)]
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        these = [face for face in faces if low <= face.size and (high is None or face.size < high)]
        if these:
            yield SizeFigures(low, high, len(these), recall(these), mean_error(these))


def by_pose(faces: Sequence[FaceResult]) -> Iterator[PoseFigures]:
    """Poses that have faces."""
    for pose in Pose:
        these = [face for face in faces if face.pose is pose]
        if these:
            yield PoseFigures(pose, len(these), recall(these), mean_error(these))


def by_group(
    faces: Sequence[FaceResult], pictures: Sequence[str], false_boxes: Sequence[str]
) -> Iterator[GroupFigures]:
    """Groups of pictures, by name; nothing where pictures have none.

    Args:
        faces: All that count.
        pictures: The group of each picture.
        false_boxes: The group of the picture of each false box.
    """
    for group in sorted(set(pictures) - {""}):
        these = [face for face in faces if face.group == group]
        count = pictures.count(group)
        share = false_boxes.count(group) / count
        yield GroupFigures(group, count, len(these), recall(these), share, mean_error(these))


def recall(faces: Sequence[FaceResult]) -> float | None:
    """Share that was found; none of no faces."""
    return sum(face.found for face in faces) / len(faces) if faces else None


def mean_error(faces: Iterable[FaceResult]) -> float | None:
    """Of the landmarks of those found that have any."""
    errors = [face.landmark_error for face in faces if face.landmark_error is not None]
    return sum(errors) / len(errors) if errors else None
