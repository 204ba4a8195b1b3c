"""The client goes on with a session over another connection by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from service.cutting import Cable, cable_to
from service.support import TIMEOUT, face_like, fake_host, running, settings

from mien.client import AsyncClient, AsyncClientSession, Client, ServiceError, SessionOptions
from mien.client.reconnecting import LONGEST_PAUSE, Attempts, Unsent
from mien.config import Settings
from mien.live import Notice, NoticeKind, Started, Update
from mien.session import SessionSummary
from mien.v1 import sentiment_pb2 as pb

OPTIONS = SessionOptions(session_id="one", snapshot_interval_seconds=0.0)
BLACK = np.zeros((3, 4, 3), np.uint8)


@asynccontextmanager
async def cut_off(chosen: Settings) -> AsyncIterator[tuple[Cable, AsyncClient]]:
    """A server, a cable to it, and a client at its end."""
    host = fake_host(chosen, face=face_like(0.9))
    async with running(chosen, host) as server, cable_to(server.address) as cable, AsyncClient(cable.address) as client:
        yield cable, client


async def cut_once_begun(session: AsyncClientSession, cable: Cable) -> None:
    """Read all events, and cut the cable at the first."""
    async for event in session.events():
        if isinstance(event, Started):
            cable.cut()


async def test_an_asynchronous_session_goes_on_after_a_cut() -> None:
    chosen = settings()
    async with asyncio.timeout(TIMEOUT), cut_off(chosen) as (cable, client), client.session(OPTIONS) as session:
        await session.send_frame(BLACK, captured_at=1.0)
        kinds, snapshots = [], 0
        async for event in session.events():
            kinds.append(type(event))
            if isinstance(event, Update):
                snapshots = event.state.snapshots
                if snapshots == 1:
                    cable.cut()
                    await session.send_frame(BLACK, captured_at=2.0)
                else:
                    await session.mark("end", at=3.0, rating=5)
            if isinstance(event, Notice):
                assert event.kind is NoticeKind.RESUMED
                if snapshots == 1:  # the picture may have been on its way when the cable was cut
                    await session.send_frame(BLACK, captured_at=2.5)
            if isinstance(event, SessionSummary):
                assert (event.snapshots >= 2, event.rating) == (True, 5)
    assert kinds.count(Started) == 1
    assert kinds.count(Notice) == 1
    assert kinds[-1] is SessionSummary


async def test_a_blocking_session_goes_on_after_a_cut() -> None:
    chosen = settings()
    async with running(chosen, fake_host(chosen, face=face_like(0.9))) as server, cable_to(server.address) as cable:
        loop = asyncio.get_running_loop()

        def use() -> tuple[list[NoticeKind], SessionSummary]:
            with Client(cable.address) as client, client.session(OPTIONS) as session:
                session.send_frame(BLACK, captured_at=1.0)
                notices = []
                for event in session.events():
                    if isinstance(event, Update) and event.state.snapshots == 1:
                        loop.call_soon_threadsafe(cable.cut)
                    if isinstance(event, Notice):
                        notices.append(event.kind)
                        break
                session.send_frame(BLACK, captured_at=2.0)
                return notices, session.finish()

        async with asyncio.timeout(TIMEOUT):
            notices, summary = await asyncio.to_thread(use)
    assert notices == [NoticeKind.RESUMED]
    assert summary.snapshots == 2


async def test_a_session_that_the_server_has_no_more_is_told() -> None:
    chosen = settings(server={"resume_seconds": 0.01})
    async with asyncio.timeout(TIMEOUT), cut_off(chosen) as (cable, client), client.session(OPTIONS) as session:
        with pytest.raises(ServiceError, match="no session waits") as caught:
            await cut_once_begun(session, cable)
    assert caught.value.reason == "SESSION_GONE"


async def test_one_who_wants_no_other_connection_gets_the_error_at_once() -> None:
    async with (
        asyncio.timeout(TIMEOUT),
        cut_off(settings()) as (cable, client),
        client.session(OPTIONS, reconnect_seconds=0) as session,
    ):
        with pytest.raises(ServiceError, match="cannot reach"):
            await cut_once_begun(session, cable)


def test_pauses_grow_and_end() -> None:
    now = [0.0]
    attempts = Attempts(60.0, clock=lambda: now[0])
    pauses = []
    while (pause := attempts.next_pause()) is not None:
        pauses.append(pause)
        now[0] += pause + 0.1
    assert pauses[0] <= 0.2
    assert all(pause <= LONGEST_PAUSE for pause in pauses)
    assert 12 < len(pauses) < 40
    attempts.succeeded()
    assert attempts.next_pause() is not None


def test_what_waits_is_bounded_and_loses_old_sound_first() -> None:
    unsent = Unsent(max_bytes=5_000)
    unsent.add(pb.StreamSessionRequest(marker=pb.Marker(name="pay")))
    for number in range(20):
        unsent.add(pb.StreamSessionRequest(frame=pb.Image(encoded=bytes(500), captured_at_seconds=number)))
        raw = pb.RawAudio(data=bytes(500))
        unsent.add(pb.StreamSessionRequest(audio=pb.Audio(raw=raw, captured_at_seconds=number)))
    kept = [unsent.take() for _ in range(len(unsent))]
    assert kept[0].marker.name == "pay"
    assert [each.frame.captured_at_seconds for each in kept if each.HasField("frame")] == [19]
    sound = [each.audio.captured_at_seconds for each in kept if each.HasField("audio")]
    assert sound == list(range(20 - len(sound), 20))
    assert 5 < len(sound) < 10
