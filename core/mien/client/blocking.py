"""The client for ordinary, blocking code. Safe to share between threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mien.client.errors import not_ready, service_error
from mien.client.requests import (
    DEFAULT_TIMEOUT,
    AudioSource,
    Consent,
    ImageSource,
    TextSource,
    analyze_request,
    client_options,
)
from mien.service.info import ServerInfo, server_info_from_wire
from mien.service.wire import result_from_wire
from mien.types import AnalysisResult
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc


class Client:
    """A connection to one server; use it in a ``with`` block, or ``close`` it."""

    def __init__(self, address: str, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Prepare a connection; it is made by the first call.

        Args:
            address: ``host:port`` of ``mien serve``.
            timeout: Seconds that a call may take where it does not say.
        """
        self._address = address
        self._timeout = timeout
        self._channel = grpc.insecure_channel(address, options=client_options())
        self._stub = sentiment_pb2_grpc.SentimentServiceStub(self._channel)
        self._health = health_pb2_grpc.HealthStub(self._channel)

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
        """Have one moment analysed; give at least one of image, audio and text.

        Args:
            image: A picture: a path, a file's content, or RGB pixels ``[height, width, 3]``.
            audio: A sound: a path, a file's content, or a clip.
            text: Words.
            analyzers: Names; empty asks every enabled one that takes what was given.
            fuser: Name; empty takes the server's.
            weights: Modality -> weight, over the server's.
            consent: Whether the person was told or agreed; a server may ask for it.
            redact_transcript: Leave the words of transcripts out of the answer.
            timeout: Seconds; None takes the client's.

        Raises:
            InputError: A file cannot be read, or an argument is not what it should be.
            ServiceError: The server cannot be reached, or refused.
        """
        request = analyze_request(
            image=image,
            audio=audio,
            text=text,
            analyzers=analyzers,
            fuser=fuser,
            weights=weights,
            consent=consent,
            redact_transcript=redact_transcript,
        )
        return result_from_wire(self._call(self._stub.Analyze, request, timeout))

    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Ask what the server runs: plugins, analyzers, limits.

        Raises:
            ServiceError: The server cannot be reached.
        """
        return server_info_from_wire(self._call(self._stub.GetServerInfo, pb.GetServerInfoRequest(), timeout))

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
