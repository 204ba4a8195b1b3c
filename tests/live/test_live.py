"""Running sessions without any transport: queues, the bounded outbox, and what happens when things are too slow."""

from __future__ import annotations

import asyncio

import pytest
from live.support import PATIENCE, Ears, events_of, live, loaded

from mien import InputError, Prediction, Sample, SessionError, StreamState, StreamStatus
from mien.live import Notice, NoticeKind, Started, Update
from mien.live.outbox import LIMIT, ROOM, Outbox
from mien.live.queues import Queue
from mien.session import Marker, SessionEnd, SessionSummary
from mien.testing import make_clip, make_image

NOTICE = Notice(kind=NoticeKind.STREAM, message="", at=0.0)


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
