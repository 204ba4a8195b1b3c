"""Customer policies: whose satisfaction it is where several faces are seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mien.types import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPolicyInfo:
    """What is known of a customer policy before a session asks for it."""

    version: str
    description: str = ""


class NewCustomer(StrEnum):
    """What a session does when its customer has left and another stands there.

    ``END`` ends it, so that each visit has a session of its own; ``RESTART`` goes on and begins the evidence anew, so
    that the summary is that of the last one. Evidence never passes from one to the other.
    """

    END = "end"
    RESTART = "restart"


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

    @property
    def customers(self) -> int:
        """How many customers there were so far, one after the other, the present one among them.

        Where it grows beyond 1, another customer has come, and the session does what ``new_customer`` asks for. 0 is a
        policy that does not tell, and never ends a visit.
        """
        return 0

    @abstractmethod
    def choose(self, faces: Sequence[Prediction], *, frame_size: tuple[int, int] | None, at: float) -> Collection[str]:
        """The subject ids of those of one picture who are the customer; those of others are left out of the score.

        Args:
            faces: The faces of the picture that are not left out, perhaps none.
            frame_size: Width and height of the picture in pixels; None where unknown.
            at: Session time, seconds.
        """
