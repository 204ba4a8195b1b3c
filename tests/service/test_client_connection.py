"""How a client connects: certificates, a key that goes nowhere in plain text, and calls that are tried again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from service.certificates import Authority
from service.support import TIMEOUT, fake_host, running, settings

from mien import ConfigError
from mien.access import add_key
from mien.client import AsyncClient, Client, ServiceError, SessionOptions, Tls
from mien.config import parse_settings
from mien.kiosk.remote import RemoteBrain
from mien.session import Consent, SessionSummary
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc
from mien.wire.channel import service_config
from mien.wire.status import RefusedError, pushback_ms

FAR = "192.0.2.1:50051"


async def test_a_client_shows_its_certificate_and_its_key_on_every_call(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    key, _ = add_key(tmp_path / "keys.json", "kiosk")
    certificate, certificate_key = authority.issue("kiosk")
    server_table = {**authority.server(client_ca=authority.root), "keys": tmp_path / "keys.json"}
    (tmp_path / "key").write_text(f"{key}\n")
    client_table = {"ca": authority.root, "certificate": certificate, "certificate_key": certificate_key}
    async with running(settings(server=server_table)) as server:
        here = {"address": server.address, "key_file": tmp_path / "key", "compression": "gzip"}
        configured = parse_settings({"client": {**client_table, **here}})
        async with AsyncClient.from_config(configured) as client:
            assert (await client.analyze(text="yes")).predictions
            assert (await client.server_info()).version
            async with client.session(SessionOptions(session_id="one")) as session:
                await session.send_text("yes")
                assert (await session.finish()).utterances == 1

        brain = RemoteBrain(server.address, analyzers=(), consent=Consent.GIVEN, settings=configured)
        await brain.start()
        assert brain.seers == {"face"}, "a kiosk's connection is that of the configuration, too"
        await brain.close()

        def blocking() -> None:
            with Client(server.address, credentials=Tls(**client_table), key=key) as client:
                assert client.analyze(text="yes").predictions
                with client.session() as session:
                    session.send_text("yes")
                    assert isinstance(session.finish(), SessionSummary)
            stranger = Tls(ca=Authority(tmp_path / "stranger").root)
            failing = pytest.raises(ServiceError, match=r"there is no secure connection to .*check")
            with Client(server.address, credentials=stranger) as client, failing:
                client.analyze(text="yes")

        await asyncio.to_thread(blocking)
        by_number = server.address.replace("localhost", "127.0.0.1")
        named = Tls(
            ca=authority.root, certificate=certificate, certificate_key=certificate_key, server_name="localhost"
        )
        async with AsyncClient(by_number, credentials=named) as client:
            assert await client.is_serving(), "health needs no key"
            with pytest.raises(ServiceError) as caught:
                await client.analyze(text="yes")
            assert caught.value.reason == "KEY_MISSING"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"key": "mien_1"}, "would go to .* in plain text"),
        ({"key": "two words", "insecure": True}, "a key is one word"),
        ({"credentials": Tls(ca="/absent.pem")}, "cannot read ca = /absent.pem"),
        ({"credentials": Tls(certificate="/a.pem")}, "go together"),
        ({"compression": "zip"}, "must be one of none, gzip, deflate"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_is_sent(arguments: dict[str, Any], words: str) -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(ConfigError, match=words):
            kind(FAR, **arguments)


def test_the_environment_has_the_last_word_on_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_KEY", "mien_1")
    (tmp_path / "mien.toml").write_text(f'[client]\naddress = "{FAR}"\nkey_file = "/absent"\n')
    with pytest.raises(ConfigError, match="in plain text"):
        Client.from_config(tmp_path / "mien.toml")
    Client.from_config(tmp_path / "mien.toml", address="127.0.0.1:1").close()
    monkeypatch.delenv("MIEN_KEY")
    with pytest.raises(ConfigError, match="cannot read key_file = /absent"):
        Client.from_config(tmp_path / "mien.toml")


class Refusing(sentiment_pb2_grpc.SentimentServiceServicer):  # type: ignore[misc]
    """Is full for a while, and says when to come again."""

    def __init__(self, *pushbacks: str) -> None:
        self.pushbacks = list(pushbacks)
        self.asked = 0
        self.headers: dict[str, str] = {}

    async def GetServerInfo(self, request: Any, context: Any) -> pb.GetServerInfoResponse:  # noqa: N802
        self.asked += 1
        self.headers = dict(context.invocation_metadata())
        if self.pushbacks:
            trailers = (("grpc-retry-pushback-ms", self.pushbacks.pop(0)),)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", trailers)
        return pb.GetServerInfoResponse(version="1")


@asynccontextmanager
async def served(servicer: Refusing) -> AsyncIterator[str]:
    server = grpc.aio.server()
    sentiment_pb2_grpc.add_SentimentServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


async def test_a_call_is_tried_again_when_the_server_says_so() -> None:
    full = Refusing("1", "1")
    async with served(full) as address, AsyncClient(address, metadata=(("site", "shop-1"),)) as client:
        assert (await client.server_info(timeout=TIMEOUT)).version == "1"
        assert full.asked == 3
        assert full.headers["site"] == "shop-1"
    for_long = Refusing("-1")
    async with served(for_long) as address, AsyncClient(address) as client:
        with pytest.raises(ServiceError, match="full"):
            await client.server_info(timeout=TIMEOUT)
        assert for_long.asked == 1


def test_the_server_asks_for_patience_it_can_expect() -> None:
    def after(seconds: float | None) -> int | None:
        code = grpc.StatusCode.RESOURCE_EXHAUSTED
        return pushback_ms(RefusedError("full", code=code, reason="QUEUE_FULL", retry_seconds=seconds))

    assert [after(None), after(0.25), after(60.0)] == [None, 250, -1]


def test_what_is_tried_again_exists_in_the_contract() -> None:
    config = json.loads(service_config())
    service = pb.DESCRIPTOR.services_by_name["SentimentService"]
    for entry in config["methodConfig"]:
        for name in entry["name"]:
            assert name["service"] == service.full_name
            method = service.methods_by_name[name["method"]]
            assert not method.client_streaming, "a stream cannot be sent again"
    assert json_format.MessageToDict(pb.GetServerInfoRequest()) == {}


async def test_a_refusal_is_found_in_the_log_by_its_id(caplog: pytest.LogCaptureFixture) -> None:
    chosen = settings()
    async with running(chosen, fake_host(chosen)) as server, AsyncClient(server.address) as client:
        with pytest.raises(ServiceError) as caught:
            await client.analyze(text="yes", analyzers=["nose"])
    assert len(caught.value.request_id) == 16
