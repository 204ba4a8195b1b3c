"""What a session refuses: a config, a first message or a later one that cannot be used; a caller without consent."""

from __future__ import annotations

import math
from typing import Any

import grpc
import pytest
from service.support import (
    TIMEOUT,
    details_of,
    face_like,
    fake_host,
    raw_image,
    running,
    settings,
    stub_of,
)

from mien.client import AsyncClient, ServiceError, SessionOptions
from mien.session import SessionEnd
from mien.v1 import sentiment_pb2 as pb


async def test_a_message_that_cannot_be_used_is_noticed_and_the_session_goes_on() -> None:
    chosen = settings()
    async with running(chosen, fake_host(chosen, face=face_like())) as server, stub_of(server) as stub:
        call = stub.StreamSession(timeout=TIMEOUT)
        await call.write(pb.StreamSessionRequest(config=pb.SessionConfig(analyzers=["face"])))
        await call.read()
        bad = [
            (pb.StreamSessionRequest(frame=pb.Image(encoded=b"words")), "JPEG"),
            (pb.StreamSessionRequest(frame=pb.Image(raw=raw_image().raw, captured_at_seconds=math.inf)), "finite"),
            (pb.StreamSessionRequest(marker=pb.Marker(name="")), "1 to 64 characters"),
            (pb.StreamSessionRequest(marker=pb.Marker(name="pay", rating=6)), "1 to 5"),
            (pb.StreamSessionRequest(text=pb.Text(content="hello")), "takes words"),
            (pb.StreamSessionRequest(), "nothing that this server knows"),
        ]
        for message, words in bad:
            await call.write(message)
            notice = (await call.read()).notice
            assert notice.kind == pb.NOTICE_KIND_BAD_INPUT
            assert words in notice.message
        await call.write(pb.StreamSessionRequest(frame=raw_image()))
        assert (await call.read()).update.state.snapshots == 1
        await call.done_writing()
        assert (await call.read()).summary.end == pb.SESSION_END_CLOSED
        assert await call.read() is grpc.aio.EOF


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        (pb.SessionConfig(analyzers=["nose"]), grpc.StatusCode.NOT_FOUND, "'nose'"),
        (pb.SessionConfig(fuser="nose"), grpc.StatusCode.NOT_FOUND, "'nose'"),
        (pb.SessionConfig(weights={"face": -1}), grpc.StatusCode.INVALID_ARGUMENT, "config.weights"),
        (pb.SessionConfig(weights={"fcae": 1}), grpc.StatusCode.INVALID_ARGUMENT, "known are: face, text, voice"),
        (pb.SessionConfig(session_id="x" * 129), grpc.StatusCode.INVALID_ARGUMENT, "session_id"),
        (pb.SessionConfig(max_snapshots=0), grpc.StatusCode.INVALID_ARGUMENT, "max_snapshots"),
        (
            pb.SessionConfig(snapshot_interval_seconds=math.nan),
            grpc.StatusCode.INVALID_ARGUMENT,
            "snapshot_interval_seconds",
        ),
        (pb.SessionConfig(idle_timeout_seconds=3600), grpc.StatusCode.INVALID_ARGUMENT, "at most 30"),
        (pb.SessionConfig(exclude_regions=[pb.Region(x=2)]), grpc.StatusCode.INVALID_ARGUMENT, "exclude_regions"),
    ],
)
async def test_a_config_that_cannot_be_used_is_refused(config: Any, code: grpc.StatusCode, words: str) -> None:
    async with running() as server, stub_of(server) as stub:
        call = stub.StreamSession(iter([pb.StreamSessionRequest(config=config)]), timeout=TIMEOUT)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is code
    assert words in (caught.value.details() or "")


@pytest.mark.parametrize("messages", [[], [pb.StreamSessionRequest(frame=raw_image())]])
async def test_a_session_that_does_not_begin_with_its_config_is_refused(messages: list[Any]) -> None:
    async with running() as server, stub_of(server) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.StreamSession(iter(messages), timeout=TIMEOUT).read()
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "begins with its config" in (caught.value.details() or "")


async def test_a_status_of_a_refused_session_carries_details() -> None:
    async with running(settings(limits={"max_sessions": 1})) as server, stub_of(server) as stub:
        first = stub.StreamSession(timeout=TIMEOUT)
        await first.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        await first.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.StreamSession(timeout=TIMEOUT).read()
        first.cancel()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details_of(caught.value)["ErrorInfo"].reason == "QUEUE_FULL"


async def test_consent_is_asked_for_where_the_policy_says_so() -> None:
    chosen = settings(privacy={"require_consent": True})
    async with running(chosen) as server, AsyncClient(server.address) as client:
        async with client.session() as session:
            with pytest.raises(ServiceError) as caught:
                await session.finish()
            assert (caught.value.code, caught.value.reason) == (
                grpc.StatusCode.FAILED_PRECONDITION,
                "CONSENT_REQUIRED",
            )
        async with client.session(SessionOptions(consent="given")) as session:
            assert (await session.finish()).end is SessionEnd.CLOSED
