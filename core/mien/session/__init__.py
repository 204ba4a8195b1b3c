"""One customer interaction, followed from the first picture to the final summary.

Pure and transport-free: predictions and markers go in, the running state and a summary come out. It reads no clock,
runs no analyzer and keeps no picture and no sound; its memory does not grow with the interaction. Of words it keeps the
few that are its reasons, unless they are redacted.
"""

from mien.session.config import ENUM_OPTIONS, Consent, CustomerPolicy, SessionConfig, enum_member
from mien.session.ledger import replay
from mien.session.session import Session
from mien.session.values import (
    Ledger,
    Marker,
    Observation,
    Phase,
    SessionEnd,
    SessionState,
    SessionSummary,
    mismatch_message,
)

__all__ = [
    "ENUM_OPTIONS",
    "Consent",
    "CustomerPolicy",
    "Ledger",
    "Marker",
    "Observation",
    "Phase",
    "Session",
    "SessionConfig",
    "SessionEnd",
    "SessionState",
    "SessionSummary",
    "enum_member",
    "mismatch_message",
    "replay",
]
