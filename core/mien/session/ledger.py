"""The ledger of a session: what came in, in order, so that the session can be gone through again under other rules."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from mien.errors import MienError
from mien.interfaces import CustomerChoice, Fuser
from mien.session.config import SessionConfig
from mien.session.session import Session
from mien.session.values import Ledger, SessionSummary


def replay(
    ledger: Ledger, fuser: Fuser, *, config: SessionConfig | None = None, customer: CustomerChoice | None = None
) -> SessionSummary:
    """Go through a session again.

    Under the rules that it was kept under this gives the summary that it had, bit for bit.

    Args:
        ledger: As the session kept it.
        fuser: The rule that turns evidence into satisfaction.
        config: Other options than the session's own.
        customer: Says who the customer is, where the policy is none of the core's own.

    Raises:
        SessionError: The options name a customer policy of a plugin, and ``customer`` is missing.
    """
    options = replace(config or ledger.config, keep_ledger=False)
    session = Session(options, fuser, customer)
    for item in ledger.items:
        with suppress(MienError):  # what was refused then is refused now
            session.push(item)
    session.note_dropped_frames(ledger.frames_dropped)
    return session.close(ledger.end)
