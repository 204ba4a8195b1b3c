"""Labelled faces in memory: what every reader makes and every learner takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from mien_face.labels import FER2013_LABELS

VOTE_COLUMNS: Final = (
    "votes_neutral",
    "votes_happiness",
    "votes_surprise",
    "votes_sadness",
    "votes_anger",
    "votes_disgust",
    "votes_fear",
    "votes_contempt",
    "votes_unknown",
    "votes_NF",
)
"""FER+'s votes: the eight emotions in the order of ``FERPLUS_LABELS``, then unknown and not-a-face."""

COLUMNS: Final = ("image", "emotion", *VOTE_COLUMNS)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was left out.

    Attributes:
        where: File, and row where it has rows.
        why: The reason.
    """

    where: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class FaceData:
    """Labelled faces.

    Attributes:
        crops: uint8 grey, ``[count, 48, 48]``.
        labels: int64, ``[count]``: positions in ``names``.
        votes: float32, ``[count, 10]``: FER+ votes as in ``VOTE_COLUMNS``; 0 where nobody voted.
        names: The classes: FER2013's seven, or with contempt eight.
        skipped: What the reader left out.
        groups: ``[count]``, what each belongs to by the column that was asked for; None where none was.
    """

    crops: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.float32]
    names: tuple[str, ...] = FER2013_LABELS
    skipped: tuple[Skipped, ...] = ()
    groups: npt.NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: npt.NDArray[np.int64]) -> FaceData:
        """The faces at these positions, in this order; a position may come more than once."""
        return replace(
            self,
            crops=self.crops[chosen],
            labels=self.labels[chosen],
            votes=self.votes[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )

    def joined(self, other: FaceData) -> FaceData:
        """These faces and others after them, of all classes of either; in groups if both are."""
        if len(other.names) > len(self.names):
            return replace(self, names=other.names).joined(other)
        groups = None
        if self.groups is not None and other.groups is not None:
            groups = np.concatenate([self.groups, other.groups])
        return replace(
            self,
            crops=np.concatenate([self.crops, other.crops]),
            labels=np.concatenate([self.labels, other.labels]),
            votes=np.concatenate([self.votes, other.votes]),
            skipped=(*self.skipped, *other.skipped),
            groups=groups,
        )

    def within(self, names: tuple[str, ...]) -> FaceData:
        """The faces of these classes, with labels that are positions in ``names``; others are listed as skipped."""
        if names == self.names:
            return self
        position = np.array([names.index(name) if name in names else -1 for name in self.names], np.int64)
        labels = position[self.labels]
        left_out = [
            Skipped(f"{np.count_nonzero(self.labels == index)} faces", f"of class {name}, which is not asked for")
            for index, name in enumerate(self.names)
            if position[index] < 0 and (self.labels == index).any()
        ]
        kept = self.take(np.flatnonzero(labels >= 0))
        return replace(kept, labels=labels[labels >= 0], names=names, skipped=(*self.skipped, *left_out))

    def digest(self) -> str:
        """A fingerprint of pictures and labels, by which a resumed run knows its data."""
        fingerprint = hashlib.sha256(np.ascontiguousarray(self.crops).tobytes())
        fingerprint.update(self.labels.tobytes() + self.votes.tobytes())
        return fingerprint.hexdigest()[:16]
