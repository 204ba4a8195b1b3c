"""The thread of a session: no work is lost to a call that hangs, or to a caller that has left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from live.support import PATIENCE

from mien import InputError
from mien.config import parse_settings
from mien.live.work import PluginCall, Work, do_through_guards
from mien.live.worker import Worker
from mien.plugins.guard import STUCK, CallKind, Deadlines, Guard, PluginCallError

HURRIED = Deadlines.of(parse_settings({"engine": {"deadline_seconds": 0.2}}))
PATIENT = Deadlines.of(parse_settings({}))


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def calling(guard: Guard, *functions: Callable[[], Any], kind: CallKind = CallKind.PUSH) -> Work[list[Any]]:
    """Makes calls one after the other; what each gave, or the error."""
    given: list[Any] = []
    for function in functions:
        try:
            given.append((yield PluginCall(guard, kind, function)))
        except (InputError, PluginCallError) as error:
            given.append(str(error))
    return given


def fail() -> None:
    raise ZeroDivisionError("secret")


def refuse() -> None:
    raise InputError("too dark")


OUTCOMES = [1, "analyzer 'a' failed in push: it raised ZeroDivisionError", "too dark", 2]


async def test_calls_are_made_on_one_thread_and_their_errors_come_back_to_the_work() -> None:
    worker, guard, threads = Worker(patience_seconds=1.0), Guard("analyzer 'a'", PATIENT), set[str]()

    def note(number: int) -> int:
        threads.add(threading.current_thread().name)
        return number

    for _ in range(2):
        assert await worker.do(calling(guard, lambda: note(1), fail, refuse, lambda: note(2))) == OUTCOMES
    worker.close()
    assert len(threads) == 1


def test_the_same_work_can_be_done_through_guards() -> None:
    guard = Guard("analyzer 'a'", PATIENT)
    assert do_through_guards(calling(guard, lambda: 1, fail, refuse, lambda: 2)) == OUTCOMES
    guard.close()


async def test_what_the_work_raises_is_raised_to_who_waits() -> None:
    def work() -> Work[None]:
        yield PluginCall(Guard("analyzer 'a'", PATIENT), CallKind.PUSH, lambda: None)
        raise LookupError("a bug of ours")

    worker = Worker(patience_seconds=1.0)
    with pytest.raises(LookupError):
        await worker.do(work())
    worker.close()


async def test_a_call_that_hangs_is_left_and_its_part_refused_until_it_returns(release: threading.Event) -> None:
    worker, bad, good = Worker(patience_seconds=0.05), Guard("analyzer 'b'", HURRIED), Guard("analyzer 'g'", HURRIED)
    assert await worker.do(calling(bad, lambda: release.wait(PATIENCE), lambda: 1)) == [
        "analyzer 'b' failed in push: it did not answer for 0.2 s",
        f"analyzer 'b' failed in push: {STUCK}",
    ]
    assert await worker.do(calling(good, lambda: 2)) == [2]
    release.set()
    async with asyncio.timeout(PATIENCE):
        while await worker.do(calling(bad, lambda: 3)) != [3]:  # no event tells when it has returned
            await asyncio.sleep(0.005)
    worker.close()


@pytest.mark.parametrize("kind", [CallKind.PUSH, CallKind.ACCUMULATE])
async def test_who_leaves_drops_the_work_but_not_in_the_middle_of_the_state(
    kind: CallKind, release: threading.Event
) -> None:
    worker, guard, entered, made = Worker(patience_seconds=60.0), Guard("part", PATIENT), threading.Event(), list[str]()

    def hang() -> None:
        entered.set()
        assert release.wait(PATIENCE)
        made.append("hung")

    doing = asyncio.create_task(worker.do(calling(guard, hang, lambda: made.append("next"), kind=kind)))
    assert await asyncio.to_thread(entered.wait, PATIENCE)
    doing.cancel()
    await asyncio.wait({doing})
    after = asyncio.create_task(worker.do(calling(Guard("other", PATIENT), lambda: made.append("after"))))
    if kind is CallKind.PUSH:
        await asyncio.wait_for(after, PATIENCE)
        assert made == ["after"], "nobody waits for a stream"
    else:
        for _ in range(10):
            await asyncio.sleep(0)
        assert made == [], "what a fuser is in the middle of, is waited for"
        release.set()
        await asyncio.wait_for(after, PATIENCE)
        assert made == ["hung", "after"], "and what was to be done next is not"
    worker.close()
