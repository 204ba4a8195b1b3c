"""What every call is held to before and after its handler: a time to arrive in, a time to be read in, room of its kind.

gRPC itself waits for ever for the body of a request, and for ever for a caller to read its answer. Here each has a time
limit; calls whose request is still on its way take no place of those that have arrived, and health checks none of
anybody's. What is refused here is counted and logged by ``mien.service.watching`` and reaches no other.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, Final, TypeAlias

import grpc

from mien.config import LimitSettings
from mien.service.callers import caller_of, peer_of
from mien.service.health import SERVICE_NAME
from mien.service.interceptors import answer
from mien.service.limits import Gate
from mien.wire.status import RefusedError, not_serving, queue_full

HEALTH_PREFIX: Final = "/grpc.health.v1.Health/"
"""How the methods begin that have room of their own."""

OWN_PREFIX: Final = f"/{SERVICE_NAME}/"
"""How the methods begin whose streams the gate counts."""

MAX_ARRIVING: Final = 256
"""Calls whose first message may be on its way at once, of each kind; beyond it, the one that takes longest is ended."""

MAX_WATCHES: Final = 256
"""Open health watches."""

MAX_CALLER_WATCHES: Final = 16
"""Of one caller."""

DRAIN_WRITE_SHARE: Final = 0.15
"""Of ``[server] drain_seconds``: how long a caller may take to read what is written while the server shuts down."""

Stream: TypeAlias = Callable[[Any, Any], AsyncGenerator[Any, None]]
Unary: TypeAlias = Callable[[Any, Any], Awaitable[Any]]


class Patience:
    """Time limits of what the server waits for, all of which can be shortened at once. For one event loop."""

    def __init__(self, seconds: float, *, most: int | None = None) -> None:
        """Prepare.

        Args:
            seconds: How long each may take.
            most: How many may be waited for at once; of more the oldest is given up.
        """
        self._seconds = seconds
        self._most = most
        self._open: OrderedDict[asyncio.Timeout, None] = OrderedDict()

    def __len__(self) -> int:
        """How many are waited for."""
        return len(self._open)

    @asynccontextmanager
    async def wait(self) -> AsyncIterator[None]:
        """Wait for something.

        Raises:
            TimeoutError: It did not come in time.
        """
        if self._most is not None and len(self._open) >= self._most:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.reschedule(asyncio.get_running_loop().time())
        async with asyncio.timeout(self._seconds) as limit:
            self._open[limit] = None
            try:
                yield
            finally:
                self._open.pop(limit, None)

    def shorten(self, seconds: float) -> None:
        """From now on, wait no longer than that, also for what is waited for already."""
        self._seconds = min(self._seconds, seconds)
        by = asyncio.get_running_loop().time() + self._seconds
        for limit in self._open:
            limit.reschedule(min(limit.when() or by, by))


class CallLimits(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc is untyped
    """Holds calls to their time limits and rooms; outside of what looks at requests."""

    def __init__(self, limits: LimitSettings, gate: Gate, *, drain_seconds: float) -> None:
        """Take the settings.

        Args:
            limits: What calls are held to.
            gate: Refuses streams that have no place before they send anything.
            drain_seconds: How long a drain may take.
        """
        self._limits = limits
        self._gate = gate
        self._drain_seconds = drain_seconds
        self._writing = Patience(limits.max_write_seconds)
        self._arriving = {health: Patience(limits.max_receive_seconds, most=MAX_ARRIVING) for health in (False, True)}
        self._draining = False
        self._calls = Counts(limits.max_peer_calls, "calls of this address are open")
        self._watches = Counts(MAX_CALLER_WATCHES, "health watches of this caller are open", total=MAX_WATCHES)

    def drain(self) -> None:
        """Wait for no request any more, and not long for anybody to read."""
        self._draining = True
        self._arriving[False].shorten(0.0)
        self._writing.shorten(DRAIN_WRITE_SHARE * self._drain_seconds)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap the handler of a call; methods that the server does not know pass through.

        A call with one request and one answer is handled as one with a stream of requests, which is the same on the
        wire: so its request is waited for here, and not by gRPC.
        """
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        health = handler_call_details.method.startswith(HEALTH_PREFIX)
        gated = handler_call_details.method.startswith(OWN_PREFIX)
        read, write = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:
            return grpc.stream_unary_rpc_method_handler(self._unary(handler.unary_unary, health=health), read, write)
        if inspect.isasyncgenfunction(handler.unary_stream):
            return grpc.stream_stream_rpc_method_handler(self._watch(handler.unary_stream, health=health), read, write)
        if inspect.isasyncgenfunction(handler.stream_stream):
            return grpc.stream_stream_rpc_method_handler(self._stream(handler.stream_stream, gated=gated), read, write)
        return handler

    def _unary(self, method: Unary, *, health: bool) -> Unary:
        async def call(requests: Any, context: Any) -> Any:
            async with _answered(context, method):
                with self._room(context, health=health):
                    return await method(await self._request(context, health=health), context)

        return call

    def _watch(self, method: Stream, *, health: bool) -> Unary:
        async def call(requests: Any, context: Any) -> None:
            async with _answered(context, method):
                request = await self._request(context, health=health)
                with self._watches.hold(caller_of(context)):
                    await self._write_all(method(request, context), context)

        return call

    def _stream(self, method: Stream, *, gated: bool) -> Unary:
        async def call(requests: Any, context: Any) -> None:
            async with _answered(context, method):
                if gated:
                    self._gate.check_stream(peer_of(context))
                with self._room(context, health=False):
                    first = await self._first(context, health=False)
                    await self._write_all(method(_Requests(first, context), context), context)

        return call

    def _room(self, context: Any, *, health: bool) -> Any:
        """A place among the calls of another machine."""
        return self._calls.hold("" if health else peer_of(context))

    async def _request(self, context: Any, *, health: bool) -> Any:
        """The request of a call that has one."""
        request = await self._first(context, health=health)
        if request is grpc.aio.EOF:
            raise RefusedError(
                "the call was closed before its request came",
                code=grpc.StatusCode.INVALID_ARGUMENT,
                reason="NO_REQUEST",
            )
        return request

    async def _first(self, context: Any, *, health: bool) -> Any:
        """The first message, within its time."""
        try:
            async with self._arriving[health].wait():
                return await context.read()
        except TimeoutError:
            if self._draining:
                raise not_serving("the server is shutting down and takes no new work", reason="DRAINING") from None
            raise RefusedError(
                f"the request did not arrive within {self._limits.max_receive_seconds:g} s, or others needed its place",
                code=grpc.StatusCode.DEADLINE_EXCEEDED,
                reason="NOT_RECEIVED",
            ) from None

    async def _write_all(self, answers: AsyncGenerator[Any, None], context: Any) -> None:
        """Write what a handler gives, and end it where its caller does not read."""
        async with aclosing(answers):
            async for answer in answers:
                try:
                    async with self._writing.wait():
                        await context.write(answer)
                except TimeoutError:
                    raise RefusedError(
                        "an answer could not be written in time; read what the server answers",
                        code=grpc.StatusCode.DEADLINE_EXCEEDED,
                        reason="NOT_READ",
                    ) from None


