"""``AnalyzeStream``: many independent requests over one call, answered as they are ready.

Reading waits for a place among the calls in flight and for room in memory, so that a stream is held up by HTTP/2's own
flow control, takes no more memory than as many unary calls, and cannot crowd out others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final

import grpc

from mien.access import calling
from mien.config import LimitSettings
from mien.errors import MienError
from mien.service.current import note_refusal
from mien.service.inbox import End, Inbox
from mien.service.interceptors import status_of
from mien.service.limits import Gate
from mien.service.memory import Budget, Lease
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import InvalidFieldError, RefusedError, code_of, message_of, not_serving, number_of, reason_of

MAX_ID_CHARACTERS: Final = 128
"""Of a request's id."""

Analyze = Callable[[pb.AnalyzeRequest, float, str], Awaitable[pb.AnalyzeResponse]]
"""Answers one request by a deadline on the event loop's clock, for a caller."""


class ItemStream:
    """One ``AnalyzeStream`` call."""

    def __init__(self, analyze: Analyze, gate: Gate, limits: LimitSettings, *, messages: Budget, caller: str) -> None:
        self._analyze = analyze
        self._messages = messages
        self._caller = caller
        self._gate = gate
        self._limits = limits
        self._room = asyncio.Semaphore(limits.max_stream_items)
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._answers: asyncio.Queue[pb.AnalyzeStreamResponse | None] = asyncio.Queue()

    async def run(
        self, requests: AsyncIterator[pb.AnalyzeStreamRequest]
    ) -> AsyncGenerator[pb.AnalyzeStreamResponse, None]:
        """Answer every item.

        Raises:
            InputError: What came was no message.
            RefusedError: The server is draining, or nothing came for too long. In both cases what was accepted is
                answered first.
        """
        reading = asyncio.create_task(self._read_all(requests))
        try:
            while (answer := await self._answers.get()) is not None:
                yield answer
                self._room.release()
            await reading
        finally:
            tasks = [reading, *self._in_flight.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_all(self, requests: AsyncIterator[pb.AnalyzeStreamRequest]) -> None:
        inbox = Inbox(requests, self._gate.draining)
        broken: MienError | None = None
        end = End.CLOSED
        try:
            try:
                end = await self._read(inbox)
            except MienError as error:  # no message; what came before it is answered first
                broken = error
            await asyncio.gather(*self._in_flight.values())
        finally:
            self._answers.put_nowait(None)
            await inbox.close()
        if broken is not None:
            raise broken
        if end is End.STOPPED:
            raise not_serving("the server is shutting down; send what was not answered again", reason="DRAINING")
        if end is End.IDLE:
            raise RefusedError(
                f"no request came for {self._limits.idle_seconds:g} s, so the stream was ended",
                code=grpc.StatusCode.DEADLINE_EXCEEDED,
                reason="IDLE",
            )

    async def _read(self, inbox: Inbox[pb.AnalyzeStreamRequest]) -> End:
        while True:
            message = await inbox.next(idle_seconds=self._limits.idle_seconds)
            if message is End.IDLE and self._in_flight:
                continue
            if isinstance(message, End):
                return message
            await self._room.acquire()
            await self._accept(message)

    async def _accept(self, message: pb.AnalyzeStreamRequest) -> None:
        try:
            self._check_id(message.request_id)
        except InvalidFieldError as error:
            self._answers.put_nowait(_failed(message.request_id[:MAX_ID_CHARACTERS], error))
            return
        lease = await self._messages.take(message.ByteSize(), caller=self._caller)
        with contextlib.ExitStack() as unless_accepted:
            unless_accepted.enter_context(lease)
            await self._gate.take_turn(caller=self._caller)
            unless_accepted.pop_all()
        self._in_flight[message.request_id] = asyncio.create_task(self._answer(message, lease))

    async def _answer(self, message: pb.AnalyzeStreamRequest, lease: Lease) -> None:
        deadline = asyncio.get_running_loop().time() + self._limits.max_wait_seconds
        try:
            calling.get().charge_call()
            response = await self._analyze(message.request, deadline, self._caller)
            answer = pb.AnalyzeStreamResponse(request_id=message.request_id, response=response)
        except Exception as error:
            answer = _failed(message.request_id, error)
        finally:
            lease.release()
            self._gate.end_turn()
            del self._in_flight[message.request_id]
        self._answers.put_nowait(answer)

    def _check_id(self, request_id: str) -> None:
        if not 1 <= len(request_id) <= MAX_ID_CHARACTERS:
            raise InvalidFieldError(
                "request_id", f"expected 1 to {MAX_ID_CHARACTERS} characters, got {len(request_id)}"
            )
        if request_id in self._in_flight:
            raise InvalidFieldError("request_id", f"{request_id!r} is in flight already; ids must differ")


def _failed(request_id: str, error: Exception) -> pb.AnalyzeStreamResponse:
    if isinstance(error, MienError):
        note_refusal(code_of(error), reason_of(error))
        item = pb.ItemError(code=number_of(code_of(error)), message=message_of(error), reason=reason_of(error))
    else:
        note_refusal(grpc.StatusCode.INTERNAL, "INTERNAL")
        status = status_of(error, method="AnalyzeStream")
        item = pb.ItemError(code=status.code, message=status.message, reason="INTERNAL")
    return pb.AnalyzeStreamResponse(request_id=request_id, error=item)
