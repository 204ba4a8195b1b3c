"""Who the customer is, where several faces are seen: the most prominent face, held on to. Geometry only.

Who a face belongs to from picture to picture is the tracker's business (``subject_id``); this module picks among them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from mien.errors import SessionError
from mien.interfaces import CustomerChoice
from mien.types import FaceRegion, Modality, Prediction

SWITCH_RATIO: Final = 1.3
"""Another face must be so many times as prominent as the customer's..."""

SWITCH_SNAPSHOTS: Final = 3
"""...in so many pictures in a row to become the customer."""

HOLD_SECONDS: Final = 3.0
"""A customer who is not seen stays the customer for so long."""

EDGE_PROMINENCE: Final = 0.5
"""A face in the corner counts so much of its size, one in the middle all of it."""


def is_seen(prediction: Prediction) -> bool:
    """Whether a prediction is about a face in a picture, and so about one subject of several."""
    return prediction.modality == Modality.FACE or isinstance(prediction.evidence, FaceRegion)


def is_excluded(
    prediction: Prediction,
    regions: Iterable[tuple[float, float, float, float]],
    frame_size: tuple[int, int] | None,
) -> bool:
    """Whether the middle of a face lies in one of the regions (fractions of the picture)."""
    if frame_size is None or not isinstance(prediction.evidence, FaceRegion):
        return False
    box = prediction.evidence.box
    across = (box.x + box.width / 2.0) / frame_size[0]
    down = (box.y + box.height / 2.0) / frame_size[1]
    return any(x <= across <= x + width and y <= down <= y + height for x, y, width, height in regions)


def prominence(prediction: Prediction, frame_size: tuple[int, int] | None) -> float:
    """Size of a face, less the further it is from the middle; square pixels."""
    if not isinstance(prediction.evidence, FaceRegion):
        return 0.0
    box = prediction.evidence.box
    if frame_size is None:
        return box.area
    width, height = frame_size
    away = math.hypot(box.x + box.width / 2.0 - width / 2.0, box.y + box.height / 2.0 - height / 2.0)
    corner = math.hypot(width, height) / 2.0
    return box.area * (1.0 - (1.0 - EDGE_PROMINENCE) * min(1.0, away / corner))


class Everybody(CustomerChoice):
    """All who are seen are the customer."""

    @property
    def everybody(self) -> bool:
        """Yes."""
        return True

    @property
    def subject_id(self) -> str:
        """Nobody in particular."""
        return ""

    def choose(self, faces: Sequence[Prediction], *, frame_size: tuple[int, int] | None, at: float) -> frozenset[str]:
        """All of them."""
        return frozenset(face.subject_id for face in faces)


class PrimaryCustomer(CustomerChoice):
    """Holds on to the most prominent face."""

    def __init__(self) -> None:
        self._subject_id: str | None = None
        self._seen_at = -math.inf
        self._challenger = ""
        self._wins = 0

    @property
    def subject_id(self) -> str:
        """The customer's; empty before anybody was seen."""
        return self._subject_id or ""

    def choose(self, faces: Sequence[Prediction], *, frame_size: tuple[int, int] | None, at: float) -> frozenset[str]:
        """The customer, whether in this picture or not; nobody before somebody was seen.

        Args:
            faces: The faces of one picture that are not left out.
            frame_size: Width and height of the picture, pixels; None where unknown.
            at: Session time, seconds.
        """
        self._see(faces, frame_size, at)
        return frozenset() if self._subject_id is None else frozenset({self._subject_id})

    def _see(self, faces: Sequence[Prediction], frame_size: tuple[int, int] | None, at: float) -> None:
        prominences: dict[str, float] = {}
        for face in faces:
            size = prominence(face, frame_size)
            prominences[face.subject_id] = max(size, prominences.get(face.subject_id, 0.0))
        if not prominences:
            return
        best = max(sorted(prominences), key=prominences.__getitem__)
        if self._subject_id in prominences:
            self._seen_at = max(self._seen_at, at)
            self._challenge(best, prominences)
        elif self._subject_id is None or at - self._seen_at > HOLD_SECONDS:
            self._switch(best, at)

    def _challenge(self, best: str, prominences: dict[str, float]) -> None:
        """Count how often in a row the same other face was much more prominent."""
        current = prominences[self._subject_id or ""]
        if best == self._subject_id or prominences[best] <= SWITCH_RATIO * current:
            self._wins = 0
            return
        self._wins = self._wins + 1 if best == self._challenger else 1
        self._challenger = best
        if self._wins >= SWITCH_SNAPSHOTS:
            self._switch(best, self._seen_at)

    def _switch(self, subject_id: str, at: float) -> None:
        self._subject_id = subject_id
        self._seen_at = at
        self._wins = 0


BUILT_IN: Final[Mapping[str, Callable[[], CustomerChoice]]] = {"primary": PrimaryCustomer, "all": Everybody}
"""The policies that a session knows by itself."""


def built_in_choice(policy: str) -> CustomerChoice:
    """A new state of one of the core's own policies. Raises SessionError where the name is another's."""
    if policy not in BUILT_IN:
        raise SessionError(
            f"the customer policy {policy!r} is none of the core's own ({', '.join(BUILT_IN)}); a plugin's is made by "
            "its host"
        )
    return BUILT_IN[policy]()
