"""Who the customer is, where several faces are seen: the most prominent face, held on to. Geometry only.

Who a face belongs to from picture to picture is the tracker's business (``subject_id``); this module picks among them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from mien.errors import SessionError
from mien.interfaces import CustomerChoice
from mien.session.sightings import Sighting, Sightings, distance, is_cut
from mien.types import Box, FaceRegion, Modality, Prediction

SWITCH_RATIO: Final = 1.3
"""Another face must be so many times as prominent as the customer's..."""

SWITCH_SNAPSHOTS: Final = 3
"""...in so many pictures in a row..."""

SWITCH_SECONDS: Final = 1.0
"""...over so long, to become the customer; half as long where the customer is walking off."""

HOLD_SECONDS: Final = 3.0
"""A customer who is not seen, and was not seen to leave, stays the customer for so long, whoever else is in sight."""

RETURN_SECONDS: Final = 4.0
"""Who appears so soon where the customer was lost, and as large, is the customer, who had looked away."""

RETURN_DISTANCE: Final = 0.6
"""Widths from where the customer was lost that a return may lie."""

RETURN_RATIO: Final = 1.35
"""And how much larger or smaller."""

GONE_SECONDS: Final = 0.7
"""A track that was leaving and comes back after so long is somebody else, who came the same way."""

STANDS: Final = 0.5
"""Of the customer's prominence, from which somebody stands at the counter and not behind it."""

STAND_SECONDS: Final = 0.5
"""Somebody who walks by does not stand still for so long."""

IN_PLACE: Final = 0.8
"""Widths from the customer's place within which nobody else stands while the customer is there."""

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
    """Holds on to the most prominent face, and tells when another one has taken its place."""

    def __init__(self) -> None:
        self._subject_id: str | None = None
        self._customers = 0
        self._sightings = Sightings()
        self._challenger = ""
        self._wins = 0
        self._challenged_at = 0.0
        self._unseen = 0

    @property
    def subject_id(self) -> str:
        """The customer's; empty before anybody was seen."""
        return self._subject_id or ""

    @property
    def customers(self) -> int:
        """Customers so far, the present one among them."""
        return self._customers

    def choose(self, faces: Sequence[Prediction], *, frame_size: tuple[int, int] | None, at: float) -> frozenset[str]:
        """The customer, whether in this picture or not; nobody before somebody was seen.

        Args:
            faces: The faces of one picture that are not left out.
            frame_size: Width and height of the picture, pixels; None where unknown.
            at: Session time, seconds.
        """
        seen: dict[str, tuple[Box, float]] = {}
        for face in faces:
            size = prominence(face, frame_size)
            if face.subject_id not in seen or size > seen[face.subject_id][1]:
                seen[face.subject_id] = _box_of(face), size
        if seen:
            self._see(seen, frame_size, at)
        else:
            self._sightings.see(seen, at)
        self._unseen = 0 if self._subject_id in seen else self._unseen + 1
        return frozenset() if self._subject_id is None else frozenset({self._subject_id})

    def _see(self, seen: Mapping[str, tuple[Box, float]], frame_size: tuple[int, int] | None, at: float) -> None:
        best = max(sorted(seen), key=lambda name: seen[name][1])
        known = self._subject_id
        if known is None:
            self._sightings.see(seen, at)
            self._switch(best)
        elif known in seen:
            is_other = self._is_other(self._sightings[known], seen[known][0], frame_size, at)
            self._sightings.see(seen, at)
            if is_other:
                self._sightings.begin_again(known, *seen[known], at)
                self._switch(best)
            else:
                self._challenge(best, seen, frame_size, at)
        else:
            self._sightings.see(seen, at)
            self._replace(best, frame_size, at)

    def _is_other(self, customer: Sighting, box: Box, frame_size: tuple[int, int] | None, at: float) -> bool:
        """Whether the customer's track goes on as somebody else's, who came the way that the customer went."""
        if not customer.has_left(frame_size):
            return False
        was_out = self._unseen > 0 and at - customer.at >= GONE_SECONDS
        turned_round = is_cut(customer.box, frame_size) and not is_cut(box, frame_size)
        return was_out or turned_round

    def _challenge(
        self, best: str, seen: Mapping[str, tuple[Box, float]], frame_size: tuple[int, int] | None, at: float
    ) -> None:
        """Count how often in a row the same other face was much more prominent."""
        known = self._subject_id or ""
        is_there = self._sightings[best].rested_for(at) >= STAND_SECONDS
        if best == known or seen[best][1] <= SWITCH_RATIO * seen[known][1]:
            self._wins = 0
            return
        if best != self._challenger or self._wins == 0:
            self._challenger, self._wins, self._challenged_at = best, 0, at
        self._wins += 1
        leaves = self._sightings[known].has_left(frame_size)
        needed = SWITCH_SECONDS * (0.5 if leaves else 1.0)
        if is_there and self._wins >= SWITCH_SNAPSHOTS - leaves and at - self._challenged_at >= needed:
            self._switch(best)

    def _replace(self, best: str, frame_size: tuple[int, int] | None, at: float) -> None:
        """Who the customer is while the one that was is not seen, and somebody else is."""
        customer, other = self._sightings[self._subject_id or ""], self._sightings[best]
        left = customer.has_left(frame_size)
        is_near = other.size >= STANDS * customer.size
        if (is_near and not customer.has_rested) or (not left and _returns(customer, other)):
            self._subject_id = best  # who has not stood at the counter yet is no customer before this one
            return
        stands = is_near and other.rested_for(at) >= STAND_SECONDS
        has_place = left or distance(customer.box, other.box) < IN_PLACE
        if at - customer.at > HOLD_SECONDS or (stands and has_place):
            self._switch(best)

    def _switch(self, subject_id: str) -> None:
        self._subject_id = subject_id
        self._customers += 1
        self._wins = 0


def _returns(customer: Sighting, other: Sighting) -> bool:
    """Whether a new face is the customer's, whose track was lost."""
    gap = other.first_at - customer.at
    ratio = (other.first_box.width + 1.0) / (customer.box.width + 1.0)
    return (
        0.0 < gap <= RETURN_SECONDS
        and distance(customer.box, other.first_box) <= RETURN_DISTANCE
        and 1.0 / RETURN_RATIO <= ratio <= RETURN_RATIO
    )


def _box_of(face: Prediction) -> Box:
    return face.evidence.box if isinstance(face.evidence, FaceRegion) else Box(0.0, 0.0, 0.0, 0.0)


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
