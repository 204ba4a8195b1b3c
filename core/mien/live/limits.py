"""How much of a session may wait, and how long its end may take: all of it from the settings, in one place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from mien.config import Settings

DRAIN_SHARE: Final = 0.4
"""Of ``drain_seconds``: for what still waits when the server shuts down. The rest is for the summary and its way out,
and for sessions whose end was asked for just before."""

FINISH_SHARE: Final = 0.75
"""Of ``drain_seconds``: for what still waits at any other end, so that none outlasts a drain that begins in it."""

REMOTE_SHARE: Final = 1.25
"""Of ``drain_seconds``: how long a kiosk waits for a server's summary, a little longer than the server takes for it."""

PATIENT_FINISH_SECONDS: Final = 600.0
"""For the end where nothing is to be left out for want of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What one session may take.

    Attributes:
        frames_queued: Pictures that may wait; of more the newest are kept.
        bytes_queued: Sound and words that wait may be so large together; beyond, no more should be taken in.
        speech_queued_seconds: Utterances that wait for recognition may be so long together; beyond, sound is left out
            until recognition has caught up.
        finish_seconds: How long the end waits for what was still being analysed.
        drain_seconds: The same where the server shuts down.
        remote_seconds: How long the end of a session that runs on a server may take there and on the way.
    """

    frames_queued: int = 1
    bytes_queued: float = math.inf
    speech_queued_seconds: float = 60.0
    finish_seconds: float = 15.0
    drain_seconds: float = 8.0
    remote_seconds: float = 25.0

    @classmethod
    def of(cls, settings: Settings) -> SessionLimits:
        """Those of a server or kiosk."""
        drain = settings.server.drain_seconds
        return cls(
            frames_queued=settings.limits.max_session_frames_queued,
            bytes_queued=settings.limits.max_session_queued_bytes,
            speech_queued_seconds=settings.limits.max_session_speech_queued_seconds,
            finish_seconds=FINISH_SHARE * drain,
            drain_seconds=DRAIN_SHARE * drain,
            remote_seconds=REMOTE_SHARE * drain,
        )

    @classmethod
    def patient(cls, settings: Settings) -> SessionLimits:
        """For somebody who waits for each sample, so that nothing needs to be left out."""
        return cls(
            frames_queued=settings.limits.max_session_frames_queued,
            speech_queued_seconds=math.inf,
            finish_seconds=PATIENT_FINISH_SECONDS,
        )
