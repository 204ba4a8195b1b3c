"""``StreamSession`` and the clients' sessions, over a real server with fake analyzers."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import grpc
import numpy as np
import pytest
from service.support import (
    TIMEOUT,
    BlockingAnalyzer,
    details_of,
    fake_host,
    raw_image,
    running,
    settings,
    stub_of,
)

from mien import (
    AnalysisResult,
    Analyzer,
    Prediction,
    Sample,
    SampleKind,
    SessionError,
    Stream,
    StreamSettings,
    Transcript,
    Utterance,
)
from mien.client import AsyncClient, Client, ServiceError, SessionOptions
from mien.live import Event, Notice, NoticeKind, Started, Update
from mien.session import SessionEnd, SessionSummary
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_clip, make_image, make_prediction
from mien.v1 import sentiment_pb2 as pb


def face_like(satisfaction: float = 0.9) -> FakeAnalyzer:
    """Sees one person in every picture, who is as satisfied as is said."""
    return FakeAnalyzer(
        "face",
        answer=lambda s: [make_prediction("face", satisfaction=satisfaction, at=s.captured_at, subject_id="track-1")],
    )


def voice_plugin(analyzer: Analyzer) -> FakePlugin:
    return FakePlugin(analyzers={"voice": (analyzer_info("voice", SampleKind.AUDIO), lambda: analyzer)})


async def events_of(session: Any) -> list[Event]:
    return [event async for event in session.events()]


def of_kind(events: Sequence[Event], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def notices(events: Sequence[Event], kind: NoticeKind) -> list[str]:
    return [event.message for event in of_kind(events, Notice) if event.kind is kind]


async def test_a_face_only_session_from_its_start_to_its_summary() -> None:
    chosen = settings()
    host = fake_host(chosen, face=face_like(0.9))
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(session_id="visit-7", site="till 3")) as session,
    ):
        told = session.events()
        events = [await anext(told)]
        for second in range(3):
            await session.send_frame(make_image(captured_at=float(second)))
            events.append(await anext(told))
        await session.mark("pay", at=2.5, rating=5)
        await session.close()
        events += [event async for event in told]
    assert isinstance(events[0], Started)
    assert events[0].session_id == "visit-7"
    assert events[0].analyzers == ("face", "words")
    updates = of_kind(events, Update)
    assert [update.state.snapshots for update in updates] == [1, 2, 3, 3]
    assert [prediction.subject_id for prediction in updates[0].predictions] == ["track-1"]
    assert updates[0].streams[0].analyzer == "face"
    assert updates[-1].predictions == ()
    summary = events[-1]
    assert isinstance(summary, SessionSummary)
    assert (summary.end, summary.session_id, summary.site) == (SessionEnd.CLOSED, "visit-7", "till 3")
    assert (summary.snapshots, summary.rating) == (3, 5)
    assert summary.emotion_percentages["happy"] == 100.0
    assert [phase.name for phase in summary.phases] == ["start", "pay"]
    assert summary.overall.score == pytest.approx(0.9)


async def test_face_and_words_and_sound_are_fused_under_one_schema() -> None:
    chosen = settings()
    voice = FakeAnalyzer("voice", answer=lambda s: [make_prediction("voice", satisfaction=0.7, at=s.captured_at)])
    host = fake_host(chosen, face=face_like(), voice=voice_plugin(voice))
    async with running(chosen, host) as server, AsyncClient(server.address) as client, client.session() as session:
        await session.send_frame(make_image())
        await session.send_audio(make_clip(seconds=0.5))
        await session.send_text(Utterance("thank you", captured_at=0.5))
        summary = await session.finish()
    assert set(summary.overall.contributions) == {"face", "voice", "text"}
    assert (summary.snapshots, summary.utterances) == (1, 2)
    assert len(summary.session_id) == 32


async def test_slow_speech_recognition_never_holds_up_a_face() -> None:
    chosen, voice = settings(), BlockingAnalyzer("voice")
    host = fake_host(chosen, face=face_like(), voice=voice_plugin(voice))
    async with running(chosen, host) as server, AsyncClient(server.address) as client, client.session() as session:
        events = session.events()
        assert isinstance(await anext(events), Started)
        for number in range(5):
            await session.send_audio(make_clip(seconds=0.2, captured_at=0.2 * number))
        assert await asyncio.to_thread(voice.entered.acquire, timeout=TIMEOUT)
        for number in range(3):
            await session.send_frame(make_image(captured_at=float(number)))
            update = await anext(events)
            assert isinstance(update, Update)
            assert (update.state.snapshots, update.state.utterances) == (number + 1, 0)
        voice.release.set()
        summary = await session.finish()
    assert summary.utterances == 5, "no sound is dropped"


async def test_of_frames_that_wait_the_oldest_are_dropped_and_counted() -> None:
    chosen, face = settings(limits={"max_session_frames_queued": 2}), BlockingAnalyzer()
    async with (
        running(chosen, fake_host(chosen, face=face)) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(analyzers=["face"])) as session,
    ):
        await session.send_frame(make_image(captured_at=0.0))
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        for number in range(1, 7):
            await session.send_frame(make_image(captured_at=float(number)))
        events = session.events()
        assert isinstance(await anext(events), Started)
        dropped = await anext(events)
        assert isinstance(dropped, Notice)
        assert dropped.kind is NoticeKind.FRAME_DROPPED
        await session.mark("pay", at=6.0)
        assert isinstance(await anext(events), Update)  # so that all frames before it have arrived
        await session.close()
        face.release.set()
        rest = [event async for event in events]
    summary = rest[-1]
    assert isinstance(summary, SessionSummary)
    assert (summary.snapshots, summary.frames_dropped) == (3, 4)
    assert summary.interval.end == 6.0, "the newest were kept"


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
        client.session(SessionOptions(idle_timeout=0.2)) as session,
    ):
        events = await events_of(session)
    assert events[-1].end is SessionEnd.IDLE  # type: ignore[union-attr]


async def test_frames_that_are_not_due_keep_a_session_alive() -> None:
    chosen = settings()
    host = fake_host(chosen, face=face_like(), hold=FakePlugin())
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(idle_timeout=0.5, analyzers=["face"])) as session,
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
        (pb.SessionConfig(session_id="x" * 129), grpc.StatusCode.INVALID_ARGUMENT, "session_id"),
        (pb.SessionConfig(max_snapshots=0), grpc.StatusCode.INVALID_ARGUMENT, "max_snapshots"),
        (pb.SessionConfig(snapshot_interval_seconds=math.nan), grpc.StatusCode.INVALID_ARGUMENT, "snapshot_interval"),
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


async def test_a_second_config_ends_the_session_with_a_summary_and_a_status() -> None:
    configure = pb.StreamSessionRequest(config=pb.SessionConfig())
    async with running() as server, stub_of(server) as stub:
        call = stub.StreamSession(iter([configure, configure]), timeout=TIMEOUT)
        assert (await call.read()).WhichOneof("payload") == "started"
        assert (await call.read()).WhichOneof("payload") == "summary"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


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


async def test_words_are_redacted_where_that_is_asked_for_also_for_sinks() -> None:
    def say(sample: Sample) -> list[Prediction]:
        return [replace(make_prediction("text", at=sample.captured_at), evidence=Transcript("my name is Ann"))]

    chosen, sink = settings(), FakePlugin()
    host = fake_host(chosen, text=FakeAnalyzer("text", answer=say), sink=sink)
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(session_id="s", redact_transcript=True)) as session,
    ):
        await session.send_text("my name is Ann", captured_at=1.0)
        await session.close()
        events = await events_of(session)
    (update,) = of_kind(events, Update)
    assert update.predictions[0].evidence == Transcript("", redacted=True)
    assert [(session_id, type(result)) for session_id, result in sink.results] == [
        ("s", AnalysisResult),
        ("s", SessionSummary),
    ]
    assert "Ann" not in repr(sink.results)


async def test_a_stream_that_fails_and_comes_back_is_told_once_each() -> None:
    broken = [True, True, False]

    def look(sample: Sample) -> list[Prediction]:
        if broken.pop(0):
            raise RuntimeError("secret")
        return [make_prediction("face", at=sample.captured_at)]

    chosen = settings()
    host = fake_host(chosen, face=FakeAnalyzer("face", answer=look))
    async with running(chosen, host) as server, AsyncClient(server.address) as client, client.session() as session:
        events = session.events()
        await anext(events)
        told: list[Event] = []
        for second in range(3):
            await session.send_frame(make_image(captured_at=float(second)))
            while not told or not isinstance(told[-1], Update) or len(of_kind(told, Update)) <= second:
                told.append(await anext(events))
        summary = await session.finish()
    assert notices(told, NoticeKind.STREAM) == ["face is missing: it raised RuntimeError", "face is back"]
    assert summary.snapshots == 1
    assert "secret" not in repr(told)


class Collecting(Stream):
    """Holds sound back until the session ends, as voice activity detection does with an unfinished utterance."""

    def __init__(self) -> None:
        self.held: list[Sample] = []

    def push(self, sample: Sample) -> list[Sample]:
        self.held.append(sample)
        return []

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        return [replace(prediction, subject_id="speaker") for prediction in predictions]

    def flush(self) -> list[Sample]:
        return self.held[-1:]


class Listener(FakeAnalyzer):
    def open_stream(self, settings: StreamSettings) -> Stream:
        return Collecting()


async def test_what_streams_still_hold_is_analysed_at_the_end_and_streams_name_the_subject() -> None:
    chosen = settings()
    host = fake_host(chosen, voice=voice_plugin(Listener("voice")))
    async with running(chosen, host) as server, AsyncClient(server.address) as client, client.session() as session:
        for number in range(3):
            await session.send_audio(make_clip(seconds=0.1, captured_at=0.1 * number))
        await session.close()
        events = await events_of(session)
    (update,) = of_kind(events, Update)
    assert update.predictions[0].subject_id == "speaker"
    assert events[-1].utterances == 1  # type: ignore[union-attr]


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


async def test_sessions_of_several_callers_share_a_batch() -> None:
    chosen, face = settings(limits={"batch_delay_ms": 0}), BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server, AsyncClient(server.address) as client:
        sessions = [client.session() for _ in range(4)]
        await sessions[0].send_frame(make_image())
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        for session in sessions[1:]:
            await session.send_frame(make_image())
        lane = server._scheduler._samples["face", False]
        async with asyncio.timeout(TIMEOUT):
            while len(lane._queue) < 3:  # no event tells it
                await asyncio.sleep(0.005)
        face.release.set()
        for session in sessions:
            assert (await session.finish()).snapshots == 1
    assert face.batches == [1, 3]


async def test_a_caller_that_goes_away_leaves_nothing_behind() -> None:
    chosen, face = settings(), BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server:
        async with AsyncClient(server.address) as client, client.session() as session:
            await session.send_frame(make_image())
            assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        async with asyncio.timeout(TIMEOUT):
            await server._gate.wait_idle()
        face.release.set()
        assert server._gate.streams == 0


def test_a_blocking_session_sends_in_one_thread_and_reads_in_another() -> None:
    async def serve(up: threading.Event, stop: threading.Event, found: list[str]) -> None:
        chosen = settings()
        async with running(chosen, fake_host(chosen, face=face_like())) as server:
            found.append(server.address)
            up.set()
            await asyncio.to_thread(stop.wait)

    up, stop, found = threading.Event(), threading.Event(), list[str]()
    thread = threading.Thread(target=asyncio.run, args=(serve(up, stop, found),))
    thread.start()
    try:
        assert up.wait(TIMEOUT)
        with Client(found[0]) as client:
            with client.session(SessionOptions(max_snapshots=3)) as session:
                events = session.events()
                assert isinstance(next(events), Started)
                for second in range(3):
                    session.send_frame(np.zeros((4, 4, 3), np.uint8), captured_at=float(second))
                    assert isinstance(next(events), Update)
                summary = session.finish()
                assert (summary.end, summary.snapshots) == (SessionEnd.MAX_SNAPSHOTS, 3)
                assert list(session.events()) == []
                assert session.is_over
                with pytest.raises(SessionError, match="over"):
                    session.send_text("late")
            with (
                client.session(SessionOptions(analyzers=["nose"])) as refused,
                pytest.raises(ServiceError, match="'nose'"),
            ):
                refused.finish()
    finally:
        stop.set()
        thread.join()


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
