"""The guard: every call into a plugin comes back in time, with an answer or with one error that names it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from core.support import LONG, Hang

from mien import InputError, PluginError, StreamState
from mien.config import Settings, parse_settings
from mien.plugins.guard import (
    CallKind,
    Deadlines,
    Guard,
    GuardedCall,
    PluginCallError,
    Steps,
    run_steps,
    run_steps_async,
)


def deadlines(seconds: float | None) -> Deadlines:
    return Deadlines(dict.fromkeys(CallKind, seconds))


@pytest.fixture
def hang() -> Iterator[Hang]:
    made = Hang()
    yield made
    made.release.set()


@pytest.fixture
def make_guard() -> Iterator[Callable[..., Guard]]:
    guards: list[Guard] = []

    def make(seconds: float | None = LONG, part: str = "analyzer 'smileys'") -> Guard:
        guards.append(Guard(part, deadlines(seconds)))
        return guards[-1]

    yield make
    for guard in guards:
        guard.close()


MakeGuard = Callable[..., Guard]


def raises(error: BaseException) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


class PanicException(BaseException):  # as PyO3 names what a panic of Rust code becomes
    """Not an ``Exception``, so that ordinary handlers do not see it."""


class UnspeakableError(InputError):
    """An error of mien's whose message cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no")


ESCAPES = [
    UnspeakableError(),
    RuntimeError("the customer said darn"),
    StopIteration(),
    SystemExit(1),
    KeyboardInterrupt(),
    GeneratorExit(),
    asyncio.CancelledError(),
    PanicException("the customer said darn"),
]


@pytest.mark.parametrize("error", ESCAPES, ids=lambda error: type(error).__name__)
def test_whatever_a_plugin_raises_becomes_one_error_that_names_it(make_guard: MakeGuard, error: BaseException) -> None:
    guard = make_guard()
    with pytest.raises(PluginCallError) as caught:
        guard.call(CallKind.OBSERVE, raises(error))
    told = caught.value
    assert str(told) == f"analyzer 'smileys' failed in observe: it raised {type(error).__name__}"
    assert (told.plugin_part, told.call, told.state) == ("analyzer 'smileys'", CallKind.OBSERVE, StreamState.FAILED)
    assert not told.timed_out
    assert told.__context__ is None or told.__suppress_context__
    assert guard.healthy
    assert guard.call(CallKind.OBSERVE, lambda: 7) == 7


@pytest.mark.parametrize("error", ESCAPES, ids=lambda error: type(error).__name__)
async def test_it_is_the_same_on_an_event_loop(make_guard: MakeGuard, error: BaseException) -> None:
    with pytest.raises(PluginCallError, match=f"it raised {type(error).__name__}"):
        await make_guard().acall(CallKind.FUSE, raises(error))


def test_errors_of_mien_pass_as_they_are(make_guard: MakeGuard) -> None:
    with pytest.raises(InputError, match="upside down"):
        make_guard().call(CallKind.ANALYZE, raises(InputError("the picture is upside down")))
    with pytest.raises(PluginError, match="its weights are missing"):
        make_guard().call(CallKind.FACTORY, raises(PluginError("its weights are missing")))


def test_a_call_that_hangs_is_given_up_on_and_the_part_used_again_when_it_returns(
    make_guard: MakeGuard, hang: Hang
) -> None:
    guard, changes = make_guard(0.05), threading.Semaphore(0)
    unwatch = guard.watch(changes.release)
    with pytest.raises(PluginCallError, match=r"failed in fuse: it did not answer for 0\.05 s") as caught:
        guard.call(CallKind.FUSE, hang)
    assert caught.value.timed_out
    assert changes.acquire(timeout=LONG)
    assert not guard.healthy
    with pytest.raises(PluginCallError, match="has not returned from a call that ran out of time") as caught:
        guard.call(CallKind.FUSE, lambda: 1)
    assert caught.value.state is StreamState.UNAVAILABLE
    hang.release.set()
    assert changes.acquire(timeout=LONG), "whoever watches is told that it has returned"
    assert guard.healthy
    again = guard.submit(CallKind.FUSE, lambda: 1, deadlines=deadlines(None))
    again.join()
    assert again.result() == 1
    unwatch()


