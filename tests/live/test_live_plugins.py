"""What plugins can do to a running session: raise, hang, exit, sleep; and on which threads they are called."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from live.support import PATIENCE, Ears, Opening, events_of, host_of, live, loaded

from mien import AnalysisError, FusionContext, PluginError, Prediction, Sample, Satisfaction, Stream
from mien.config import parse_settings
from mien.live import Notice, Started, Update
from mien.session import SessionEnd, SessionSummary
from mien.testing import FakeFuser, make_clip, make_image

HURRIED = parse_settings({"engine": {"deadline_seconds": 0.5}})


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
    session = await live(Ears(), host_of(fuser=lambda: fuser, settings=HURRIED), settings=HURRIED)
    session.push_frame(loaded(make_image()))
    await asyncio.wait_for(session.ended.wait(), PATIENCE)
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    with pytest.raises(AnalysisError, match="fuser 'fake' failed: it did not answer for"):
        await events_of(session)
    assert fuser.calls == 1  # the summary was not asked of it as well
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
    session = await live(Ears(), host_of(face=Opening(lambda: hanging, "face"), settings=HURRIED), settings=HURRIED)
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
