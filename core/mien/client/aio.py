"""The client for asyncio. The same calls as ``mien.client.blocking``, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mien.client.connection import Headers, Tls, check_key, client_options, compression_of, configured
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
from mien.config import Settings
from mien.errors import MienError
from mien.session import Consent
from mien.types import AnalysisResult
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc
from mien.wire.info import ServerInfo, server_info_from_wire
from mien.wire.values import result_from_wire


class AsyncClient:
    """A connection to one server; use it in an ``async with`` block, or ``close`` it. For one event loop."""

    def __init__(
        self,
        address: str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        credentials: Tls | grpc.ChannelCredentials | None = None,
        key: str = "",
        metadata: Sequence[tuple[str, str]] = (),
        channel_options: Sequence[tuple[str, Any]] = (),
        compression: str = "none",
        insecure: bool = False,
    ) -> None:
        """Prepare a connection; arguments and errors as ``mien.client.Client``."""
        self._address = address
        self._timeout = timeout
        headers = Headers(key, metadata)
        check_key(address, key, is_plain=credentials is None, insecure=insecure)
        options = (*client_options(max_message_bytes, credentials), *channel_options)
        squeezed = compression_of(compression)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(address, options=options, compression=squeezed)
        else:
            given = credentials.read() if isinstance(credentials, Tls) else credentials
            self._channel = grpc.aio.secure_channel(address, given, options=options, compression=squeezed)
        self._stub = headers.on_each(sentiment_pb2_grpc.SentimentServiceStub(self._channel))
        self._health = headers.on_each(health_pb2_grpc.HealthStub(self._channel))

    @classmethod
    def from_config(cls, config: Settings | Path | str | None = None, **changes: Any) -> AsyncClient:
        """A client as ``[client]`` of the configuration says, with the key in ``MIEN_KEY`` where that is set.

        Args:
            config: Settings, or the file; None takes the defaults.
            **changes: Arguments of the constructor that go over the configuration, ``address`` among them.

        Raises:
            ConfigError: The configuration or a file that it names cannot be used.
        """
        return cls(**{**configured(config), **changes})

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

    async def is_serving(self, service: str = "", *, timeout: float | None = None) -> bool:
        """Ask whether the server, or a part of it, can be used; see ``mien.client.Client.is_serving``."""
        answer = await self._call(self._health.Check, health_pb2.HealthCheckRequest(service=service), timeout)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

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
