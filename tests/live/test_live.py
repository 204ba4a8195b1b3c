"""Running sessions without any transport: lanes, the bounded outbox, and what happens when things are too slow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from mien import (
    AnalysisError,
    AnalyzerNotFoundError,
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
from mien.config import Settings
from mien.live import LiveSession, Notice, NoticeKind, Part, Started, Update, choose_parts, runner
from mien.live.lanes import Lane
from mien.live.outbox import LIMIT, ROOM, Outbox
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


def parts() -> list[Part]:
    kinds = {"face": SampleKind.IMAGE, "voice": SampleKind.AUDIO}
    analyzers = {
        name: (analyzer_info(name, kind), lambda name=name: FakeAnalyzer(name)) for name, kind in kinds.items()
    }
    host = PluginHost.from_plugins({"fakes": FakePlugin(analyzers=analyzers)})
    return choose_parts(host, (), StreamSettings())[0]


def live(predict: Any, **options: Any) -> LiveSession:
    return LiveSession(SessionConfig(session_id="s"), FakeFuser(), parts(), predict, **options)


async def events_of(session: LiveSession) -> list[Any]:
    return [event async for event in session.events()]


async def test_speech_beyond_the_limit_is_left_out_with_one_notice_and_taken_again_afterwards() -> None:
    ears = Ears(held="voice")
    session = live(ears, speech_queued_seconds=2.0)
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
    session = live(Ears(), speech_queued_seconds=0.5)
    session.push_sound(loaded(make_clip(seconds=1.0)))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    assert (await events_of(session))[-1].utterances == 1


async def test_an_end_that_cannot_wait_sums_up_and_says_what_is_missing() -> None:
    session = live(Ears(held="voice"))
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
    session = live(Ears())
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


async def test_a_lane_goes_on_after_an_item_that_raised_and_keeps_its_words_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []

    async def work(item: str) -> None:
        if item == "bad":
            raise ZeroDivisionError(item + " secret")
        done.append(item)

    lane: Lane[str] = Lane(work, name="test")
    for item in ("a", "bad", "b"):
        lane.put(item)
    await asyncio.wait_for(lane.wait_idle(), PATIENCE)
    await lane.close()
    assert done == ["a", "b"]
    assert "ZeroDivisionError" in caplog.text
    assert "bad secret" not in caplog.text


async def test_an_analyzer_that_is_not_asked_at_all_is_missing_with_the_reason() -> None:
    async def refuse(analyzer: str, sample: Sample) -> list[Prediction] | StreamStatus:
        raise InputError("no room")

    session = live(refuse)
    session.push_frame(loaded(make_image()))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    started, notice, update, summary = await events_of(session)
    assert isinstance(started, Started)
    assert notice.message == "face is missing: no room"
    assert isinstance(update, Update)
    assert [status.state for status in update.streams] == [StreamState.FAILED]
    assert summary.snapshots == 0


class Bad(Stream):
    def push(self, sample: Sample) -> list[Sample]:
        raise RuntimeError("secret")


async def test_a_stream_that_raises_costs_itself() -> None:
    broken = parts()
    broken[0].stream = Bad()
    session = LiveSession(SessionConfig(), FakeFuser(), broken, Ears())
    session.push_frame(loaded(make_image()))
    session.push_sound(loaded(make_clip(seconds=0.1)))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    events = await events_of(session)
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "face is missing: its stream raised RuntimeError"
    ]
    assert events[-1].utterances == 1


async def test_a_marker_changes_the_state_at_once_while_analysis_is_under_way() -> None:
    ears = Ears(held="voice")
    session = live(ears)
    session.push_sound(loaded(make_clip(seconds=0.1)))
    await session.mark(Marker(name="pay", at=1.0, rating=4))
    ears.release.set()
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    events = await events_of(session)
    assert [type(event) for event in events] == [Started, Update, Update, SessionSummary]
    assert events[1].predictions == ()
    assert events[-1].rating == 4


class HangingFuser(FakeFuser):
    """Hangs while it is asked by a thread that is not the main one, until it is released."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.calls = 0

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        if threading.current_thread() is not threading.main_thread():
            self.calls += 1
            self.release.wait(PATIENCE)
        return super().fuse(predictions, context)


async def test_a_fuser_that_hangs_costs_its_session_in_time_and_no_second_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "PLUGIN_SECONDS", 0.05)
    fuser = HangingFuser()
    session = LiveSession(SessionConfig(session_id="s"), fuser, parts(), Ears())
    session.push_frame(loaded(make_image()))
    await asyncio.wait_for(session.ended.wait(), PATIENCE)
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    with pytest.raises(AnalysisError, match="did not answer for"):
        await events_of(session)
    assert fuser.calls == 1  # the summary was not asked of it as well
    assert calls_running() >= 1
    fuser.release.set()


class CannotOpen(FakeAnalyzer):
    def open_stream(self, settings: StreamSettings) -> Stream:
        raise RuntimeError("secret")


def host_of(**analyzers: Callable[[], FakeAnalyzer]) -> PluginHost:
    registered = {name: (analyzer_info("face"), factory) for name, factory in analyzers.items()}
    return PluginHost.from_plugins({"fakes": FakePlugin(analyzers=registered)}, Settings())


def test_a_part_that_cannot_be_opened_is_left_out_with_its_reason() -> None:
    found, failed = choose_parts(host_of(good=FakeAnalyzer, bad=CannotOpen), (), StreamSettings())
    assert [part.name for part in found] == ["good"]
    assert failed == {"bad": "its stream could not be opened: RuntimeError"}


@pytest.mark.parametrize(
    ("analyzers", "names", "error", "words"),
    [
        ({"bad": CannotOpen}, (), PluginError, "bad: its stream could not be opened"),
        ({}, (), AnalyzerNotFoundError, "no analyzer is enabled"),
        ({"good": FakeAnalyzer}, ("nose",), AnalyzerNotFoundError, "nose"),
    ],
)
def test_a_session_without_analyzers_is_refused(
    analyzers: dict[str, Any], names: Sequence[str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        choose_parts(host_of(**analyzers), names, StreamSettings())