async def test_a_hang_does_not_block_an_event_loop(make_guard: MakeGuard, hang: Hang) -> None:
    guard, went_on = make_guard(0.2), asyncio.Event()
    asyncio.get_running_loop().call_soon(went_on.set)
    with pytest.raises(PluginCallError, match="did not answer"):
        await guard.acall(CallKind.PUSH, hang)
    assert went_on.is_set()
    assert not guard.healthy


async def test_a_caller_that_is_cancelled_leaves_the_call_to_its_deadline(make_guard: MakeGuard, hang: Hang) -> None:
    guard, changed = make_guard(0.1), asyncio.Event()
    loop = asyncio.get_running_loop()
    guard.watch(partial(loop.call_soon_threadsafe, changed.set))
    caller = asyncio.create_task(guard.acall(CallKind.PUSH, hang))
    assert await asyncio.to_thread(hang.began.wait, LONG)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    async with asyncio.timeout(LONG):
        await changed.wait()
    assert not guard.healthy, "nobody waits for it, and it is known as stuck all the same"


def test_a_call_from_within_a_call_of_the_same_part_runs_in_it(make_guard: MakeGuard) -> None:
    guard, other = make_guard(), make_guard(part="transcriber 'ear'")

    def nested(depth: int) -> int:
        return depth if depth == 5 else guard.call(CallKind.FACTORY, lambda: nested(depth + 1))

    assert nested(0) == 5, "more calls deep than the part has threads"
    assert guard.call(CallKind.FACTORY, lambda: other.call(CallKind.FACTORY, lambda: nested(1))) == 5


def test_a_call_runs_in_its_callers_context(make_guard: MakeGuard) -> None:
    variable = contextvars.ContextVar("variable", default="nobody")
    variable.set("caller")
    assert make_guard().call(CallKind.FACTORY, variable.get) == "caller"


def test_a_closed_guard_says_so(make_guard: MakeGuard) -> None:
    guard = make_guard()
    guard.close()
    with pytest.raises(PluginCallError, match="it is closed") as caught:
        guard.call(CallKind.SINK, lambda: 1)
    assert caught.value.state is StreamState.UNAVAILABLE


def test_each_kind_of_call_has_a_deadline_and_a_patient_caller_waits_for_an_analysis() -> None:
    settings = parse_settings({"engine": {"deadline_seconds": 3.0}})
    ordinary, patient = Deadlines.of(settings), Deadlines.patient(settings)
    assert all((ordinary.seconds_of(kind) or 0.0) > 0.0 for kind in CallKind)
    assert {ordinary.seconds_of(kind) for kind in (CallKind.ANALYZE, CallKind.FUSE, CallKind.PUSH)} == {3.0}
    assert patient.seconds_of(CallKind.ANALYZE) is None
    into_streams = {CallKind.PUSH, CallKind.OBSERVE, CallKind.FLUSH, CallKind.FINISH}
    waited_for = into_streams | {CallKind.PARTS, CallKind.ANALYZE, CallKind.FUSE}
    assert {kind for kind in CallKind if patient.seconds_of(kind) != ordinary.seconds_of(kind)} == waited_for
    assert Deadlines.patient().seconds_of(CallKind.OPEN_STREAM) == Settings().engine.deadline_seconds


def doubled(guard: Guard, values: list[int]) -> Steps[list[int]]:
    calls: list[GuardedCall[int]] = [
        guard.submit(CallKind.ANALYZE, lambda value=value: 2 * value)  # type: ignore[misc]
        for value in values
    ]
    found = []
    for call in calls:
        yield call
        found.append(call.result())
    return found


async def test_work_in_steps_can_be_driven_by_a_thread_and_by_an_event_loop(make_guard: MakeGuard) -> None:
    guard = make_guard()
    assert await run_steps_async(doubled(guard, [1, 2, 3])) == [2, 4, 6]
    assert await asyncio.to_thread(run_steps, doubled(guard, [4, 5])) == [8, 10]
