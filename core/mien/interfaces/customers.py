"""Customer policies: whose satisfaction it is where several faces are seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mien.types import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPolicyInfo:
    """What is known of a customer policy before a session asks for it."""

    version: str
    description: str = ""


class CustomerChoice(ABC):
    """Who the customer is in one session. It has a session's state, and is used by one thread at a time.

    Which face is which from picture to picture is told by ``Prediction.subject_id``; a policy picks among them. It
    reads no clock: the same faces at the same times give the same customer.
    """

    @property
    def everybody(self) -> bool:
        """Whether all who are seen are the customer: a session then keeps each one's own satisfaction as well."""
        return False

    @property
    @abstractmethod
    def subject_id(self) -> str:
        """The customer's subject id; empty before anybody was seen, and where it is everybody."""

    @abstractmethod
    def choose(self, faces: Sequence[Prediction], *, frame_size: tuple[int, int] | None, at: float) -> Collection[str]:
        """The subject ids of those of one picture who are the customer; those of others are left out of the score.

        Args:
            faces: The faces of the picture that are not left out, perhaps none.
            frame_size: Width and height of the picture in pixels; None where unknown.
            at: Session time, seconds.
        """
