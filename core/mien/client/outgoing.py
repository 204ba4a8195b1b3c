"""What a blocking session sends: a queue with one reader at a time, which changes where the connection does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Final

from mien.client.reconnecting import Unsent
from mien.v1 import sentiment_pb2 as pb

MESSAGES_QUEUED: Final = 16
"""Messages that wait to be sent; the next ``put`` waits until there is room."""


class Outgoing:
    """Messages on their way. For threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = Unsent()
        self._link = 0
        self._is_up = True
        self._is_closed = False
        self._is_over = False

    def put(self, message: pb.StreamSessionRequest) -> bool:
        """Queue a message, once there is room; without a connection at once. False where the session is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or not self._is_up or len(self._waiting) < MESSAGES_QUEUED)
            if self._is_over:
                return False
            self._waiting.add(message, bounded=not self._is_up)
            self._changed.notify_all()
            return True

    def close(self) -> None:
        """Nothing more is put; the readers end after what waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def end(self) -> None:
        """The session is over: whoever waits is let go."""
        with self._changed:
            self._is_over = True
            self._link += 1
            self._changed.notify_all()

    def lose(self) -> None:
        """The connection is lost: its reader ends, and what is put waits within bounds."""
        with self._changed:
            self._link += 1
            self._is_up = False
            self._changed.notify_all()

    def messages(self, first: pb.StreamSessionRequest) -> Iterator[pb.StreamSessionRequest]:
        """What a new connection sends, after its first message; any earlier reader gets nothing more."""
        with self._changed:
            self._link += 1
            self._is_up = True
            return self._read(first, self._link)

    def _read(self, first: pb.StreamSessionRequest, link: int) -> Iterator[pb.StreamSessionRequest]:
        yield first
        while True:
            with self._changed:
                self._changed.wait_for(lambda: link != self._link or len(self._waiting) > 0 or self._is_closed)
                if link != self._link or not len(self._waiting):
                    return
                message = self._waiting.take()
                self._changed.notify_all()
            yield message
