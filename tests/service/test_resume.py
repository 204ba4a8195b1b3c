"""Sessions that lose their connection go on over another, where its caller has the token; else they end well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from service.support import TIMEOUT, details_of, face_like, fake_host, raw_image, running, settings, stub_of

from mien.config import Settings
from mien.plugins.host import PluginHost
from mien.service.server import Server
from mien.session import SessionEnd, SessionSummary
from mien.testing import FakePlugin, FakeSink
from mien.v1 import sentiment_pb2 as pb

CONFIG = pb.StreamSessionRequest(config=pb.SessionConfig(session_id="one", snapshot_interval_seconds=0))
END = pb.StreamSessionRequest(marker=pb.Marker(name="end", at_seconds=9, rating=4))


def frame(at: float) -> pb.StreamSessionRequest:
    image = raw_image()
    image.captured_at_seconds = at
    return pb.StreamSessionRequest(frame=image)


def resuming(token: str) -> pb.StreamSessionRequest:
    return pb.StreamSessionRequest(config=pb.SessionConfig(resume_token=token))


async def until(call: Any, kind: str) -> Any:
    """The next message of a kind; others are passed over."""
    async with asyncio.timeout(TIMEOUT):
        while (message := await call.read()) is not grpc.aio.EOF:
            if message.WhichOneof("payload") == kind:
                return getattr(message, kind)
    raise AssertionError(f"the session ended without {kind}")


async def begun(stub: Any, **options: Any) -> tuple[Any, str]:
    """A session with one picture in it, and its token."""
    call = stub.StreamSession(**options)
    await call.write(CONFIG)
    token = (await until(call, "started")).resume_token
    await call.write(frame(1))
    assert (await until(call, "update")).state.snapshots == 1
    return call, token


async def refusal(call: Any) -> str:
    """Why a call is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_all(call)
    reason: str = details_of(caught.value)["ErrorInfo"].reason
    return reason


async def read_all(call: Any) -> None:
    async with asyncio.timeout(TIMEOUT):
        while await call.read() is not grpc.aio.EOF:
            pass


@asynccontextmanager
async def serving(**server: Any) -> AsyncIterator[tuple[Server, FakeSink]]:
    """A server with a sink that is told of everything."""
    chosen, sink = settings(server=server), FakeSink()
    async with running(chosen, with_sink(chosen, sink)) as found:
        yield found, sink


def with_sink(chosen: Settings, sink: FakeSink) -> PluginHost:
    return fake_host(chosen, face=face_like(0.9), kept=FakePlugin(sinks={"kept": lambda: sink}))


def summaries(sink: FakeSink) -> list[SessionSummary]:
    return [result for result, _ in sink.written if isinstance(result, SessionSummary)]


async def test_a_session_goes_on_where_it_stood_after_its_connection_was_killed() -> None:
    async with serving() as (server, sink):
        async with stub_of(server) as stub:
            _, token = await begun(stub)
        # The channel is closed: the connection is gone.
        async with stub_of(server) as stub:
            call = stub.StreamSession()
            await call.write(resuming(token))
            started = await until(call, "started")
            assert (started.session_id, started.resume_token) == ("one", token)
            notice = await until(call, "notice")
            assert notice.kind == pb.NOTICE_KIND_RESUMED
            await call.write(frame(2))
            state = (await until(call, "update")).state
            assert state.snapshots == 2
            assert state.emotion_percentages["happy"] == 100.0
            await call.write(END)
            summary = await until(call, "summary")
        assert (summary.snapshots, summary.rating, summary.end) == (2, 4, pb.SESSION_END_MARKER)
    assert [each.snapshots for each in summaries(sink)] == [2]


async def test_a_caller_may_come_back_before_the_loss_is_noticed() -> None:
    async with serving() as (server, _), stub_of(server) as stub:
        first, token = await begun(stub)
        second = stub.StreamSession()
        await second.write(resuming(token))
        await until(second, "started")
        assert await refusal(first) == "RESUMED_ELSEWHERE"
        await second.write(frame(2))
        assert (await until(second, "update")).state.snapshots == 2
        await second.done_writing()
        assert (await until(second, "summary")).end == pb.SESSION_END_CLOSED


