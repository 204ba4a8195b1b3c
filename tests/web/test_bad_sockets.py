"""WebSockets that misbehave: each is refused with the service's reason, and other sessions go on."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket as sockets
from collections.abc import Sequence
from typing import Any

import pytest
from service.support import TIMEOUT, BlockingAnalyzer, fake_host
from web.support import CONFIG, FRAME, gateway, socket_to, told, web_settings
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from mien import Prediction, Sample
from mien.session import SessionSummary
from mien.testing import FakeAnalyzer, FakePlugin, FakeSink, make_prediction

TEXT_CONFIG = json.dumps(CONFIG)
BAD: dict[str, tuple[Sequence[str | bytes], int, str]] = {
    "binary rubbish": ([TEXT_CONFIG, b"\xff\xfe\xfd" * 100], 4400, "INVALID_INPUT"),
    "rubbish first": ([b"\x00\x01\x02"], 4400, "INVALID_INPUT"),
    "no json": ([TEXT_CONFIG, "{"], 4400, "INVALID_INPUT"),
    "an unknown message": ([TEXT_CONFIG, '{"hello": 1}'], 4400, "INVALID_INPUT"),
    "too many parts": ([TEXT_CONFIG, "[" + "1," * 30_000], 4400, "INVALID_INPUT"),
    "deep": (["[" * 9_000], 4400, "INVALID_INPUT"),
    "no config first": ([json.dumps(FRAME)], 4400, "SESSION_ORDER"),
    "a second config": ([TEXT_CONFIG, TEXT_CONFIG], 4400, "SESSION_ORDER"),
    "too large": ([TEXT_CONFIG, json.dumps({"frame": {"encoded": "A" * 70_000}})], 4413, "INPUT_TOO_LARGE"),
    "an unknown analyzer": (['{"config": {"analyzers": ["nobody"]}}'], 4404, "NOT_FOUND"),
}


async def ended(socket: ClientConnection) -> tuple[int | None, dict[str, Any]]:
    """How a socket was closed, and the last it was told."""
    last: dict[str, Any] = {}
    async with asyncio.timeout(TIMEOUT):
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                last = json.loads(message)
        await socket.wait_closed()
    return socket.close_code, last


async def test_what_is_wrong_is_told_before_the_close_and_costs_no_other_session() -> None:
    chosen = web_settings(limits={"max_message_bytes": 50_000, "max_image_bytes": 40_000})
    async with gateway(chosen) as found, socket_to(found) as other:
        await other.send(json.dumps({"config": {"sessionId": "other", "snapshotIntervalSeconds": 0}}))
        for name, (messages, code, reason) in BAD.items():
            async with socket_to(found) as socket:
                for message in messages:
                    await socket.send(message)
                closed, last = await ended(socket)
            assert (closed, last["error"]["reason"]) == (code, reason), (name, last)
        await other.send(json.dumps(FRAME))
        assert (await told(other, "update"))["state"]["snapshots"] == 1


async def test_what_is_beyond_all_limits_is_cut_off_by_the_protocol() -> None:
    chosen = web_settings(limits={"max_message_bytes": 50_000, "max_image_bytes": 40_000})
    async with gateway(chosen) as found, socket_to(found) as socket:
        await socket.send("x" * 500_000)
        closed, _ = await ended(socket)
    assert closed == 1009


async def test_a_connection_that_breaks_within_a_frame_ends_alone() -> None:
    async with gateway() as found, socket_to(found) as other, socket_to(found) as socket:
        await socket.send(TEXT_CONFIG)
        await told(socket, "started")
        socket.transport.write(b"\x82\xfe\xff\xff1234half of it")
        socket.transport.abort()
        await other.send(json.dumps({"config": {"sessionId": "other"}}))
        await other.send(json.dumps({"marker": {"name": "end"}}))
        assert (await told(other, "summary"))["sessionId"] == "other"


async def test_thousands_of_messages_at_once_wait_with_their_sender() -> None:
    chosen = web_settings(limits={"max_session_frames_queued": 2})
    face = BlockingAnalyzer()
    async with gateway(chosen, fake_host(chosen, face=face)) as found, socket_to(found) as socket:
        await socket.send(TEXT_CONFIG)
        await told(socket, "started")
        sending = asyncio.create_task(_send_for_ever(socket))
        async with socket_to(found) as other:
            await other.send('{"config": {"sessionId": "other", "analyzers": ["words"]}}')
            await other.send('{"text": {"content": "fine, thanks"}}')
            assert (await told(other, "update"))["state"]["utterances"] == 1
        face.release.set()
        async with asyncio.timeout(TIMEOUT):
            while (await told(socket, "update"))["state"]["snapshots"] < 1:
                pass
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_one_who_never_reads_loses_the_session_and_its_place() -> None:
    chosen = web_settings(limits={"idle_seconds": 0.5, "max_sessions": 1})
    host = fake_host(chosen, face=FakeAnalyzer("face", answer=_crowd))
    async with gateway(chosen, host) as found:
        async with socket_to(found, max_queue=1, sock=_small(found.address), close_timeout=0) as socket:
            await socket.send(TEXT_CONFIG)
            with pytest.raises(ConnectionClosed):
                await _send_for_ever(socket)
        async with asyncio.timeout(TIMEOUT), socket_to(found) as other:
            await other.send(TEXT_CONFIG)
            await told(other, "started")


def _crowd(sample: Sample) -> list[Prediction]:
    """An answer of some 100 kB."""
    names = (f"{'x' * 500}-{number}" for number in range(100))
    return [make_prediction("face", subject_id=name, at=sample.captured_at) for name in names]


def _small(address: str) -> sockets.socket:
    """A connection that takes in little."""
    host, _, port = address.rpartition(":")
    found = sockets.socket()
    found.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    found.connect((host, int(port)))
    return found


async def _send_for_ever(socket: ClientConnection) -> None:
    async with asyncio.timeout(TIMEOUT):
        for number in itertools.count():
            frame = {"encoded": FRAME["frame"]["encoded"], "capturedAtSeconds": number}
            await socket.send(json.dumps({"frame": frame}))


async def test_one_too_many_is_told_when_to_come_again() -> None:
    async with gateway(web_settings(limits={"max_sessions": 1})) as found, socket_to(found) as first:
        await first.send(TEXT_CONFIG)
        await told(first, "started")
        async with socket_to(found) as second:
            await second.send(TEXT_CONFIG)
            closed, last = await ended(second)
    assert (closed, last["error"]["reason"]) == (4429, "QUEUE_FULL")
    assert any("retryDelay" in detail for detail in last["error"]["details"])


async def test_a_key_that_is_none_is_told_after_the_handshake() -> None:
    async with gateway() as found, socket_to(found, subprotocols=["mien.v1", "mien.key.***"]) as socket:
        assert socket.subprotocol == "mien.v1"
        closed, last = await ended(socket)
    assert (closed, last["error"]["reason"]) == (4401, "KEY_INVALID")


async def test_a_caller_who_closes_has_ended_the_session_with_its_summary() -> None:
    chosen, sink = web_settings(), FakeSink()
    host = fake_host(chosen, keeper=FakePlugin(sinks={"keeper": lambda: sink}))
    async with gateway(chosen, host) as found:
        socket = await socket_to(found)
        await socket.send(TEXT_CONFIG)
        await told(socket, "started")
        await socket.close()
    assert [result.session_id for result, _ in sink.written if isinstance(result, SessionSummary)] == ["one"]
