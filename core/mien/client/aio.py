"""The client for asyncio. The same calls as ``mien.client.blocking``, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mien.client.errors import not_ready, service_error
from mien.client.items import item_answer, item_messages
from mien.client.reconnecting import RECONNECT_SECONDS
from mien.client.requests import (
    DEFAULT_TIMEOUT,
    MAX_MESSAGE_BYTES,
    AudioSource,
    ImageSource,
    Query,
    SessionOptions,
    TextSource,
    analyze_request,
)
from mien.client.session_aio import AsyncClientSession
from mien.errors import MienError
from mien.session import Consent
from mien.types import AnalysisResult
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc
from mien.wire.channel import channel_options
from mien.wire.info import ServerInfo, server_info_from_wire
from mien.wire.values import result_from_wire


class AsyncClient:
    """A connection to one server; use it in an ``async with`` block, or ``close`` it. For one event loop."""

    def __init__(
        self, address: str, *, timeout: float = DEFAULT_TIMEOUT, max_message_bytes: int = MAX_MESSAGE_BYTES
    ) -> None:
        """Prepare a connection; see ``mien.client.Client``."""
        self._address = address
        self._timeout = timeout
        self._channel = grpc.aio.insecure_channel(address, options=channel_options(max_message_bytes))
        self._stub = sentiment_pb2_grpc.SentimentServiceStub(self._channel)
        self._health = health_pb2_grpc.HealthStub(self._channel)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connection back. May be called twice."""
        await self._channel.close()

    async def analyze(
        self,
        *,
        image: ImageSource | None = None,
        audio: AudioSource | None = None,
        text: TextSource | None = None,
        analyzers: Sequence[str] = (),
        fuser: str = "",
        weights: Mapping[str, float] | None = None,
        consent: Consent | str = Consent.UNSPECIFIED,
        redact_transcript: bool = False,
        timeout: float | None = None,
    ) -> AnalysisResult:
        """Have one moment analysed; arguments and errors as ``mien.client.Client.analyze``. Reads files in a thread."""
        query = Query(
            image=image,
            audio=audio,
            text=text,
            analyzers=analyzers,
            fuser=fuser,
            weights=weights or {},
            consent=consent,
            redact_transcript=redact_transcript,
        )
        request = await asyncio.to_thread(analyze_request, query)
        return result_from_wire(await self._call(self._stub.Analyze, request, timeout))

    async def analyze_many(
        self, queries: Iterable[tuple[str, Query]], *, timeout: float | None = None
    ) -> AsyncIterator[tuple[str, AnalysisResult | MienError]]:
        """Have many moments analysed over one call; see ``mien.client.Client.analyze_many``."""
        unsent: list[tuple[str, MienError]] = []
        messages = item_messages(queries, unsent.append)
        call = self._stub.AnalyzeStream(_in_thread(messages), timeout=timeout)
        try:
            async for answer in call:
                yield item_answer(answer)
                while unsent:
                    yield unsent.pop(0)
        except grpc.aio.AioRpcError as error:
            raise service_error(error, address=self._address) from error
        finally:
            call.cancel()
        while unsent:
            yield unsent.pop(0)

    def session(
        self, options: SessionOptions | None = None, *, reconnect_seconds: float = RECONNECT_SECONDS
    ) -> AsyncClientSession:
        """Follow one interaction; use it in an ``async with`` block.

        Args:
            options: How to follow it; None leaves all to the server.
            reconnect_seconds: How long it tries to go on after a lost connection; 0 ends with the connection.

        Raises:
            InputError: An option is not what it should be.
        """
        return AsyncClientSession(
            self._stub, options or SessionOptions(), address=self._address, reconnect_seconds=reconnect_seconds
        )

    async def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Ask what the server runs; see ``mien.client.Client.server_info``."""
        return server_info_from_wire(await self._call(self._stub.GetServerInfo, pb.GetServerInfoRequest(), timeout))

    async def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait until the server has started and loaded its models; see ``mien.client.Client.wait_until_ready``."""
        try:
            async with asyncio.timeout(timeout):
                await self._channel.channel_ready()
                async for answer in self._health.Watch(health_pb2.HealthCheckRequest()):
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
        except (TimeoutError, grpc.aio.AioRpcError):
            pass  # told below, in one way
        raise not_ready(self._address, timeout)

    async def _call(self, method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
        try:
            return await method(request, timeout=self._timeout if timeout is None else timeout)
        except grpc.aio.AioRpcError as error:
            raise service_error(error, address=self._address) from error


async def _in_thread(messages: Iterator[pb.AnalyzeStreamRequest]) -> AsyncIterator[pb.AnalyzeStreamRequest]:
    """The messages, each made in a thread, because making one may read a file."""
    while (message := await asyncio.to_thread(next, messages, None)) is not None:
        yield message
