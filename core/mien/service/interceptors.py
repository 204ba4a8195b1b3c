"""The one place where an exception becomes a gRPC status, for unary and streaming calls alike.

A message that cannot be read is one of these exceptions; see ``mien.wire.reading``.

Errors raised on purpose keep their message. Any other exception is a bug of ours or of a plugin: it is logged with its
traceback under a reference, and the caller gets INTERNAL with the reference and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, TypeAlias

import grpc
from google.rpc import status_pb2
from grpc_status import rpc_status

from mien.errors import MienError
from mien.service.current import REQUEST_ID, current_call, note_refusal
from mien.wire.reading import Checked, checked, tolerant
from mien.wire.status import build_status, code_of, pushback_ms, reason_of, to_status

PUSHBACK: Final = "grpc-retry-pushback-ms"
"""The trailer that gRPC's own retries obey."""

_StreamMethod: TypeAlias = Callable[[Any, Any], AsyncGenerator[Any, None]]

_log = logging.getLogger("mien.service")


class ErrorInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc is untyped
    """Answers every call that raises with a status, never with a traceback."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap the handler of a call; methods that the server does not know pass through."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                _guard_unary(handler.unary_unary), tolerant(handler.request_deserializer), handler.response_serializer
            )
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                _guard_stream(handler.stream_stream),
                tolerant(handler.request_deserializer),
                handler.response_serializer,
            )
        if handler.unary_stream is not None:  # the health Watch
            return grpc.unary_stream_rpc_method_handler(
                _guard_watch(handler.unary_stream),
                tolerant(handler.request_deserializer),
                handler.response_serializer,
            )
        return handler


def status_of(error: Exception, *, method: str) -> status_pb2.Status:
    """The status of any exception; one that nobody expected is logged under a fresh reference."""
    call = current_call.get()
    known = {} if call is None else {REQUEST_ID: call.request_id}
    if isinstance(error, MienError):
        return to_status(error, metadata=known)
    reference = uuid.uuid4().hex[:12]
    # Where it happened, but not its message, which may hold the caller's words.
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("unexpected %s in %s, reference %s\n%s", type(error).__name__, method, reference, where)
    return build_status(
        grpc.StatusCode.INTERNAL,
        f"the server met an unexpected error; its log has the details under reference {reference}",
        reason="INTERNAL",
        metadata={"reference": reference, **known},
    )


def _guard_unary(method: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def guarded(request: Any, context: Any) -> Any:
        try:
            return await method(checked(request), context)
        except Exception as error:
            return await answer(context, error, method)

    return guarded


def _guard_stream(method: _StreamMethod) -> _StreamMethod:
    async def guarded(requests: Any, context: Any) -> AsyncGenerator[Any, None]:
        try:
            async with aclosing(method(Checked(requests), context)) as responses:
                async for response in responses:
                    yield response
        except Exception as error:
            await answer(context, error, method)

    return guarded


def _guard_watch(method: _StreamMethod) -> _StreamMethod:
    async def guarded(request: Any, context: Any) -> AsyncGenerator[Any, None]:
        try:
            async with aclosing(method(checked(request), context)) as responses:
                async for response in responses:
                    yield response
        except Exception as error:
            await answer(context, error, method)

    return guarded


async def answer(context: Any, error: Exception, method: Callable[..., Any]) -> None:
    """End a call with the status of an error, its request id, and when to come again."""
    if isinstance(error, grpc.aio.AbortError):
        raise error  # already answered, as the health service does for a name it does not know
    if context.cancelled():
        raise asyncio.CancelledError from error  # the caller is gone: nobody to answer
    status = rpc_status.to_status(status_of(error, method=getattr(method, "__name__", "a call")))
    trailers = list(status.trailing_metadata)
    call = current_call.get()
    if call is not None:
        trailers.append((REQUEST_ID, call.request_id))
    if isinstance(error, MienError):
        note_refusal(code_of(error), reason_of(error))
        pushback = pushback_ms(error)
        if pushback is not None:
            trailers.append((PUSHBACK, str(pushback)))
    else:
        note_refusal(grpc.StatusCode.INTERNAL, "INTERNAL")
    await context.abort(status.code, status.details, tuple(trailers))
