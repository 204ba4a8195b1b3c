"""``StreamSession``: one customer interaction over one call. Reads messages, feeds ``mien.live``, and ends it well.

Every end gives a summary: half-close, an end marker, enough snapshots, silence, the server's drain, and also a message
that breaks the protocol, which is answered by its status after the summary. It reads on only while there is room for
what it reads: beyond that gRPC's own flow control holds the caller up.

A session outlives its connection: where that is lost, or its caller opens another with the session's token, the object
of the first call goes on in the second; see ``mien.service.kept``.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Final, TypeAlias

import grpc

from mien.config import Settings
from mien.errors import SessionError
from mien.live import (
    Event,
    LiveSession,
    NoticeKind,
    Predictor,
    SessionLimits,
    Started,
    open_session,
    provenance_of,
    result_of,
)
from mien.plugins.host import PluginHost
from mien.plugins.sinks import Sinks
from mien.service.holdings import Holdings
from mien.service.inbox import End, Inbox
from mien.service.kept import Kept
from mien.service.limits import Gate
from mien.service.measuring import SessionMeter
from mien.service.metrics import Metrics
from mien.service.privacy import check_consent
from mien.service.scheduler import Scheduler
from mien.service.session_config import session_config
from mien.service.session_messages import SessionInbox, SessionMessages
from mien.session import SessionConfig, SessionEnd
from mien.v1 import sentiment_pb2 as pb
from mien.wire.bounds import check_bounds
from mien.wire.sessions import event_to_wire
from mien.wire.status import RefusedError

Messages: TypeAlias = AsyncIterator[pb.StreamSessionRequest]

LOSS_SECONDS: Final = 0.1
"""A lost connection looks like a half-close at first; the cancellation that tells the two apart follows at once."""


class _ElsewhereError(RefusedError):
    """The caller has opened another connection for the session."""

    def __init__(self) -> None:
        super().__init__(
            "the session goes on over another connection, which was opened with its resume_token",
            code=grpc.StatusCode.ABORTED,
            reason="RESUMED_ELSEWHERE",
        )


class SessionStream:
    """One session, over one ``StreamSession`` call or, where connections are lost, several. For one event loop."""

    _config: SessionConfig
    _live: LiveSession
    _messages: SessionMessages
    _events: AsyncIterator[Event]

    def __init__(
        self,
        settings: Settings,
        *,
        host: PluginHost,
        gate: Gate,
        holdings: Holdings,
        scheduler: Scheduler,
        sinks: Sinks,
        caller: str,
        kept: Kept[SessionStream],
        owner: bytes = b"",
        metrics: Metrics | None = None,
    ) -> None:
        self._settings = settings
        self._limits = SessionLimits.of(settings)
        self._host = host
        self._gate = gate
        self._holdings = holdings
        self._predict: Predictor = functools.partial(scheduler.predict, caller=caller)
        self._sinks = sinks
        self._caller = caller
        self._meter = SessionMeter(metrics or Metrics())
        self._kept = kept
        self._owner = owner
        self._token = ""
        self._started: Started | None = None
        self._coming: asyncio.Task[Event | None] | None = None
        self._unread: deque[pb.StreamSessionResponse] = deque()
        self._leaving = asyncio.Event()
        self._finish: asyncio.Task[None] | None = None
        self._lost_at: float | None = None

    async def run(self, requests: Messages) -> AsyncGenerator[pb.StreamSessionResponse, None]:
        """Follow one interaction.

        Raises:
            MienError: It could not be opened, or a message broke the protocol.
        """
        first = await self._first(requests)
        if first.resume_token:
            stream = self._kept.find(first.resume_token, self._owner)
            stream._go_on()
        else:
            stream = self
            await self._open(first)
        async with aclosing(stream._follow(requests)) as responses:
            async for response in responses:
                yield response

    async def end_alone(self, end: SessionEnd) -> None:
        """End it without a caller: the summary goes to the sinks."""
        self._begin_finish(end)
        try:
            while (event := await self._next()) is not None:
                self._told(event)
        finally:
            await self._abandon()

    # Opening

    async def _first(self, requests: Messages) -> pb.SessionConfig:
        inbox: SessionInbox = Inbox(requests, self._gate.draining)
        try:
            first = await inbox.next(idle_seconds=self._settings.limits.idle_seconds)
        finally:
            await inbox.close()
        if isinstance(first, End) or first.WhichOneof("payload") != "config":
            raise SessionError("a session begins with its config, and none came; send it as the first message")
        check_bounds(first)
        return first.config

    async def _open(self, message: pb.SessionConfig) -> None:
        check_consent(message.consent, self._settings.privacy)
        self._config = session_config(message, self._host, self._settings)
        self._live = await open_session(self._host, self._config, self._settings, self._predict, limits=self._limits)
        self._events = self._live.events()
        self._messages = SessionMessages(self._live, holdings=self._holdings, caller=self._caller, meter=self._meter)
        self._token = self._kept.add(self, self._owner)

    def _go_on(self) -> None:
        """Leave the connection that there was, known to be lost or not, and tell the next one where things stand."""
        self._leaving.set()
        self._leaving = asyncio.Event()
        now = asyncio.get_running_loop().time()
        gap = 0.0 if self._lost_at is None else now - self._lost_at
        self._lost_at = None
        if self._started is not None:
            self._unread.appendleft(event_to_wire(self._started))
        self._live.notice(
            NoticeKind.RESUMED,
            f"the session goes on after {gap:.1f} s without a connection; what was then on its way is lost",
        )

    # Answering

    async def _follow(self, requests: Messages) -> AsyncGenerator[pb.StreamSessionResponse, None]:
        """Answer over one connection, until the session or the connection is over."""
        leaving = self._leaving
        reading = asyncio.create_task(self._read_all(requests, leaving))
        is_over = True
        try:
            while True:
                if not self._unread:
                    event = await self._next(leaving)
                    if event is None:
                        break
                    self._unread.append(self._told(event))
                yield self._unread[0]
                if leaving.is_set():
                    raise _ElsewhereError
                self._unread.popleft()
            await reading
        except (asyncio.CancelledError, GeneratorExit, _ElsewhereError):
            is_over = False
            raise
        finally:
            await self._leave(leaving, reading, is_over=is_over)

    async def _next(self, leaving: asyncio.Event | None = None) -> Event | None:
        """The next event; None after the last. What was waited for in vain is kept for whoever waits next.

        Raises:
            MienError: The session could not go on, or it goes on over another connection.
        """
        if self._coming is None:
            self._coming = asyncio.create_task(_next_of(self._events))
        left = None if leaving is None else asyncio.create_task(leaving.wait())
        try:
            waited_for = {self._coming} if left is None else {self._coming, left}
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if left is not None:
                left.cancel()
        if leaving is not None and leaving.is_set():
            raise _ElsewhereError
        event = self._coming.result()
        self._coming = None
        return event

    def _told(self, event: Event) -> pb.StreamSessionResponse:
        self._notify(self._config, event)
        self._meter.told(event)
        if isinstance(event, Started):
            event = self._started = replace(event, resume_token=self._token)
        return event_to_wire(event)

    async def _leave(self, leaving: asyncio.Event, reading: asyncio.Task[None], *, is_over: bool) -> None:
        """The connection is over; the session may go on without."""
        goes_on_elsewhere = leaving.is_set()
        is_kept = not is_over and bool(self._token)
        leaving.set()
        if self._finish is not None or not (is_kept or goes_on_elsewhere):
            reading.cancel()  # else it first hands on what it has read
        await asyncio.gather(reading, return_exceptions=True)
        if goes_on_elsewhere:
            return
        if is_kept:
            self._lost_at = asyncio.get_running_loop().time()
            self._kept.keep(self)
        else:
            await self._abandon()

    async def _abandon(self) -> None:
        self._kept.remove(self)
        tasks = [task for task in (self._coming, self._finish) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._live.abandon()

    # Reading

    async def _read_all(self, requests: Messages, leaving: asyncio.Event) -> None:
        """Read to the end, whatever it is, and have the session finish."""
        live, end, broken = self._live, SessionEnd.CLOSED, None
        if self._finish is None:
            inbox: SessionInbox = Inbox(requests, self._gate.draining, live.ended, leaving)
            try:
                end = await self._read(inbox, leaving)
            except Exception as error:  # told after the summary; what nobody expected is logged by the interceptor
                broken = error
            finally:
                await inbox.close()
            if leaving.is_set():
                return
        await asyncio.shield(self._begin_finish(end))
        if broken is not None:
            raise broken

    async def _read(self, inbox: SessionInbox, leaving: asyncio.Event) -> SessionEnd:
        live = self._live
        while True:
            if not live.has_room:
                await inbox.until(live.wait_for_room())
            message = await inbox.next(idle_seconds=self._config.idle_timeout_seconds)
            if isinstance(message, End):
                if message is End.CLOSED and self._token:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOSS_SECONDS):
                            await leaving.wait()
                return SessionEnd.IDLE if message is End.IDLE else SessionEnd.CLOSED
            if not await self._messages.take(message, inbox):
                return SessionEnd.CLOSED

    def _begin_finish(self, end: SessionEnd) -> asyncio.Task[None]:
        """Have the session finish, unless that has begun."""
        if self._finish is None:
            self._finish = asyncio.create_task(self._finish_with(end))
        return self._finish

    async def _finish_with(self, end: SessionEnd) -> None:
        live, within = self._live, self._limits.finish_seconds
        if self._gate.draining.is_set() and not live.ended.is_set():
            end, within = SessionEnd.DRAINING, self._limits.drain_seconds
            live.notice(NoticeKind.DRAINING, "the server is shutting down; the session ends here")
        await live.finish(end, within=within)

    def _notify(self, config: SessionConfig, event: Event) -> None:
        """Have the sinks see what is new of the results, and the summary."""
        result = result_of(event)
        if result is not None:
            self._sinks.notify(result, provenance_of(event, session_id=config.session_id, site=config.site))


async def _next_of(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)
