"""The events that wait for a session's caller, bounded for one that does not read them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from mien.errors import SessionError
from mien.live.events import Event

ROOM: Final = 64
"""Events that may wait before whoever analyses waits for the caller to read."""

LIMIT: Final = 1024
"""Events that may wait at all; more, and the caller is taken not to read."""


class Outbox:
    """A queue of events with one reader. For one event loop."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def put(self, event: Event) -> None:
        """Add an event; nothing is added after ``close``.

        Raises:
            SessionError: The caller does not read.
        """
        if self._closed:
            return
        if self._events.qsize() >= LIMIT:
            raise SessionError(f"{LIMIT} messages of the session were not read; read what the session answers")
        self._events.put_nowait(event)
        if self._events.qsize() >= ROOM:
            self._room.clear()

    @property
    def has_room(self) -> bool:
        """Whether the caller has read most of what was told."""
        return self._room.is_set()

    async def wait_for_room(self) -> None:
        """Return when the caller has read most of what was told."""
        await self._room.wait()

    async def wait_read(self) -> None:
        """Return when the reader has dealt with everything that is in, and asks for more."""
        await self._events.join()

    def close(self) -> None:
        """Nothing follows; the reader gets what is in and then the end."""
        if not self._closed:
            self._closed = True
            self._room.set()
            self._events.put_nowait(None)

    async def read(self) -> AsyncIterator[Event]:
        """The events as they come, until ``close``."""
        while (event := await self._events.get()) is not None:
            if self._events.qsize() < ROOM:
                self._room.set()
            yield event
            self._events.task_done()
        self._events.task_done()
