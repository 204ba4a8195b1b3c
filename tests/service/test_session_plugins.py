"""What plugins can do to sessions on a server, and what they cannot: what they are shown, whom their faults cost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from service.support import (
    TIMEOUT,
    BlockingAnalyzer,
    events_of,
    face_like,
    fake_host,
    of_kind,
    running,
    settings,
    voice_plugin,
)

from mien import Analyzer, FusionContext, ImageFrame, Prediction, Sample, Satisfaction, Stream, StreamSettings
from mien.client import AsyncClient, SessionOptions
from mien.live import Notice, NoticeKind, Started, Update
from mien.session import SessionEnd, SessionSummary
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_clip, make_image, make_prediction


def plugin_of(name: str, analyzer: Analyzer) -> FakePlugin:
    return FakePlugin(analyzers={name: (analyzer_info("face"), lambda: analyzer)})


async def test_an_analyzer_with_the_default_stream_gets_blanked_pictures_at_the_snapshot_interval() -> None:
    seen: list[ImageFrame] = []

    def look(sample: Sample) -> list[Prediction]:
        assert isinstance(sample, ImageFrame)
        seen.append(sample)
        return [make_prediction("face", at=sample.captured_at)]

    chosen = settings(session={"snapshot_interval_seconds": 1.0, "exclude_regions": [[0.5, 0.0, 0.5, 1.0]]})
    host = fake_host(chosen, face=FakeAnalyzer("face", answer=look))
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(analyzers=["face"])) as session,
    ):
        for number in range(5):
            await session.send_frame(make_image(200, captured_at=number / 10))
            if number == 0:  # else the newest of those that wait would push it out
                events = session.events()
                while not isinstance(await anext(events), Update):
                    pass
        summary = await session.finish()
    assert summary.snapshots == 1
    (frame,) = seen
    assert np.all(frame.pixels[:, 32:] == 0)
    assert np.all(frame.pixels[:, :32] == 200)


class Tracking(FakeAnalyzer):
    """Its stream gives back samples of its own making."""

    class _Copying(Stream):
        def push(self, sample: Sample) -> list[Sample]:
            return [replace(sample)]

    def open_stream(self, settings: StreamSettings) -> Stream:
        return self._Copying()


async def test_two_analyzers_that_see_the_same_pictures_count_them_once() -> None:
    chosen = settings(session={"exclude_regions": [[0.0, 0.0, 0.1, 0.1]]})
    host = fake_host(chosen, face=Tracking(), other=plugin_of("other", Tracking()))
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(analyzers=["face", "other"])) as session,
    ):
        events = session.events()
        assert isinstance(await anext(events), Started)
        for number in range(5):
            await session.send_frame(make_image(captured_at=float(number)))
            update = await anext(events)
            assert isinstance(update, Update)
            assert [status.analyzer for status in update.streams] == ["face", "other"]
        assert (await session.finish()).snapshots == 5


async def test_a_short_drain_still_ends_with_a_summary_while_speech_waits() -> None:
    chosen, voice = settings(server={"drain_seconds": 2.0}), BlockingAnalyzer("voice")
    host = fake_host(chosen, face=face_like(), voice=voice_plugin(voice))
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session() as session,
    ):
        events = session.events()
        await session.send_frame(make_image())
        for number in range(3):
            await session.send_audio(make_clip(seconds=0.1, captured_at=0.1 * number))
        assert await asyncio.to_thread(voice.entered.acquire, timeout=TIMEOUT)
        while not isinstance(await anext(events), Update):
            pass
        draining = asyncio.create_task(server.drain())
        rest = [event async for event in events]
        voice.release.set()
        await draining
    assert [event.kind for event in of_kind(rest, Notice)] == [NoticeKind.DRAINING, NoticeKind.STREAM]
    summary = rest[-1]
    assert isinstance(summary, SessionSummary)
    assert (summary.end, summary.snapshots, summary.utterances) == (SessionEnd.DRAINING, 1, 0)


class Opening(FakeAnalyzer):
    """Hangs in ``open_stream`` until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.release = threading.Event()

    def open_stream(self, settings: StreamSettings) -> Stream:
        self.entered.set()
        assert self.release.wait(TIMEOUT)
        return super().open_stream(settings)


async def test_streams_that_hang_while_they_open_stop_no_session_of_other_analyzers() -> None:
    chosen, hanging = settings(), Opening()
    host = fake_host(chosen, face=face_like(), stuck=plugin_of("stuck", hanging))
    async with running(chosen, host) as server, AsyncClient(server.address) as client:
        waiting = [client.session(SessionOptions(analyzers=["stuck"])) for _ in range(8)]
        for session in waiting:
            await session.__aenter__()
        assert await asyncio.to_thread(hanging.entered.wait, TIMEOUT)
        async with asyncio.timeout(TIMEOUT), client.session(SessionOptions(analyzers=["face"])) as session:
            await session.send_frame(make_image())
            assert (await session.finish()).snapshots == 1
        hanging.release.set()
        for session in waiting:
            session.cancel()


class SleepingFuser(FakeFuser):
    """Sleeps when it is asked for the first time, with nothing to fuse yet, until it is released."""

    def __init__(self, entered: threading.Event, release: threading.Event) -> None:
        self._entered, self._release = entered, release

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        if not predictions:
            self._entered.set()
            assert self._release.wait(TIMEOUT)
        return super().fuse(predictions, context)


async def test_a_fuser_that_sleeps_holds_up_its_own_session_and_not_the_server() -> None:
    chosen, entered, release = settings(), threading.Event(), threading.Event()
    slow = FakePlugin(fusers={"slow": lambda: SleepingFuser(entered, release)})
    async with (
        running(chosen, fake_host(chosen, slow=slow)) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(fuser="slow")) as session,
    ):
        reading = asyncio.create_task(events_of(session))
        assert await asyncio.to_thread(entered.wait, TIMEOUT)
        assert (await asyncio.wait_for(client.server_info(), TIMEOUT)).analyzers
        async with asyncio.timeout(TIMEOUT), client.session() as other:
            assert (await other.finish()).end is SessionEnd.CLOSED
        release.set()
        await session.close()
        assert isinstance((await reading)[-1], SessionSummary)
