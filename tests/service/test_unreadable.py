"""Bytes that are no message are the caller's mistake, in every call; what came before them is answered."""

from __future__ import annotations

import logging
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from service.support import TIMEOUT, details_of, picture_request, raw_image, running, settings

from mien.v1 import sentiment_pb2 as pb

GARBAGE = [b"\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x7fcut off", b"GET / HTTP/1.1\r\n\r\n"]
CALLS = "/mien.v1.SentimentService/"


def as_bytes(message: Any) -> bytes:
    return message.SerializeToString() if isinstance(message, Message) else bytes(message)


def check(error: grpc.aio.AioRpcError, caplog: pytest.LogCaptureFixture) -> None:
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details_of(error)["ErrorInfo"].reason == "INVALID_INPUT"
    assert "are no mien.v1." in (error.details() or "") or "are no grpc." in (error.details() or "")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_every_call_says_so(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    chosen = settings(server={"reflection": True})
    async with running(chosen) as server, grpc.aio.insecure_channel(server.address) as channel:
        for method in (CALLS + "Analyze", "/grpc.health.v1.Health/Check"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(method)(garbage, timeout=TIMEOUT)
            check(caught.value, caplog)
        for method in (CALLS + "AnalyzeStream", CALLS + "StreamSession"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.stream_stream(method)(iter([garbage]), timeout=TIMEOUT).read()
            check(caught.value, caplog)


async def test_a_watch_of_health_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with running() as server, grpc.aio.insecure_channel(server.address) as channel:
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await watch(GARBAGE[0], timeout=TIMEOUT).read()
        check(caught.value, caplog)
        call = watch(b"", timeout=TIMEOUT)
        assert health_pb2.HealthCheckResponse.FromString(await call.read()).status == 1
        call.cancel()


async def test_the_items_before_it_are_answered(caplog: pytest.LogCaptureFixture) -> None:
    items = [pb.AnalyzeStreamRequest(request_id=str(number), request=picture_request()) for number in range(3)]
    async with running() as server, grpc.aio.insecure_channel(server.address) as channel:
        call = channel.stream_stream(CALLS + "AnalyzeStream", as_bytes, pb.AnalyzeStreamResponse.FromString)(
            iter([*items, GARBAGE[0]]), timeout=TIMEOUT
        )
        answers = [await call.read() for _ in items]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert {answer.request_id for answer in answers if answer.HasField("response")} == {"0", "1", "2"}
    check(caught.value, caplog)


async def test_a_session_gives_its_summary_before_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    opening = [pb.StreamSessionRequest(config=pb.SessionConfig()), pb.StreamSessionRequest(frame=raw_image())]
    async with running() as server, grpc.aio.insecure_channel(server.address) as channel:
        call = channel.stream_stream(CALLS + "StreamSession", as_bytes, pb.StreamSessionResponse.FromString)(
            iter([*opening, GARBAGE[0]]), timeout=TIMEOUT
        )
        answers = [await call.read() for _ in range(3)]
        assert [answer.WhichOneof("payload") for answer in answers] == ["started", "update", "summary"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    check(caught.value, caplog)
