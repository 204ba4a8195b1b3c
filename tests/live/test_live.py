"""Running sessions without any transport: queues, the bounded outbox, and what happens when things are too slow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from mien import (
    AnalysisError,
    FusionContext,
    InputError,
    PluginError,
    Prediction,
    Sample,
    SampleKind,
    Satisfaction,
    SessionError,
    Stream,
    StreamSettings,
    StreamState,
    StreamStatus,
)
from mien.config import Settings, parse_settings
from mien.live import LiveSession, Notice, NoticeKind, SessionLimits, Started, Update, open_session
from mien.live.outbox import LIMIT, ROOM, Outbox
from mien.live.queues import Queue
from mien.plugins.host import PluginHost
from mien.plugins.workers import calls_running
from mien.session import Marker, SessionConfig, SessionEnd, SessionSummary
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_clip, make_image, make_prediction

PATIENCE = 20.0
NOTICE = Notice(kind=NoticeKind.STREAM, message="", at=0.0)


def loaded(sample: Sample) -> Callable[[], Awaitable[Sample]]:
    async def load() -> Sample:
        return sample

    return load


class Ears:
    """Predicts for any analyzer; holds those of one back until it is released."""

    def __init__(self, held: str = "") -> None:
        self.held = held
        self.release = asyncio.Event()
        self.asked: list[str] = []

    async def __call__(self, analyzer: str, sample: Sample) -> list[Prediction] | StreamStatus:
        self.asked.append(analyzer)
        if analyzer == self.held:
            await self.release.wait()
        return [make_prediction(analyzer, at=sample.captured_at)]


def host_of(
    *, face: FakeAnalyzer | None = None, voice: FakeAnalyzer | None = None, fuser: Callable[[], FakeFuser] = FakeFuser
) -> PluginHost:
    face, voice = face or FakeAnalyzer("face"), voice or FakeAnalyzer("voice")
    analyzers = {
        "face": (analyzer_info("face"), lambda: face),
        "voice": (analyzer_info("voice", SampleKind.AUDIO), lambda: voice),
    }
    return PluginHost.from_plugins({"fakes": FakePlugin(analyzers=analyzers, fusers={"fake": fuser})})


async def live(
    predict: Any, host: PluginHost | None = None, *, settings: Settings | None = None, **limits: Any
) -> LiveSession:
    config = SessionConfig(session_id="s", fuser="fake", snapshot_interval_seconds=0.0)
    chosen = settings or Settings()
    return await open_session(host or host_of(), config, chosen, predict, limits=SessionLimits(**limits))


async def events_of(session: LiveSession) -> list[Any]:
    return [event async for event in session.events()]


async def test_speech_beyond_the_limit_is_left_out_with_one_notice_and_taken_again_afterwards() -> None:
    ears = Ears(held="voice")
    session = await live(ears, speech_queued_seconds=2.0)
    for number in range(5):
        session.push_sound(loaded(make_clip(seconds=1.0, captured_at=float(number))))
    await session._sound.wait_idle()
    ears.release.set()
    await session._speech.wait_idle()
    session.push_sound(loaded(make_clip(seconds=1.0, captured_at=9.0)))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    events = await events_of(session)
    told = [event.message for event in events if isinstance(event, Notice)]
    assert told == ["speech recognition cannot keep up; what is said meanwhile is left out"]
    assert events[-1].utterances == 3
    assert ears.asked == ["voice"] * 3


async def test_one_utterance_longer_than_the_limit_is_still_recognised() -> None:
    session = await live(Ears(), speech_queued_seconds=0.5)
    session.push_sound(loaded(make_clip(seconds=1.0)))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    assert (await events_of(session))[-1].utterances == 1


async def test_an_end_that_cannot_wait_sums_up_and_says_what_is_missing() -> None:
    session = await live(Ears(held="voice"))
    session.push_frame(loaded(make_image()))
    for number in range(3):
        session.push_sound(loaded(make_clip(seconds=0.1, captured_at=0.1 * number)))
    await session._frames.wait_idle()
    await session.finish(SessionEnd.DRAINING, within=0.1)
    events = await events_of(session)
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "the end came before all was analysed: 2 utterances waited"
    ]
    assert isinstance(events[-1], SessionSummary)
    assert (events[-1].end, events[-1].snapshots, events[-1].utterances) == (SessionEnd.DRAINING, 1, 0)


async def test_a_caller_that_does_not_read_slows_the_analysis_and_is_then_given_up() -> None:
    session = await live(Ears())
    for number in range(LIMIT + 10):
        session.notice(NoticeKind.BAD_INPUT, str(number))
    assert session.ended.is_set()
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    with pytest.raises(SessionError, match="were not read"):
        await events_of(session)


async def test_a_full_outbox_holds_back_until_it_is_read() -> None:
    outbox = Outbox()
    for _ in range(ROOM):
        outbox.put(NOTICE)
    waiting = asyncio.create_task(outbox.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    reading = outbox.read()
    await anext(reading)
    await asyncio.wait_for(waiting, PATIENCE)
    outbox.close()
    outbox.put(NOTICE)
    assert len([event async for event in reading]) == ROOM - 1


async def test_a_queue_goes_on_after_an_item_that_raised_and_keeps_its_words_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []

    async def work(item: str) -> None:
        if item == "bad":
            raise ZeroDivisionError(item + " secret")
        done.append(item)

    queue: Queue[str] = Queue(work, name="test")
    for item in ("a", "bad", "b"):
        queue.put(item)
    await asyncio.wait_for(queue.wait_idle(), PATIENCE)
    await queue.close()
    assert done == ["a", "b"]
    assert "ZeroDivisionError" in caplog.text
    assert "bad secret" not in caplog.text


async def test_an_analyzer_that_is_not_asked_at_all_is_missing_with_the_reason() -> None:
    async def refuse(analyzer: str, sample: Sample) -> list[Prediction] | StreamStatus:
        raise InputError("no room")

    session = await live(refuse)
    session.push_frame(loaded(make_image()))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    started, notice, update, summary = await events_of(session)
    assert isinstance(started, Started)
    assert notice.message == "face is missing: no room"
    assert isinstance(update, Update)
    assert [status.state for status in update.streams] == [StreamState.FAILED]
    assert summary.snapshots == 0


class Opening(FakeAnalyzer):
    """Opens the stream it is given."""

    def __init__(self, opened: Callable[[], Stream], modality: str) -> None:
        super().__init__(modality)
        self._opened = opened

    def open_stream(self, settings: StreamSettings) -> Stream:
        return self._opened()


class Bad(Stream):
    def push(self, sample: Sample) -> list[Sample]:
        raise RuntimeError("secret")


async def test_a_stream_that_raises_costs_itself() -> None:
    session = await live(Ears(), host_of(face=Opening(Bad, "face")))
    session.push_frame(loaded(make_image()))
    session.push_sound(loaded(make_clip(seconds=0.1)))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    events = await events_of(session)
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "face is missing: analyzer 'face' failed in push: it raised RuntimeError"
    ]
    assert events[-1].utterances == 1


async def test_a_marker_changes_the_state_at_once_while_analysis_is_under_way() -> None:
    ears = Ears(held="voice")
    session = await live(ears)
    session.push_sound(loaded(make_clip(seconds=0.1)))
    await session.mark(Marker(name="pay", at=1.0, rating=4))
    ears.release.set()
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    events = await events_of(session)
    assert [type(event) for event in events] == [Started, Update, Update, SessionSummary]
    assert events[1].predictions == ()
    assert events[-1].rating == 4


HURRIED = parse_settings({"engine": {"deadline_seconds": 0.5}})


class HangingFuser(FakeFuser):
    """Hangs when it is given something, until it is released."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.calls = 0

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        if predictions:
            self.calls += 1
            self.release.wait(PATIENCE)
        return super().fuse(predictions, context)


