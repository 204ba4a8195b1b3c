"""Sinks: every result that is given out, with where it came from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mien.session import SessionSummary
    from mien.types import AnalysisResult


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkInfo:
    """What is known of a sink before it is opened."""

    version: str
    description: str = ""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a result came from, and when.

    Attributes:
        source: What was analysed: a file's path or the name of a camera, printable; empty where there is no name for
            it, as for a text alone or a caller's picture.
        session_id: The caller's name for the session; empty outside of one.
        site: The caller's name for the place.
        at_seconds: Time in a video or recording, seconds from its start; None elsewhere.
        recorded_at: When the result was given out, with its time zone.
        image_width: Of the analysed picture, upright, pixels; None where there was none.
        image_height: The same.
    """

    source: str = ""
    session_id: str = ""
    site: str = ""
    at_seconds: float | None = None
    recorded_at: datetime = field(default_factory=_now)
    image_width: int | None = None
    image_height: int | None = None


class Sink(ABC):
    """Takes results, one after another, from one thread at a time.

    It is made when the first result comes and not before, so that listing plugins opens nothing. What it raises is
    counted and costs the sink this result, never the answer. What it is given is its own.
    """

    @abstractmethod
    def write(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> None:
        """Take one result, or at the end of a session its summary.

        Args:
            result: As it was given out, redacted where the answer was.
            provenance: Where it came from.
        """

    def flush(self) -> None:
        """Let whoever reads have all that was written. Called when a run of results has ended."""
        return

    def close(self) -> None:
        """Finish what is open; no result comes after it. May be called twice."""
        return
