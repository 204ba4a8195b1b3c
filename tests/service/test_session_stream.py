"""``StreamSession`` and the clients' sessions, over a real server with fake analyzers: what a session tells."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
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
    voice_plugin,
)

from mien import (
    AnalysisResult,
    Prediction,
    Sample,
    SessionError,
    Stream,
    StreamSettings,
    Transcript,
    Utterance,
)
from mien.client import AsyncClient, Client, ServiceError, SessionOptions
from mien.live import Event, Notice, NoticeKind, Partial, Started, Update
from mien.session import SessionEnd, SessionSummary
from mien.testing import FakeAnalyzer, FakePlugin, FakeSink, make_clip, make_image, make_prediction


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


async def test_words_are_redacted_where_that_is_asked_for_also_for_sinks() -> None:
    def say(sample: Sample) -> list[Prediction]:
        return [replace(make_prediction("text", at=sample.captured_at), evidence=Transcript("my name is Ann"))]

    chosen, sink = settings(), FakeSink()
    host = fake_host(chosen, text=FakeAnalyzer("text", answer=say), sink=FakePlugin(sinks={"sink": lambda: sink}))
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
    assert [(provenance.session_id, type(result)) for result, provenance in sink.written] == [
        ("s", AnalysisResult),
        ("s", SessionSummary),
    ]
    assert "Ann" not in repr(sink.written)


async def test_sinks_are_told_of_which_session_place_and_picture_size_a_result_is() -> None:
    chosen, sink = settings(), FakeSink()
    host = fake_host(chosen, sink=FakePlugin(sinks={"sink": lambda: sink}))
    async with (
        running(chosen, host) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(session_id="s", site="Harbour")) as session,
    ):
        await session.send_frame(make_image(height=48, width=64), captured_at=1.0)
        await session.close()
        await events_of(session)
    assert [(told.session_id, told.site, told.image_width, told.image_height) for _, told in sink.written] == [
        ("s", "Harbour", 64, 48),
        ("s", "Harbour", None, None),
    ]


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


async def test_sessions_of_several_callers_share_a_batch() -> None:
    chosen, face = settings(limits={"batch_delay_ms": 0}), BlockingAnalyzer()
    async with running(chosen, fake_host(chosen, face=face)) as server, AsyncClient(server.address) as client:
        sessions = [client.session() for _ in range(4)]
        await sessions[0].send_frame(make_image())
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        for session in sessions[1:]:
            await session.send_frame(make_image())
        async with asyncio.timeout(TIMEOUT):
            while server._scheduler.waiting("face") < 3:  # no event tells it
                await asyncio.sleep(0.005)
        face.release.set()
        for session in sessions:
            assert (await session.finish()).snapshots == 1
    assert face.batches == [1, 3]


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


class Murmuring(FakeAnalyzer):
    """Tells what is being said before it gives it out."""

    def open_stream(self, settings: StreamSettings) -> Stream:
        class Murmur(Stream):
            def push(self, sample: Sample) -> list[Sample]:
                if settings.tell is not None:
                    words = Transcript("thank", engine="fake", is_final=False, stability=0.5, revision=1)
                    settings.tell(replace(make_prediction("voice", at=sample.captured_at), evidence=words))
                return [sample]

        return Murmur()


async def test_a_caller_who_asks_is_told_what_is_being_said() -> None:
    chosen = settings()
    sink = FakeSink()
    kept = FakePlugin(sinks={"kept": lambda: sink})
    async with running(chosen, fake_host(chosen, voice=voice_plugin(Murmuring("voice")), kept=kept)) as server:

        def talk(**options: bool) -> list[Event]:
            with Client(server.address) as client, client.session(SessionOptions(**options)) as session:
                session.send_audio(make_clip(seconds=0.5))
                session.close()
                return list(session.events())

        asked = await asyncio.to_thread(talk, partials=True)
        withheld = await asyncio.to_thread(talk, partials=True, redact_transcript=True)
        quiet = await asyncio.to_thread(talk)
    (told,) = of_kind(asked, Partial)
    assert (told.prediction.evidence.text, told.prediction.evidence.is_final) == ("thank", False)
    assert (told.prediction.evidence.stability, told.prediction.evidence.revision) == (0.5, 1)
    assert [type(event) for event in asked] == [Started, Partial, Update, SessionSummary]
    (hidden,) = of_kind(withheld, Partial)
    assert (hidden.prediction.evidence.text, hidden.prediction.evidence.redacted) == ("", True)
    assert [type(event) for event in quiet] == [Started, Update, SessionSummary]
    assert replace(asked[-1], session_id="") == replace(quiet[-1], session_id="")
    results = [result for result, _ in sink.written if isinstance(result, AnalysisResult)]
    assert not any(prediction.is_provisional for result in results for prediction in result.predictions)


async def test_of_frames_that_wait_the_newest_is_analysed_next_and_its_update_says_which_it_is() -> None:
    chosen, face = settings(), BlockingAnalyzer()
    async with (
        running(chosen, fake_host(chosen, face=face)) as server,
        AsyncClient(server.address) as client,
        client.session(SessionOptions(analyzers=["face"], snapshot_interval_seconds=0.0)) as session,
    ):
        await session.send_frame(make_image(captured_at=0.0), sequence=10)
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        for number in range(1, 4):
            await session.send_frame(make_image(captured_at=float(number)), sequence=10 + number)
        await session.mark("pay", at=3.0, sequence=20)
        events = session.events()
        while not (isinstance(event := await anext(events), Update) and event.sequence == 20):
            pass  # so that all frames before the marker have arrived
        face.release.set()
        await session.send_text("thank you", sequence=30)  # which no analyzer of the session takes
        await session.close()
        rest = [event async for event in events]
    assert [(update.sequence, update.state.snapshots) for update in of_kind(rest, Update)] == [(10, 1), (13, 2)]
    assert rest[-1].frames_dropped == 2


async def test_a_notice_says_which_message_could_not_be_used() -> None:
    async with running() as server, AsyncClient(server.address) as client, client.session() as session:
        await session.send_frame(b"these are words", captured_at=0.0, sequence=2**64 - 1)
        await session.send_frame(make_image(captured_at=1e12), sequence=7)
        await session.close()
        notices = of_kind(await events_of(session), Notice)
    assert sorted((notice.kind, notice.sequence) for notice in notices) == [
        (NoticeKind.BAD_INPUT, 7),
        (NoticeKind.BAD_INPUT, 2**64 - 1),
    ]
