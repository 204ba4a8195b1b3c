"""What of a session's events is a result that sinks are shown, and where it came from."""

from __future__ import annotations

from typing import TypeAlias

from mien.interfaces import Provenance
from mien.live.events import Event, Update
from mien.session import SessionSummary
from mien.types import AnalysisResult

Result: TypeAlias = AnalysisResult | SessionSummary
"""What sinks are shown."""


def result_of(event: Event) -> Result | None:
    """The result that an event tells of: new evidence with the score after it, or the summary; None for the others.

    What is provisional is no result.
    """
    if isinstance(event, SessionSummary):
        return event
    if isinstance(event, Update) and event.predictions:
        return AnalysisResult(
            predictions=event.predictions, satisfaction=event.state.satisfaction, streams=event.streams
        )
    return None


def provenance_of(
    event: Event, *, session_id: str, site: str, source: str = "", is_recording: bool = False
) -> Provenance:
    """Where an event's result came from; dated now.

    Args:
        event: One of which there is a result.
        session_id: The session's name.
        site: The place.
        source: A file or the name of a camera; empty where it has none.
        is_recording: The session's clock is that of a recording, which begins at 0.
    """
    width, height = (event.frame_size if isinstance(event, Update) else None) or (None, None)
    return Provenance(
        source=source,
        session_id=session_id,
        site=site,
        at_seconds=event.state.at if is_recording and isinstance(event, Update) else None,
        image_width=width,
        image_height=height,
    )
