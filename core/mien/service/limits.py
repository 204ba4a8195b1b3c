"""Who gets in: the gRPC channel's limits, and the gate that admits calls and streams.

The gate counts; it does not know what a call does. What is still on its way is ``mien.service.calls``'s business, and
compute is ordered by ``mien.service.batching``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum, auto
from typing import Final

from mien.config import LimitSettings
from mien.service.fairness import Turns
from mien.wire.channel import channel_options
from mien.wire.status import RefusedError, not_serving, queue_full, waited_too_long

MIN_PING_INTERVAL_MS: Final = 10_000
"""A client may ping this often while nothing is in flight; more often and the connection is closed."""

MAX_STREAMS_A_CONNECTION: Final = 1024
"""Calls that one connection may have open; a client that has more waits by itself."""

HANDSHAKE_MS: Final = 10_000
"""A connection that has not said what it is by then is closed."""


def server_options(limits: LimitSettings) -> list[tuple[str, int]]:
    """The gRPC options of the server."""
    return [
        *channel_options(limits.max_message_bytes),
        # gRPC shares a port between processes by default, which would hide that two servers were started on one.
        ("grpc.so_reuseport", 0),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", MIN_PING_INTERVAL_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_concurrent_streams", MAX_STREAMS_A_CONNECTION),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
    ]


class GateState(Enum):
    """Whether work is let in."""

    LOADING = auto()
    OPEN = auto()
    DRAINING = auto()


class Gate:
    """Admits calls, whose callers take turns, and streams. For one event loop."""

    def __init__(self, limits: LimitSettings) -> None:
        """Start in LOADING: nothing is let in before ``open``."""
        self._limits = limits
        self._state = GateState.LOADING
        self._places = Turns(limits.max_calls_in_flight)
        self._waiting = 0
        self._streams = 0
        self._streams_of: Counter[str] = Counter()
        self._inside = 0  # calls, waiting or in flight, and streams
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = asyncio.Event()

    @property
    def state(self) -> GateState:
        """Whether work is let in."""
        return self._state

    @property
    def streams(self) -> int:
        """How many sessions and streams are open."""
        return self._streams

    @property
    def draining(self) -> asyncio.Event:
        """Set once ``drain`` was called."""
        return self._draining

    def open(self) -> None:
        """Let work in, unless the server is draining already."""
        if self._state is GateState.LOADING:
            self._state = GateState.OPEN

    def drain(self) -> None:
        """Let nothing in any more; what is in may finish."""
        self._state = GateState.DRAINING
        self._draining.set()

    async def wait_idle(self) -> None:
        """Return when no call and no stream is in."""
        await self._idle.wait()

    @asynccontextmanager
    async def call(self, deadline: float, *, caller: str = "") -> AsyncIterator[None]:
        """Hold a place among the calls in flight.

        Args:
            deadline: On the event loop's clock, seconds; a call whose turn has not come by then is given up.
            caller: Who calls. Callers take turns; and where no more may wait, one who has fewer waiting than another
                gets the place of the other's newest call.

        Raises:
            RefusedError: Loading, draining, no room in the queue, or the turn did not come in time.
        """
        self.check_open()
        if self._places.all_taken and self._waiting >= self._limits.max_calls_queued:
            refusal = queue_full(
                f"{self._limits.max_calls_in_flight} calls are in flight and {self._waiting} wait, which is all that"
                " this server takes; try again later"
            )
            if not self._places.crowd_out(caller, refusal):
                raise refusal
        self._enter()
        try:
            await self._wait_for_turn(deadline, caller)
            try:
                yield
            finally:
                self._places.give_back()
        finally:
            self._leave()

    @asynccontextmanager
    async def stream(self, *, peer: str = "") -> AsyncIterator[None]:
        """Hold a place among the open sessions and streams.

        Args:
            peer: The other machine's address; empty for one that has no limit of its own.

        Raises:
            RefusedError: Loading, draining, or too many are open.
        """
        self.check_stream(peer)
        self._streams += 1
        self._streams_of[peer] += 1
        self._enter()
        try:
            yield
        finally:
            self._streams -= 1
            self._streams_of -= Counter((peer,))  # which forgets those that have none
            self._leave()

    def check_stream(self, peer: str) -> None:
        """Refuse a stream that would find no place; raises as ``stream`` does."""
        self.check_open()
        if self._streams >= self._limits.max_sessions:
            raise queue_full(f"{self._streams} streams are open, which is all that this server takes; try again later")
        own, most = self._streams_of[peer], self._limits.max_peer_sessions
        if peer and most and own >= most:
            raise queue_full(f"{own} streams of {peer} are open, which is all that this server takes of one address")

    @contextmanager
    def lingering(self) -> Iterator[None]:
        """Have a drain wait for something that holds no place, such as a session that has lost its connection."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    async def take_turn(self, *, caller: str = "") -> None:
        """Wait for a place among the calls in flight, for an item of an open stream; ``end_turn`` gives it back.

        Items wait in their stream, whose sender waits for them, so that they need no bounded queue.
        """
        await self._places.take(caller)

    def end_turn(self) -> None:
        """Give a place back."""
        self._places.give_back()

    def check_open(self) -> None:
        """Refuse work while the server loads or drains.

        Raises:
            RefusedError: It does.
        """
        refusal = self._refusal()
        if refusal is not None:
            raise refusal

    def _refusal(self) -> RefusedError | None:
        if self._state is GateState.LOADING:
            return not_serving("the server is still loading; try again in a moment", reason="LOADING")
        if self._state is GateState.DRAINING:
            return not_serving("the server is shutting down and takes no new work", reason="DRAINING")
        return None

    async def _wait_for_turn(self, deadline: float, caller: str) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout_at(deadline):
                await self._places.take(caller)
        except TimeoutError:
            raise waited_too_long("the call's time ran out while it waited for its turn") from None
        finally:
            self._waiting -= 1

    def _enter(self) -> None:
        self._inside += 1
        self._idle.clear()

    def _leave(self) -> None:
        self._inside -= 1
        if self._inside == 0:
            self._idle.set()