async def test_a_token_opens_nothing_for_another_key_nor_where_it_is_guessed_or_over() -> None:
    async with serving() as (server, _), stub_of(server) as stub:
        call, token = await begun(stub, metadata=(("authorization", "Bearer mine"),))
        for presented, metadata in ((token, None), (token, (("authorization", "Bearer theirs"),)), ("x" * 5000, None)):
            other = stub.StreamSession(metadata=metadata)
            await other.write(resuming(presented))
            assert await refusal(other) == "SESSION_GONE"
        await call.write(END)
        await until(call, "summary")
        late = stub.StreamSession(metadata=(("authorization", "Bearer mine"),))
        await late.write(resuming(token))
        assert await refusal(late) == "SESSION_GONE"


async def test_how_the_scheme_is_spelled_makes_nobody_another() -> None:
    async with serving() as (server, _), stub_of(server) as stub:
        _, token = await begun(stub, metadata=(("authorization", "Bearer mine"),))
        again = stub.StreamSession(metadata=(("authorization", "bearer mine"),))
        await again.write(resuming(token))
        await until(again, "started")


async def test_one_whose_caller_stays_away_ends_with_its_summary() -> None:
    async with serving(resume_seconds=0.2) as (server, sink):
        async with stub_of(server) as stub:
            _, token = await begun(stub)
        async with asyncio.timeout(TIMEOUT):
            while not summaries(sink):
                await asyncio.sleep(0.01)
        async with stub_of(server) as stub:
            call = stub.StreamSession()
            await call.write(resuming(token))
            assert await refusal(call) == "SESSION_GONE"
    (summary,) = summaries(sink)
    assert (summary.snapshots, summary.end) == (1, SessionEnd.IDLE)


async def test_a_drain_ends_those_that_wait_with_their_summaries() -> None:
    async with serving() as (server, sink), stub_of(server) as stub:
        await begun(stub)
        await begun(stub)
    assert [each.end for each in summaries(sink)] == [SessionEnd.DRAINING] * 2


async def test_no_more_wait_than_there_may_be_sessions() -> None:
    chosen, sink = settings(limits={"max_sessions": 2}), FakeSink()
    async with running(chosen, with_sink(chosen, sink)) as server:
        tokens = []
        for number in range(3):
            async with stub_of(server) as stub:
                tokens.append((await begun(stub))[1])
            if number == 1:  # the third finds room once these two are known to be lost
                await gone(server)
        await gone(server)
        async with stub_of(server) as stub:
            call = stub.StreamSession()
            await call.write(resuming(tokens[0]))
            assert await refusal(call) == "SESSION_GONE"
            for token in tokens[1:]:
                call = stub.StreamSession()
                await call.write(resuming(token))
                await until(call, "started")
                await call.done_writing()
                await until(call, "summary")
    assert sorted(each.end for each in summaries(sink)) == [SessionEnd.CLOSED, SessionEnd.CLOSED, SessionEnd.IDLE]


async def gone(server: Server) -> None:
    """Until the server has noticed that no connection is left."""
    async with asyncio.timeout(TIMEOUT):
        while server.sessions:
            await asyncio.sleep(0.01)


async def test_where_none_are_kept_there_is_no_token() -> None:
    async with serving(resume_seconds=0) as (server, sink), stub_of(server) as stub:
        call, token = await begun(stub)
        assert token == ""
        call.cancel()
    assert summaries(sink) == []


async def test_one_that_ended_meanwhile_has_its_summary_ready() -> None:
    async with serving() as (server, _):
        async with stub_of(server) as stub:
            call = stub.StreamSession()
            await call.write(
                pb.StreamSessionRequest(config=pb.SessionConfig(snapshot_interval_seconds=0, max_snapshots=1))
            )
            token = (await until(call, "started")).resume_token
            await call.write(frame(1))
        async with stub_of(server) as stub:
            call = stub.StreamSession()
            await call.write(resuming(token))
            assert (await until(call, "summary")).end == pb.SESSION_END_MAX_SNAPSHOTS
