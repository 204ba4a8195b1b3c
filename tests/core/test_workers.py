"""Lanes: calls in time, calls out of time, and that stuck ones are bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from core.support import LONG, Hang

from mien.plugins.workers import CallTimeoutError, Lane, LaneBusyError, LaneClosedError

SHORT = 0.05


@pytest.fixture
def lane() -> Iterator[Lane]:
    made = Lane("test", threads=2)
    yield made
    made.close()


@pytest.fixture
def hang() -> Iterator[Hang]:
    made = Hang()
    yield made
    made.release.set()


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it did not come to pass")


def test_a_call_gives_what_its_function_gives_or_raises(lane: Lane) -> None:
    assert lane.submit(lambda: 7).wait(LONG) == 7
    with pytest.raises(ZeroDivisionError):
        lane.submit(lambda: 1 / 0).wait(LONG)
    assert lane.submit(lambda: 8).wait(None) == 8


def test_many_calls_all_come_back_to_their_own_caller(lane: Lane) -> None:
    calls = [lane.submit(lambda value=value: value * value) for value in range(500)]  # type: ignore[misc]
    assert [call.wait(LONG) for call in calls] == [value * value for value in range(500)]


def test_no_more_threads_than_agreed_work_at_once(lane: Lane) -> None:
    meet = threading.Barrier(2)
    calls = [lane.submit(lambda: (meet.wait(LONG), threading.current_thread().name)[1]) for _ in range(6)]
    assert len({call.wait(LONG) for call in calls}) == 2


def test_a_call_that_runs_out_of_time_closes_the_lane_until_it_returns(lane: Lane, hang: Hang) -> None:
    call = lane.submit(hang)
    hang.began.wait(LONG)
    with pytest.raises(CallTimeoutError) as caught:
        call.wait(SHORT)
    assert caught.value.started
    assert lane.stuck == 1
    with pytest.raises(LaneBusyError):
        lane.submit(lambda: 1)
    hang.release.set()
    wait_until(lambda: lane.stuck == 0)
    assert lane.submit(lambda: 1).wait(LONG) == 1


def test_a_call_that_only_waited_is_taken_back_and_never_runs(lane: Lane) -> None:
    hangs, ran = [Hang(), Hang()], []
    busy = [lane.submit(each) for each in hangs]
    for each in hangs:
        each.began.wait(LONG)
    waiting = lane.submit(lambda: ran.append(1))
    with pytest.raises(CallTimeoutError) as caught:
        waiting.wait(SHORT)
    assert not caught.value.started
    assert lane.stuck == 0
    for each in hangs:
        each.release.set()
    assert [call.wait(LONG) for call in busy] == ["late", "late"]
    assert lane.submit(lambda: 1).wait(LONG) == 1
    assert not ran


def test_a_closed_lane_takes_nothing_and_its_threads_end(lane: Lane, hang: Hang) -> None:
    busy = []
    for _ in range(2):
        hang.began.clear()
        busy.append(lane.submit(hang))
        assert hang.began.wait(LONG)
    waiting = lane.submit(lambda: 1)
    lane.close()
    lane.close()
    with pytest.raises(LaneClosedError):
        lane.submit(lambda: 1)
    hang.release.set()
    assert [call.wait(LONG) for call in busy] == ["late", "late"]
    with pytest.raises(LaneClosedError):
        waiting.wait(LONG)
    wait_until(lambda: not any(thread.name.startswith("mien-test-") for thread in threading.enumerate()))


class Closed:
    """Tells when it is let go of."""

    def __init__(self, gone: list[str]) -> None:
        self._gone = gone

    def close(self) -> None:
        self._gone.append("closed")

    def __del__(self) -> None:
        self._gone.append("let go of")


def test_what_a_call_held_is_let_go_of_before_anybody_is_told_that_it_has_returned(lane: Lane) -> None:
    gone: list[str] = []
    lane.submit(Closed(gone).close).wait(None)
    assert gone == ["closed", "let go of"]
