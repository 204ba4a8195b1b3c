"""A session that runs: pictures, sound, words and markers come in as they happen, and events come out.

``mien.session`` holds what is known of the customer; this package runs the analyzers for it. ``Streams`` is the one way
into the analyzers' streams, for servers, kiosks and the command line alike; ``LiveSession`` drives one from an event
loop, each kind of sample at its own pace, so that speech that takes long to recognise never holds up a face. It knows
asyncio and no transport.
"""

from mien.live.events import Event, Notice, NoticeKind, Partial, Started, Update
from mien.live.limits import SessionLimits
from mien.live.opening import open_session, open_streams
from mien.live.results import provenance_of, result_of
from mien.live.session import LiveSession, Predictor
from mien.live.streams import Answer, Participant, Ready, Streams

__all__ = [
    "Answer",
    "Event",
    "LiveSession",
    "Notice",
    "NoticeKind",
    "Partial",
    "Participant",
    "Predictor",
    "Ready",
    "SessionLimits",
    "Started",
    "Streams",
    "Update",
    "open_session",
    "open_streams",
    "provenance_of",
    "result_of",
]