async def test_a_fuser_that_hangs_costs_its_session_in_time_and_no_second_thread() -> None:
    fuser = HangingFuser()
    session = await live(Ears(), host_of(fuser=lambda: fuser), settings=HURRIED)
    session.push_frame(loaded(make_image()))
    await asyncio.wait_for(session.ended.wait(), PATIENCE)
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    with pytest.raises(AnalysisError, match="fuser 'fake' failed: it did not answer for"):
        await events_of(session)
    assert fuser.calls == 1  # the summary was not asked of it as well
    assert calls_running() >= 1
    fuser.release.set()


class Hanging(Stream):
    """Hangs in the call that is named until it is released."""

    def __init__(self, call: str) -> None:
        self.call = call
        self.release = threading.Event()
        self.entered = threading.Event()

    def push(self, sample: Sample) -> list[Sample]:
        self._hang("push")
        return [sample]

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        self._hang("observe")
        return list(predictions)

    def _hang(self, call: str) -> None:
        if call == self.call:
            self.entered.set()
            assert self.release.wait(PATIENCE)


@pytest.mark.parametrize("call", ["push", "observe"])
async def test_a_stream_that_hangs_costs_itself_and_comes_back_with_the_call_that_hung(call: str) -> None:
    hanging = Hanging(call)
    session = await live(Ears(), host_of(face=Opening(lambda: hanging, "face")), settings=HURRIED)
    events: list[Any] = []

    async def read() -> None:
        async for event in session.events():
            events.append(event)  # noqa: PERF401 - each is looked at as it comes

    def noticed() -> list[str]:
        return [event.message for event in events if isinstance(event, Notice)]

    reading = asyncio.create_task(read())
    session.push_frame(loaded(make_image()))
    session.push_sound(loaded(make_clip(seconds=0.1)))
    async with asyncio.timeout(PATIENCE):
        await session.settle()
        assert noticed() == [f"face is missing: analyzer 'face' failed in {call}: it did not answer for 0.5 s"]
        assert [event.state.utterances for event in events if isinstance(event, Update)][-1] == 1
        hanging.call = ""
        hanging.release.set()
        while noticed()[-1] != "face is back":  # no event tells when the call that hung has returned
            session.push_frame(loaded(make_image(captured_at=float(len(events)))))
            await session.settle()
    await session.abandon()
    await reading


