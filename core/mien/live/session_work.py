"""What a session's thread does: has the streams see what was said, counts it, and sums up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mien.live.streams import Answer, Answers, Ready, Streams
from mien.live.work import PluginCall, Work
from mien.plugins.guard import CallKind, Guard
from mien.session import Marker, Observation, Session, SessionEnd, SessionState, SessionSummary
from mien.types import SampleKind


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of something that was counted.

    Attributes:
        answer: What the analyzers said, and how they fared; nothing of a marker.
        state: Where the session stands after it; None where it came while the end was on its way.
    """

    answer: Answer
    state: SessionState | None


class SessionWork:
    """The work on one session's state. What it returns is done by ``mien.live.worker.Worker``."""

    def __init__(self, session: Session, streams: Streams, fuser: Guard) -> None:
        """Take what is used by the session's thread alone.

        Args:
            session: What is known of the customer.
            streams: Of the analyzers that take part.
            fuser: Guard of the session's fuser, whose code the session calls.
        """
        self._session = session
        self._streams = streams
        self._fuser = fuser

    def observing(self, ready: Ready, answers: Answers, *, seconds: Mapping[str, float]) -> Work[Counted]:
        """Have the streams see what was said of one moment, and count it."""
        answer = yield from self._streams.observing(ready, answers, seconds=seconds)
        if answer.is_missing:
            return Counted(answer, self._session.state())
        if self._session.end is not None and ready.kind is SampleKind.IMAGE:
            return Counted(answer, None)
        observation = Observation(
            kind=ready.kind, at=ready.ends_at, predictions=answer.predictions, frame_size=ready.frame_size
        )
        return Counted(answer, (yield self._calling(lambda: self._session.push(observation))))

    def marking(self, marker: Marker) -> Work[Counted]:
        """Count a marker."""
        nothing = Answer((), ())
        if self._session.end is not None:
            return Counted(nothing, None)
        return Counted(nothing, (yield self._calling(lambda: self._session.push(marker))))

    def summing_up(self, end: SessionEnd, *, frames_dropped: int) -> Work[SessionSummary]:
        """End the session, if it has not ended, and sum up."""
        self._session.note_dropped_frames(frames_dropped)
        summary: SessionSummary = yield self._calling(lambda: self._session.close(end))
        return summary

    def _calling(self, function: Callable[[], object]) -> PluginCall:
        return PluginCall(self._fuser, CallKind.ACCUMULATE, function)
