"""TLS: what a client needs to get in, what is refused, and a certificate that is exchanged while the server runs."""

from __future__ import annotations

import datetime
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from service.certificates import Authority
from service.support import TIMEOUT, picture_request, running, settings

from mien import ConfigError
from mien.config import TlsSettings
from mien.service.listening import ServerStartError, check_address
from mien.service.server import Server
from mien.service.tls import Certificates
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc

PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "stranger")


@asynccontextmanager
async def stub_over(server: Server, root: Path | None, identity: tuple[Path, Path] | None = None) -> AsyncIterator[Any]:
    """A stub with a connection that nobody else has; without a root over plain text."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    if root is None:
        channel = grpc.aio.insecure_channel(server.address, options=options)
    else:
        certificate, key = identity or (None, None)
        credentials = grpc.ssl_channel_credentials(
            root.read_bytes(), key.read_bytes() if key else None, certificate.read_bytes() if certificate else None
        )
        channel = grpc.aio.secure_channel(server.address, credentials, options=options)
    async with channel:
        yield sentiment_pb2_grpc.SentimentServiceStub(channel)


async def refused_over(server: Server, root: Path | None, identity: tuple[Path, Path] | None = None) -> None:
    """Nothing gets through, and what fails is the connection."""
    async with stub_over(server, root, identity) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(picture_request(), timeout=TIMEOUT)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_only_who_trusts_the_certificate_and_speaks_tls_gets_in(
    authority: Authority, stranger: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(settings(server=authority.server())) as server:
        async with stub_over(server, authority.root) as stub:
            assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        await refused_over(server, stranger.root)
        await refused_over(server, None)  # a downgrade to plain text
    assert "PRIVATE KEY" not in caplog.text


async def test_an_expired_certificate_is_refused_by_the_client(authority: Authority) -> None:
    async with running(settings(server=authority.server(not_before=PAST, not_after=PAST))) as server:
        await refused_over(server, authority.root)


async def test_clients_show_a_certificate_where_it_is_asked_for(authority: Authority, stranger: Authority) -> None:
    async with running(settings(server=authority.server(client_ca=authority.root))) as server:
        async with stub_over(server, authority.root, authority.issue("kiosk")) as stub:
            assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        await refused_over(server, authority.root)
        await refused_over(server, authority.root, stranger.issue("kiosk"))
        await refused_over(server, authority.root, authority.issue("old", not_before=PAST, not_after=PAST))


async def test_a_new_certificate_is_shown_to_whoever_connects_and_open_calls_go_on(
    authority: Authority, stranger: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="mien")
    async with running(settings(server=authority.server())) as server, stub_over(server, authority.root) as old:
        assert (await old.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        session = old.StreamSession(timeout=TIMEOUT)
        await session.write(pb.StreamSessionRequest(config=pb.SessionConfig(session_id="open")))
        assert (await session.read()).HasField("started")

        certificate, key = stranger.issue("server")
        authority.write("server.pem", certificate.read_bytes())  # half of the pair: nothing changes yet
        async with stub_over(server, authority.root) as stub:
            assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        assert "was not read again" in caplog.text
        authority.write("server.key", key.read_bytes())
        server.reload()
        assert "the certificate was read again" in caplog.text
        async with stub_over(server, stranger.root) as stub:
            assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        await refused_over(server, authority.root)

        await session.done_writing()
        assert (await session.read()).HasField("summary")
        assert (await old.Analyze(picture_request(), timeout=TIMEOUT)).predictions


def test_files_that_cannot_be_used_are_told_before_anything_is_opened(
    authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.issue("server")
    _, other = stranger.issue("server")
    nonsense = authority.write("nonsense.pem", b"no certificate")
    for table, words in (
        ({"certificate": tmp_path / "absent", "key": key}, r"cannot read \[server.tls\] certificate"),
        ({"certificate": certificate, "key": other}, "belong together"),
        ({"certificate": nonsense, "key": key}, "belong together"),
        ({"certificate": certificate, "key": key, "client_ca": nonsense}, "holds no certificate"),
    ):
        with pytest.raises(ConfigError, match=words):
            Certificates(TlsSettings(**table))


def test_tls_may_be_served_to_other_machines() -> None:
    check_address("0.0.0.0:0", insecure=False, tls=True)


async def test_a_unix_socket_needs_no_certificate_and_is_taken_from_nobody(tmp_path: Path) -> None:
    chosen = settings(server={"address": f"unix:{tmp_path / 'mien.sock'}"})
    async with running(chosen) as server:
        async with stub_over(server, None) as stub:
            assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        with pytest.raises(ServerStartError, match="another program"):
            async with running(chosen):
                pass
        async with stub_over(server, None) as stub:
            assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
