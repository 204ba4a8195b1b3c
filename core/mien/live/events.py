"""What a running session tells its caller. Field names are those of the wire contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from mien.session import SessionState, SessionSummary
from mien.types import Prediction, StreamStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The session is open.

    Attributes:
        session_id: Its name.
        analyzers: Names of those that take part.
        expected_modalities: Those whose absence lowers the coverage.
        resume_token: Opens it again after a lost connection; empty where it cannot be.
    """

    session_id: str
    analyzers: tuple[str, ...]
    expected_modalities: tuple[str, ...]
    resume_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """New evidence, or a marker, and where the session stands after it.

    Attributes:
        state: Where the session stands.
        predictions: What one picture or utterance said; empty where nobody was there, and for a marker.
        streams: How the analyzers fared that were asked.
        frame_size: Width and height of the picture, pixels; None where it was none, or is not known.
        sequence: The caller's number of the picture, words or marker; 0 for an utterance, and where none was given.
    """

    state: SessionState
    predictions: tuple[Prediction, ...] = ()
    streams: tuple[StreamStatus, ...] = ()
    frame_size: tuple[int, int] | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What is being said, while it is said: something to show, which changes no state and is no result.

    Attributes:
        prediction: Provisional: its evidence is a transcript with ``is_final`` false. It takes the place of those of
            the same analyzer and start with a lower revision; an empty text that is not redacted takes them back. The
            update with the final words has a higher one.
    """

    prediction: Prediction


class NoticeKind(StrEnum):
    """What a notice is about."""

    MISMATCH = "mismatch"
    STREAM = "stream"
    FRAME_DROPPED = "frame_dropped"
    BAD_INPUT = "bad_input"
    DRAINING = "draining"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the caller should know; the session goes on.

    Attributes:
        kind: What it is about.
        message: One sentence for a person.
        at: Session time, seconds on the caller's clock.
        sequence: The caller's number of the message that it is about; 0 where it is about none.
    """

    kind: NoticeKind
    message: str
    at: float
    sequence: int = 0


Event: TypeAlias = Started | Update | Partial | Notice | SessionSummary
"""Anything a session tells; the summary is the last."""
