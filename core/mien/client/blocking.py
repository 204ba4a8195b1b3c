"""The client for ordinary, blocking code. Safe to share between threads."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from mien.client.session import ClientSession
from mien.config import Settings
from mien.errors import MienError
from mien.session import Consent
from mien.types import AnalysisResult
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc
from mien.wire.info import ServerInfo, server_info_from_wire
from mien.wire.values import result_from_wire


class Client:
    """A connection to one server; use it in a ``with`` block, or ``close`` it."""

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
        """Prepare a connection; it is made by the first call.

        Args:
            address: ``host:port`` of ``mien serve``, or ``unix:/path/to/socket``.
            timeout: Seconds that a call may take where it does not say.
            max_message_bytes: Of one message; raise it for a server whose own limit is higher.
            credentials: How the server is known to be the right one; None connects in plain text.
            key: The bearer key, where the server asks for one.
            metadata: Sent with every call: names in lower case, and values.
            channel_options: gRPC's own, over those that are set here.
            compression: Of what is sent: ``none``, ``gzip`` or ``deflate``.
            insecure: Send the key in plain text to another machine.

        Raises:
            ConfigError: The key would go over a network in plain text, or a file of ``credentials`` cannot be used.
        """
        self._address = address
        self._timeout = timeout
        headers = Headers(key, metadata)
        check_key(address, key, is_plain=credentials is None, insecure=insecure)
        options = (*client_options(max_message_bytes, credentials), *channel_options)
        squeezed = compression_of(compression)
        if credentials is None:
            self._channel = grpc.insecure_channel(address, options=options, compression=squeezed)
        else:
            given = credentials.read() if isinstance(credentials, Tls) else credentials
            self._channel = grpc.secure_channel(address, given, options=options, compression=squeezed)
        self._stub = headers.on_each(sentiment_pb2_grpc.SentimentServiceStub(self._channel))
        self._health = headers.on_each(health_pb2_grpc.HealthStub(self._channel))

    @classmethod
    def from_config(cls, config: Settings | Path | str | None = None, **changes: Any) -> Client:
        """A client as ``[client]`` of the configuration says, with the key in ``MIEN_KEY`` where that is set.

        Args:
            config: Settings, or the file; None takes the defaults.
            **changes: Arguments of the constructor that go over the configuration, ``address`` among them.

        Raises:
            ConfigError: The configuration or a file that it names cannot be used.
        """
        return cls(**{**configured(config), **changes})

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back. May be called twice."""
        self._channel.close()

    def analyze(
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
        """Have one moment analysed; the arguments are those of ``Query``.

        Args:
            image: See ``Query``.
            audio: See ``Query``.
            text: See ``Query``.
            analyzers: See ``Query``.
            fuser: See ``Query``.
            weights: See ``Query``.
            consent: See ``Query``.
            redact_transcript: See ``Query``.
            timeout: Seconds; None takes the client's.

        Raises:
            InputError: A file cannot be read, or an argument is not what it should be.
            ServiceError: The server cannot be reached, or refused.
        """
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
        return result_from_wire(self._call(self._stub.Analyze, analyze_request(query), timeout))

    def analyze_many(
        self, queries: Iterable[tuple[str, Query]], *, timeout: float | None = None
    ) -> Iterator[tuple[str, AnalysisResult | MienError]]:
        """Have many moments analysed over one call.

        Args:
            queries: An id of the caller's own, and what to analyse; read in another thread, no faster than is answered.
            timeout: Seconds for all of them; None waits for ever.

        Yields:
            Ids with results, or with the error of that one, as they are ready.

        Raises:
            ServiceError: The call as a whole failed; what was not yet answered is not going to be.
        """
        unsent: queue.SimpleQueue[tuple[str, MienError]] = queue.SimpleQueue()
        call = self._stub.AnalyzeStream(item_messages(queries, unsent.put), timeout=timeout)
        try:
            for answer in call:
                yield item_answer(answer)
                yield from _drained(unsent)
        except grpc.RpcError as error:
            raise service_error(error, address=self._address) from error
        finally:
            call.cancel()
        yield from _drained(unsent)

    def session(
        self, options: SessionOptions | None = None, *, reconnect_seconds: float = RECONNECT_SECONDS
    ) -> ClientSession:
        """Follow one interaction; use it in a ``with`` block.

        Args:
            options: How to follow it; None leaves all to the server.
            reconnect_seconds: How long it tries to go on after a lost connection; 0 ends with the connection.

        Raises:
            InputError: An option is not what it should be.
        """
        return ClientSession(
            self._stub, options or SessionOptions(), address=self._address, reconnect_seconds=reconnect_seconds
        )

    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Ask what the server runs: plugins, analyzers, limits.

        Raises:
            ServiceError: The server cannot be reached.
        """
        return server_info_from_wire(self._call(self._stub.GetServerInfo, pb.GetServerInfoRequest(), timeout))

    def is_serving(self, service: str = "", *, timeout: float | None = None) -> bool:
        """Ask whether the server, or a part of it, can be used at this moment.

        Args:
            service: Empty for the whole, ``mien.live`` for the process, ``mien.plugins.NAME`` for a plugin.
            timeout: Seconds; None takes the client's.

        Raises:
            ServiceError: The server cannot be reached, or knows no such name.
        """
        answer = self._call(self._health.Check, health_pb2.HealthCheckRequest(service=service), timeout)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait until the server has started and loaded its models.

        Raises:
            ServiceError: It is not ready after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        try:
            grpc.channel_ready_future(self._channel).result(timeout=timeout)
            watch = self._health.Watch(health_pb2.HealthCheckRequest(), timeout=max(0.001, deadline - time.monotonic()))
            for answer in watch:
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    watch.cancel()
                    return
        except (grpc.FutureTimeoutError, grpc.RpcError):
            pass  # told below, in one way
        raise not_ready(self._address, timeout)

    def _call(self, method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
        try:
            return method(request, timeout=self._timeout if timeout is None else timeout)
        except grpc.RpcError as error:
            raise service_error(error, address=self._address) from error


def _drained(failures: queue.SimpleQueue[tuple[str, MienError]]) -> Iterator[tuple[str, MienError]]:
    while not failures.empty():
        yield failures.get()