async def test_an_end_that_cannot_wait_leaves_a_stream_that_hangs_and_still_sums_up() -> None:
    hanging = Hanging("push")
    session = await live(Ears(), host_of(voice=Opening(lambda: hanging, "voice")))
    session.push_frame(loaded(make_image()))
    await session._frames.wait_idle()
    session.push_sound(loaded(make_clip(seconds=0.1)))
    await asyncio.to_thread(hanging.entered.wait, PATIENCE)
    await session.finish(SessionEnd.DRAINING, within=0.0)  # its own deadline is 10 s
    summary = (await events_of(session))[-1]
    assert isinstance(summary, SessionSummary)
    assert (summary.end, summary.snapshots) == (SessionEnd.DRAINING, 1)
    hanging.release.set()


class OpeningFuser(FakeFuser):
    """Does something when it is asked for the first time, with nothing to fuse yet."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        if not predictions:
            self._act()
        return super().fuse(predictions, context)


async def test_a_fuser_that_sleeps_while_a_session_opens_does_not_hold_up_the_event_loop() -> None:
    release, entered = threading.Event(), threading.Event()

    def sleep() -> None:
        entered.set()
        assert release.wait(PATIENCE)

    opening = asyncio.create_task(live(Ears(), host_of(fuser=lambda: OpeningFuser(sleep))))
    while not entered.is_set():  # the loop goes on turning meanwhile, or this would never end
        await asyncio.sleep(0.001)
    assert not opening.done()
    release.set()
    await (await asyncio.wait_for(opening, PATIENCE)).abandon()


async def test_a_fuser_that_exits_while_a_session_opens_costs_the_session_alone() -> None:
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(PluginError, match="fuser 'fake' failed in accumulate: it raised SystemExit"):
        await live(Ears(), host_of(fuser=lambda: OpeningFuser(leave)))


async def test_an_analyzer_that_cannot_take_part_is_told_after_the_start() -> None:
    def fail() -> Stream:
        raise RuntimeError("secret")

    session = await live(Ears(), host_of(voice=Opening(fail, "voice")))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    started, notice, summary = await events_of(session)
    assert started == Started(session_id="s", analyzers=("face",), expected_modalities=("face",))
    assert notice.message == "voice is missing: analyzer 'voice' failed in open_stream: it raised RuntimeError"
    assert isinstance(summary, SessionSummary)


async def test_no_plugin_code_runs_on_the_event_loop_or_in_its_pool() -> None:
    seen: dict[str, str] = {}

    def note(what: str) -> None:
        seen[what] = threading.current_thread().name

    class Noting(Stream):
        def push(self, sample: Sample) -> list[Sample]:
            note("push")
            return [sample]

        def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
            note("observe")
            return list(predictions)

        def flush(self) -> list[Sample]:
            note("flush")
            return []

    class NotingFuser(FakeFuser):
        def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
            note("fuse" if predictions else "open")
            return super().fuse(predictions, context)

    def open_noting() -> Stream:
        note("open_stream")
        return Noting()

    session = await live(Ears(), host_of(face=Opening(open_noting, "face"), fuser=NotingFuser))
    session.push_frame(loaded(make_image()))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    assert set(seen) == {"open_stream", "open", "push", "observe", "fuse", "flush"}
    main = threading.main_thread().name
    assert not [name for name in seen.values() if name == main or name.startswith("asyncio_")], seen
    assert len({seen[call] for call in ("push", "observe", "fuse", "flush")}) == 1, "a session has one thread"
