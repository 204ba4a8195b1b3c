"""Follows every call from the outside: its request id, its metrics, its line in the log, its trace."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2

from mien.service.current import REQUEST_ID, Call, current_call
from mien.service.metrics import Metrics
from mien.service.refusals import Refusals
from mien.service.tracing import NoTraces, Traces
from mien.v1 import sentiment_pb2

UNARY: Final = "unary"
_KINDS: Final = {
    (False, False): UNARY,
    (False, True): "server_stream",
    (True, False): "client_stream",
    (True, True): "bidi_stream",
}
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_KNOWN: Final = {
    service.full_name: service
    for contract in (sentiment_pb2.DESCRIPTOR, health_pb2.DESCRIPTOR)
    for service in contract.services_by_name.values()
}
_log = logging.getLogger("mien.service.calls")


class Watcher:
    """Counts and logs what becomes of calls."""

    def __init__(self, metrics: Metrics, refusals: Refusals) -> None:
        self._metrics = metrics
        self._refusals = refusals

    def refused(self, call: Call, code: grpc.StatusCode, reason: str) -> None:
        """See ``mien.service.current.Watch``."""
        self._metrics.refused(reason)
        self._refusals.note(call, code, reason)

    def began(self, kind: str, call: Call) -> None:
        """A call began."""
        self._metrics.call_started(kind, call.service, call.method)

    def ended(self, kind: str, call: Call, code: grpc.StatusCode, seconds: float) -> None:
        """A call ended."""
        self._metrics.call_handled(kind, call.service, call.method, code=code.name, seconds=seconds)
        _log.debug("%s ended with %s after %.3f s", call.method, code.name, seconds)


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc is untyped
    """The outermost: sees every call that the server knows, health checks among them."""

    def __init__(self, watcher: Watcher, traces: Traces | None = None) -> None:
        self._watcher = watcher
        self._traces = traces or NoTraces()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap the handler of a call; methods that the server does not know pass through."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        service, _, method = handler_call_details.method.lstrip("/").partition("/")
        follow = _Follower(self._watcher, self._traces, service, method, _kind(handler, service, method)).follow
        both = (handler.request_deserializer, handler.response_serializer)
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(_around_answer(handler.unary_unary, follow), *both)
        if handler.stream_unary is not None:
            return grpc.stream_unary_rpc_method_handler(_around_answer(handler.stream_unary, follow), *both)
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(_around_any(handler.stream_stream, follow), *both)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(_around_any(handler.unary_stream, follow), *both)
        return handler


class _Follower:
    def __init__(self, watcher: Watcher, traces: Traces, service: str, method: str, kind: str) -> None:
        self._watcher = watcher
        self._traces = traces
        self._service = service
        self._method = method
        self._kind = kind

    @contextmanager
    def follow(self, context: Any) -> Iterator[None]:
        """Around the work of one call, in its own task."""
        call = Call(self._service, self._method, context.peer(), self._watcher)
        current_call.set(call)  # never reset: the task is this call's alone
        context.set_trailing_metadata(((REQUEST_ID, call.request_id),))
        self._watcher.began(self._kind, call)
        started = time.perf_counter()
        code = grpc.StatusCode.UNKNOWN
        with ExitStack() as traced:
            span = traced.enter_context(self._traces.span(call, context.invocation_metadata()))
            try:
                yield
                code = _code_of(context)
            except (grpc.aio.AbortError, grpc.RpcError):
                code = _code_of(context)
                raise
            except (asyncio.CancelledError, GeneratorExit):
                code = grpc.StatusCode.CANCELLED
                raise
            finally:
                span.ended(code)
                self._watcher.ended(self._kind, call, code, time.perf_counter() - started)


def _around_answer(method: Callable[[Any, Any], Awaitable[Any]], follow: Callable[[Any], Any]) -> Callable[..., Any]:
    async def followed(request: Any, context: Any) -> Any:
        with follow(context):
            return await method(request, context)

    return followed


def _around_any(method: Callable[[Any, Any], Any], follow: Callable[[Any], Any]) -> Callable[..., Any]:
    """Around a call with many answers, which gRPC lets yield them or write them."""
    if not inspect.isasyncgenfunction(method):
        return _around_answer(method, follow)

    async def followed(requests: Any, context: Any) -> AsyncGenerator[Any, None]:
        with follow(context):
            async with aclosing(method(requests, context)) as responses:
                async for response in responses:
                    yield response

    return followed


def _kind(handler: grpc.RpcMethodHandler, service: str, method: str) -> str:
    """What the contract says; a handler may look like a stream's, so that something reads the request itself."""
    described = _KNOWN.get(service)
    if described is not None and method in described.methods_by_name:
        found = described.methods_by_name[method]
        return _KINDS[found.client_streaming, found.server_streaming]
    return _KINDS[bool(handler.request_streaming), bool(handler.response_streaming)]


def _code_of(context: Any) -> grpc.StatusCode:
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return code
    return _CODES.get(code or 0, grpc.StatusCode.UNKNOWN)
