"""A session's connection that was lost: whether to try again, when, and what of the unsent is kept until then."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import grpc

from mien.client.errors import ServiceError
from mien.v1 import sentiment_pb2 as pb

RECONNECT_SECONDS: Final = 60.0
"""How long a session tries to go on, where its caller does not say; servers keep it as long by default."""

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
"""Seconds between two attempts; the pause doubles, and each is shortened by chance so that callers come apart."""

UNSENT_BYTES: Final = 4 << 20
"""Of sound, words and markers that wait for a connection: two minutes of 16-bit sound at 16 kHz."""

_LOST: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
"""What a broken connection, or a proxy before the server, is told as; without a reason of the server's."""

_PASSING: Final = frozenset({"LOADING", "QUEUE_FULL"})
"""Reasons of a server that may take the session in a moment."""


def is_lost(error: ServiceError, *, trying: bool) -> bool:
    """Whether a call ended because its connection was lost.

    Args:
        error: How it ended.
        trying: It was an attempt to go on; then a server that cannot take it yet counts as well.
    """
    return error.reason in _PASSING if error.reason and trying else not error.reason and error.code in _LOST


class Attempts:
    """When to try again."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare.

        Args:
            seconds: From the loss of a connection on; 0 never tries.
            clock: Seconds.
        """
        self._seconds = seconds
        self._clock = clock
        self._began: float | None = None
        self._pause = FIRST_PAUSE

    @property
    def trying(self) -> bool:
        """The connection is lost, and not yet back."""
        return self._began is not None

    def next_pause(self) -> float | None:
        """Seconds until the next attempt; None where the time is up."""
        now = self._clock()
        if self._began is None:
            self._began, self._pause = now, FIRST_PAUSE
        if now - self._began >= self._seconds:
            return None
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return pause

    def succeeded(self) -> None:
        """The session goes on."""
        self._began = None


class Unsent:
    """Messages that wait for a connection, in order: of pictures the newest, of the rest as much as has room."""

    def __init__(self, max_bytes: int = UNSENT_BYTES) -> None:
        """Take the limit; where it is passed, the oldest sound goes first."""
        self._max = max_bytes
        self._messages: deque[pb.StreamSessionRequest] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._messages)

    def add(self, message: pb.StreamSessionRequest, *, bounded: bool = True) -> None:
        """Keep a message; all that is kept stays where ``bounded`` is false."""
        if bounded and message.HasField("frame"):
            self._drop(next((each for each in self._messages if each.HasField("frame")), None))
        self._messages.append(message)
        self._bytes += message.ByteSize()
        if not bounded:
            return
        while self._bytes > self._max and len(self._messages) > 1:
            sound = next((each for each in self._messages if each.HasField("audio")), None)
            self._drop(sound if sound is not None else self._messages[0])

    def take(self) -> pb.StreamSessionRequest:
        """The oldest; there must be one."""
        message = self._messages.popleft()
        self._bytes -= message.ByteSize()
        return message

    def _drop(self, message: pb.StreamSessionRequest | None) -> None:
        if message is None:
            return
        for index, each in enumerate(self._messages):
            if each is message:
                del self._messages[index]
                self._bytes -= message.ByteSize()
                return


def resume_message(token: str) -> pb.StreamSessionRequest:
    """What goes on with a session instead of beginning one."""
    return pb.StreamSessionRequest(config=pb.SessionConfig(resume_token=token))
