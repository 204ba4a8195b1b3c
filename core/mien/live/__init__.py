"""A session that runs: pictures, sound, words and markers come in as they happen, and events come out.

``mien.session`` holds what is known of the customer; this package runs the analyzers for it, each kind of sample at its
own pace, so that speech that takes long to recognise never holds up a face. It knows asyncio and no transport.
"""

from mien.live.events import Event, Notice, NoticeKind, Started, Update
from mien.live.parts import Part, choose_parts, stream_settings
from mien.live.runner import Predictor
from mien.live.session import LiveSession

__all__ = [
    "Event",
    "LiveSession",
    "Notice",
    "NoticeKind",
    "Part",
    "Predictor",
    "Started",
    "Update",
    "choose_parts",
    "stream_settings",
]
