"""Watchers of sessions: each is told what the session's caller is told, as server-sent events, and holds nobody up."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from mien.v1 import sentiment_pb2 as pb
from mien.web.keys import fingerprint
from mien.web.protojson import to_json
from mien.web.statuses import refusal
from mien.wire.status import queue_full

MAX_SESSION_WATCHERS: Final = 8
"""Of one session."""

EVENTS_WAITING: Final = 32
"""Of one watcher; of more the oldest go, and it is told how many."""

PING_SECONDS: Final = 15.0
"""Between two comments on a silent connection, so that proxies keep it and a lost watcher is noticed."""


class Hub:
    """The sessions that run over this gateway, and who watches them. For one event loop."""

    def __init__(self, max_watchers: int) -> None:
        """Take how many may watch at once."""
        self._max = max_watchers
        self._sessions: dict[str, Watched] = {}
        self._closed = False

    def open(self, session_id: str, key: str) -> Watched:
        """Make a session known; a second of the same name cannot be watched while the first runs."""
        watched = Watched(fingerprint(key))
        if not self._closed:
            self._sessions.setdefault(session_id, watched)
        return watched

    def close_session(self, session_id: str, watched: Watched) -> None:
        """The session's connection is over."""
        watched.close()
        if self._sessions.get(session_id) is watched:
            del self._sessions[session_id]

    def close(self) -> None:
        """The gateway stops: all watchers end."""
        self._closed = True
        for watched in self._sessions.values():
            watched.close()

    def watch(self, session_id: str, key: str) -> Watcher:
        """Begin to watch.

        Raises:
            RefusedError: No such session runs here, it was opened with another key, or too many watch already.
        """
        watched = self._sessions.get(session_id)
        if watched is None or not hmac.compare_digest(watched.owner, fingerprint(key)):
            # The same words for both: who lacks the key does not learn which sessions there are.
            raise refusal(
                "no session of that id runs over this gateway under the key that was presented",
                code="NOT_FOUND",
                reason="NOT_FOUND",
            )
        if len(watched.watchers) >= MAX_SESSION_WATCHERS or self._watching() >= self._max:
            raise queue_full("as many watch as this gateway takes; try again later")
        return Watcher(watched)

    def _watching(self) -> int:
        return sum(len(each.watchers) for each in self._sessions.values())


class Watched:
    """One session on this gateway."""

    def __init__(self, owner: bytes) -> None:
        self.owner = owner
        self.watchers: set[Watcher] = set()

    def tell(self, response: pb.StreamSessionResponse) -> None:
        """Pass on what the session's caller is told, all but what would let a watcher take the session over."""
        if not self.watchers:
            return
        if response.WhichOneof("payload") == "started":
            return
        event = (response.WhichOneof("payload") or "message", to_json(response))
        for watcher in self.watchers:
            watcher.put(event)

    def close(self) -> None:
        """Nothing follows."""
        for watcher in self.watchers:
            watcher.end()


class Watcher:
    """One who watches."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._events: deque[tuple[str, str]] = deque()
        self._lost = 0
        self._ended = False
        self._news = asyncio.Event()
        watched.watchers.add(self)

    def put(self, event: tuple[str, str]) -> None:
        """Add an event; the oldest goes where too many wait."""
        self._events.append(event)
        if len(self._events) > EVENTS_WAITING:
            self._events.popleft()
            self._lost += 1
        self._news.set()

    def end(self) -> None:
        """Nothing follows."""
        self._ended = True
        self._news.set()

    def leave(self) -> None:
        """Watch no more. May be called twice."""
        self._watched.watchers.discard(self)

    async def stream(self) -> AsyncIterator[bytes]:
        """The events as ``text/event-stream``."""
        yield b": watching\n\n"
        while True:
            if self._lost:
                lost, self._lost = self._lost, 0
                yield f'event: lost\ndata: {{"events": {lost}}}\n\n'.encode()
            while self._events:
                name, data = self._events.popleft()
                yield f"event: {name}\ndata: {data}\n\n".encode()
            if self._ended:
                return
            self._news.clear()
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                yield b": ping\n\n"