class Counts:
    """How many of something each caller has open, and all together. For one event loop."""

    def __init__(self, most: int, called: str, *, total: int | None = None) -> None:
        """Start with none.

        Args:
            most: For one caller; 0 for no limit.
            called: What they are, in the words of a refusal.
            total: For all together.
        """
        self._most = most
        self._called = called
        self._total = total
        self._open: dict[str, int] = {}
        self._all = 0

    @contextmanager
    def hold(self, caller: str) -> Iterator[None]:
        """Count one more while it is open.

        Args:
            caller: Whose it is; empty for one that has no limit of its own.

        Raises:
            RefusedError: There are too many.
        """
        if self._total is not None and self._all >= self._total:
            raise queue_full(f"{self._all} {self._called}, over all callers, which is all that this server takes")
        count = self._open.get(caller, 0)
        if caller and self._most and count >= self._most:
            raise queue_full(f"{count} {self._called}, which is all that this server takes of one")
        self._open[caller] = count + 1
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]


class _Requests:
    """The messages of a call whose first one was read already."""

    def __init__(self, first: Any, context: Any) -> None:
        self._next: Any = first
        self._context = context

    def __aiter__(self) -> _Requests:
        return self

    async def __anext__(self) -> Any:
        message, self._next = self._next, None
        if message is None:
            message = await self._context.read()
        if message is grpc.aio.EOF:
            self._next = message  # and so for ever
            raise StopAsyncIteration
        return message


@asynccontextmanager
async def _answered(context: Any, method: Callable[..., Any]) -> AsyncIterator[None]:
    """Answer what is raised here with its status; what the handler raises was answered by its own interceptor."""
    try:
        yield
    except grpc.aio.BaseError:
        raise  # it was answered already, or its caller is gone
    except Exception as error:
        await answer(context, error, method)
