"""The gateway's way to the service: a gRPC channel, whether the server runs in this process or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import grpc

from mien.errors import ConfigError
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc
from mien.wire.channel import channel_options

Metadata: TypeAlias = Sequence[tuple[str, str]]
"""What a caller's headers become: the key, and the trace."""


class Upstream:
    """A connection to one server. For one event loop; ``close`` it. Calls raise ``grpc.aio.AioRpcError``."""

    def __init__(self, target: str, *, max_message_bytes: int, ca: Path | None = None) -> None:
        """Prepare a connection; nothing is sent before the first call.

        Args:
            target: ``host:port``, or ``unix:path``.
            max_message_bytes: Of one message, either way.
            ca: Certificates that are trusted, a PEM file; None speaks plain text.

        Raises:
            ConfigError: The certificates cannot be read.
        """
        self._target = target
        options = channel_options(max_message_bytes)
        if ca is None:
            self._channel = grpc.aio.insecure_channel(target, options=options)
        else:
            try:
                credentials = grpc.ssl_channel_credentials(ca.read_bytes())
            except OSError as error:
                raise ConfigError(f"cannot read target_ca under [web], {ca}: {error.strerror}") from error
            self._channel = grpc.aio.secure_channel(target, credentials, options=options)
        self._stub = sentiment_pb2_grpc.SentimentServiceStub(self._channel)

    @property
    def target(self) -> str:
        """The server's address as a caller may read it; empty for a socket of this process."""
        return "" if self._target.startswith("unix:") else self._target

    async def close(self) -> None:
        """End the connection, and the calls on it."""
        await self._channel.close()

    async def info(self, metadata: Metadata, *, timeout: float) -> pb.GetServerInfoResponse:
        """What the server runs."""
        return await self._stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=metadata, timeout=timeout)

    async def analyze(self, request: pb.AnalyzeRequest, metadata: Metadata, *, timeout: float) -> pb.AnalyzeResponse:
        """Have one moment analysed."""
        return await self._stub.Analyze(request, metadata=metadata, timeout=timeout)

    def session(self, metadata: Metadata) -> Any:
        """Begin a ``StreamSession``: a ``grpc.aio.StreamStreamCall``, to write to and to read from."""
        return self._stub.StreamSession(metadata=metadata)
