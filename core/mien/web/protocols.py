"""uvicorn's protocols with the time limits that it lacks: for a request's first lines, and for one who never reads."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

TICK_SECONDS: Final = 10.0
"""A connection that is found without a request, or closing, twice in a row at this interval is cut off."""

CLOSING_SECONDS: Final = 3.0
"""After a session: how long the caller may take to read the last of it."""


class TimedHttp(H11Protocol):
    """HTTP/1.1."""

    def connection_made(self, transport: Any) -> None:
        """Begin to watch the clock."""
        super().connection_made(transport)
        self._was_stuck = False
        self._clock = self.loop.call_later(TICK_SECONDS, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._clock.cancel()
        super().connection_lost(exc)

    def _tick(self) -> None:
        if self.transport.get_protocol() is not self:
            return  # it is a WebSocket now
        waits = self.cycle is None or self.cycle.response_complete
        is_stuck = waits or self.transport.is_closing()
        if is_stuck and self._was_stuck:
            self.transport.abort()
            return
        self._was_stuck = is_stuck
        self._clock = self.loop.call_later(TICK_SECONDS, self._tick)


class TimedSocket(WebSocketsSansIOProtocol):
    """A WebSocket."""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The session is over: close, whether or not the caller reads."""
        super().on_task_complete(task)
        self.loop.call_later(CLOSING_SECONDS, self.transport.abort)
