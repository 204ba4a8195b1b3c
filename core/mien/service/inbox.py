"""Reads the messages of a streaming call, and tells why none follows: half-close, silence, the server's drain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from enum import Enum, auto
from typing import Final, Generic, TypeVar

Message = TypeVar("Message")
Result = TypeVar("Result")


class End(Enum):
    """Why there is no message."""

    CLOSED = auto()
    IDLE = auto()
    STOPPED = auto()


class Inbox(Generic[Message]):
    """The messages of one call. For one reader; ``close`` it."""

    def __init__(self, messages: AsyncIterator[Message], *stops: asyncio.Event) -> None:
        """Prepare.

        Args:
            messages: From gRPC.
            stops: Once one of these is set, no message is read any more.
        """
        self._messages = messages
        self._events: Final = stops
        self._stops = [asyncio.create_task(stop.wait()) for stop in stops]
        self._reading: asyncio.Task[Message | End] | None = None

    async def next(self, *, idle_seconds: float) -> Message | End:
        """The next message, or why there is none; after IDLE one may still come."""
        if any(stop.is_set() for stop in self._events):
            return End.STOPPED
        if self._reading is None:
            # Kept over IDLE: gRPC cannot take a read back.
            self._reading = asyncio.create_task(self._read())
        await asyncio.wait({self._reading, *self._stops}, timeout=idle_seconds, return_when=asyncio.FIRST_COMPLETED)
        if any(stop.is_set() for stop in self._events):
            return End.STOPPED
        if not self._reading.done():
            return End.IDLE
        message = self._reading.result()
        self._reading = None
        return message

    async def until(self, happens: Coroutine[None, None, Result]) -> Result | End:
        """Wait for something else before the next message; STOPPED where a stop comes first, and it is given up."""
        waiting = asyncio.create_task(happens)
        try:
            await asyncio.wait({waiting, *self._stops}, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else End.STOPPED
        finally:
            waiting.cancel()

    async def close(self) -> None:
        """Read no more."""
        tasks = [*self._stops, *([self._reading] if self._reading is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> Message | End:
        return await anext(self._messages, End.CLOSED)
