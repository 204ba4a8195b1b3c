"""How sessions end: by their caller, by the server, by silence, by a fault."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from service.support import (
    TIMEOUT,
    BlockingAnalyzer,
    events_of,
    face_like,
    fake_host,
    of_kind,
    running,
    settings,
    stub_of,
    voice_plugin,
)

from mien import (
    SessionError,
)
from mien.client import AsyncClient, ServiceError, SessionOptions
from mien.live import Notice, NoticeKind, Started, Update
from mien.session import SessionEnd, SessionSummary
from mien.testing import FakeFuser, FakePlugin, make_clip, make_image
from mien.v1 import sentiment_pb2 as pb


async def test_enough_snapshots_end_a_session() -> None:
    chosen = settings()
    async with (
        running(chosen, fake_host(chosen, face=face_like())) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(max_snapshots=2)) as session,
    ):
        for second in range(2):
            await session.send_frame(make_image(captured_at=float(second)))
        events = await events_of(session)  # ended by the server
        assert session.is_over
        with pytest.raises(SessionError, match="over"):
            await session.send_frame(make_image(captured_at=3.0))
    assert events[-1].end is SessionEnd.MAX_SNAPSHOTS  # type: ignore[union-attr]


async def test_an_end_marker_ends_a_session_and_what_was_said_before_still_counts() -> None:
    chosen, voice = settings(), BlockingAnalyzer("voice")
    host = fake_host(chosen, face=face_like(), voice=voice_plugin(voice))
    async with running(chosen, host) as server, AsyncClient(server.address) as client, client.session() as session:
        await session.send_frame(make_image(captured_at=0.5))
        await session.send_audio(make_clip(seconds=0.5))
        assert await asyncio.to_thread(voice.entered.acquire, timeout=TIMEOUT)
        await session.mark("end", at=1.0)
        await asyncio.sleep(0.05)
        voice.release.set()
        events = await events_of(session)
    summary = events[-1]
    assert isinstance(summary, SessionSummary)
    assert (summary.end, summary.snapshots, summary.utterances) == (SessionEnd.MARKER, 1, 1)


async def test_silence_ends_a_session() -> None:
    async with (
        running() as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(idle_timeout_seconds=0.2)) as session,
    ):
        events = await events_of(session)
    assert events[-1].end is SessionEnd.IDLE  # type: ignore[union-attr]


async def test_frames_that_are_not_due_keep_a_session_alive() -> None:
    chosen = settings()
    host = fake_host(chosen, face=face_like(), hold=FakePlugin())
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(idle_timeout_seconds=0.5, analyzers=["face"])) as session,
    ):
        for number in range(8):
            await session.send_frame(make_image(captured_at=0.1 * number))
            await asyncio.sleep(0.1)
        assert not session.is_over
        assert (await session.finish()).end is SessionEnd.CLOSED


async def test_a_drain_ends_sessions_with_a_notice_and_a_summary() -> None:
    chosen = settings()
    async with (
        running(chosen, fake_host(chosen, face=face_like())) as server,
        AsyncClient(server.address) as client,
        client.session() as session,
    ):
        events = session.events()
        await session.send_frame(make_image())
        assert isinstance(await anext(events), Started)
        assert isinstance(await anext(events), Update)
        draining = asyncio.create_task(server._gate.wait_idle())
        server._gate.drain()
        rest = [event async for event in events]
        await draining
    assert [event.kind for event in of_kind(rest, Notice)] == [NoticeKind.DRAINING]
    assert rest[-1].end is SessionEnd.DRAINING  # type: ignore[union-attr]
    assert rest[-1].snapshots == 1  # type: ignore[union-attr]


async def test_a_second_config_ends_the_session_with_a_summary_and_a_status() -> None:
    configure = pb.StreamSessionRequest(config=pb.SessionConfig())
    async with running() as server, stub_of(server) as stub:
        call = stub.StreamSession(iter([configure, configure]), timeout=TIMEOUT)
        assert (await call.read()).WhichOneof("payload") == "started"
        assert (await call.read()).WhichOneof("payload") == "summary"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_fuser_that_raises_ends_the_session_with_an_error_without_its_message() -> None:
    class Broken(FakeFuser):
        def fuse(self, predictions: Any, context: Any) -> Any:
            if predictions:
                raise RuntimeError("secret")
            return super().fuse(predictions, context)

    chosen = settings()
    host = fake_host(chosen, broken=FakePlugin(fusers={"broken": Broken}))
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(fuser="broken")) as session,
    ):
        await session.send_frame(make_image())
        with pytest.raises(ServiceError, match="fuser 'broken' failed: it raised RuntimeError") as caught:
            await events_of(session)
    assert caught.value.code is grpc.StatusCode.INTERNAL
    assert "secret" not in str(caught.value)


async def test_a_caller_that_goes_away_leaves_nothing_behind() -> None:
    chosen, face = settings(server={"resume_seconds": 0}), BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server:
        async with AsyncClient(server.address) as client, client.session() as session:
            await session.send_frame(make_image())
            assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        async with asyncio.timeout(TIMEOUT):
            await server._gate.wait_idle()
        face.release.set()
        assert server._gate.streams == 0
