"""Keys at the door of every call: who has none that counts is refused before a byte of the request is read.

Health checks need no key: what probes a server has none to show.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

import grpc

from mien.access import ANYBODY, AccessError, AccessReason, Caller, Door, calling
from mien.service.current import current_call
from mien.service.interceptors import answer

OPEN_SERVICE: Final = "grpc.health.v1.Health"
STREAMS: Final = ("AnalyzeStream", "StreamSession")
"""Calls that count as sessions of a key."""

_SCHEME: Final = "bearer "


class KeyInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc is untyped
    """Lets in whom the door lets in; outside of whatever reads a request."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Note who calls, or put a handler in the call's place that refuses."""
        handler = await continuation(handler_call_details)
        service, _, method = handler_call_details.method.lstrip("/").partition("/")
        if handler is None or not self._door.asks_for_keys or service == OPEN_SERVICE:
            return handler
        try:
            caller = await self._door.let_in(bearer_of(handler_call_details.invocation_metadata), method)
            caller.charge_call()
            if method in STREAMS:
                caller.check_session()  # before it sends anything; it is counted once it has
        except AccessError as error:
            return _refusing(error, method)
        calling.set(caller)  # never reset: the task is this call's alone
        return handler


class ChargeInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc is untyped
    """Charges callers for what they send, and asks their keys again at every message of a stream; the innermost."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap the handler of a call."""
        handler = await continuation(handler_call_details)
        service, _, method = handler_call_details.method.lstrip("/").partition("/")
        if handler is None or not self._door.asks_for_keys or service == OPEN_SERVICE:
            return handler
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                _charged_call(handler.unary_unary, method), handler.request_deserializer, handler.response_serializer
            )
        return grpc.stream_stream_rpc_method_handler(
            _charged_stream(handler.stream_stream, method),
            handler.request_deserializer,
            handler.response_serializer,
        )


def bearer_of(metadata: Any) -> str | None:
    """The key in a call's metadata; None where there is none."""
    for key, value in metadata or ():
        if key.lower() == "authorization" and isinstance(value, str) and value[: len(_SCHEME)].lower() == _SCHEME:
            return value[len(_SCHEME) :].strip()
    return None


def _refusing(error: AccessError, name: str) -> grpc.RpcMethodHandler:
    """A handler that reads nothing, whatever the call would have been."""

    async def refuse(requests: Any, context: Any) -> None:
        await answer(context, error, refuse)

    refuse.__name__ = name
    return grpc.stream_stream_rpc_method_handler(refuse)


def _charged_call(method: Callable[[Any, Any], Awaitable[Any]], name: str) -> Callable[..., Any]:
    async def charged(request: Any, context: Any) -> Any:
        caller = _caller()
        caller.check(name)
        caller.charge_bytes(request.ByteSize())
        return await method(request, context)

    return charged


def _charged_stream(method: Callable[[Any, Any], Any], name: str) -> Callable[..., Any]:
    async def charged(requests: AsyncIterator[Any], context: Any) -> AsyncGenerator[Any, None]:
        caller = _caller()
        with caller.session():
            async with aclosing(method(_charged_messages(requests, caller, name), context)) as responses:
                async for response in responses:
                    yield response

    return charged


async def _charged_messages(messages: AsyncIterator[Any], caller: Caller, name: str) -> AsyncIterator[Any]:
    """The messages of a stream, for as long as the key counts and its share is not used up."""
    async for message in messages:
        caller.check(name)
        caller.charge_bytes(message.ByteSize())
        yield message


def _caller() -> Caller:
    """Who was let in.

    Raises:
        AccessError: Nobody was, which would be a fault of this server's, and opens nothing.
    """
    caller = calling.get()
    if caller is ANYBODY:
        raise AccessError("this server asks for a key", reason=AccessReason.KEY_MISSING)
    call = current_call.get()
    if call is not None:
        call.caller = caller.name
    return caller
