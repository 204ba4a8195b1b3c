"""The thread of a session: pushes, observes and counts, and calls the plugins for that right where it is.

So a sample changes hands twice for all that its session does with it before it is analysed, and twice afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from mien.errors import MienError
from mien.live.work import PluginCall, Work
from mien.plugins.guard import STUCK, CallKind, Guard, PluginCallError, log_raised
from mien.plugins.workers import Call, Lane
from mien.types import StreamState

Result = TypeVar("Result")

_OF_THE_STATE: Final = (CallKind.FUSE, CallKind.ACCUMULATE)
"""Calls in the middle of which the session's state cannot be left."""

NESTED_SECONDS: Final = 1.0
"""What such a call has beyond its deadline: a part that is called within it has the same deadline, and is to be blamed
first."""


class Worker:
    """Does one piece of work after the other. For one event loop.

    A call into a plugin that misses its deadline is left to its thread: another thread goes on with the work, which
    is told that the call failed, and the part is not called again before that call has returned.
    """

    def __init__(self, *, patience_seconds: float) -> None:
        """Prepare; the thread starts with the first work.

        Args:
            patience_seconds: How often it is looked whether a call has missed its deadline.
        """
        self._patience = patience_seconds
        self._lane = _lane()
        self._stuck = _Stuck()
        self._turn = asyncio.Lock()
        self._pieces: set[asyncio.Task[Any]] = set()

    async def run(self, function: Callable[[], Result]) -> Result:
        """Run something whose calls into plugins have deadlines of their own."""
        returned = asyncio.Event()
        call = self._lane.submit(function)
        _when_returned(call, returned)
        await returned.wait()
        return call.result()

    async def do(self, work: Work[Result]) -> Result:
        """Do a piece of work. Who is cancelled meanwhile drops it: a stream is not waited for then, a fuser is.

        Raises:
            Exception: What the work raises.
        """
        piece = _Piece(work, self._stuck)
        doing = asyncio.get_running_loop().create_task(self._do(piece))
        self._pieces.add(doing)
        doing.add_done_callback(self._done)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            piece.drop()
            raise

    def close(self) -> None:
        """Let the thread end; a call that runs is not waited for."""
        for doing in self._pieces:
            doing.cancel()
        self._lane.close()

    async def _do(self, piece: _Piece[Any]) -> Any:
        async with self._turn:
            call = self._lane.submit(piece.begin)
            _when_returned(call, piece.changed)
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(piece.changed.wait(), self._patience)
                piece.changed.clear()
                if piece.is_done:
                    return piece.result()
                error = piece.take_over()
                if error is not None:
                    call = self._leave(call, functools.partial(piece.go_on, error))
                    _when_returned(call, piece.changed)

    def _leave(self, call: Call[Any], go_on: Callable[[], Any]) -> Call[Any]:
        """Leave a call with its thread, and go on in another."""
        with contextlib.suppress(Exception):
            call.result()  # gives it up
        self._lane.close()
        self._lane = _lane()
        return self._lane.submit(go_on)

    def _done(self, doing: asyncio.Task[Any]) -> None:
        self._pieces.discard(doing)
        if not doing.cancelled():
            doing.exception()  # it was raised to whoever waited, if anybody did


class _Stuck:
    """The parts that have not returned from a call that was left. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._late: dict[Guard, bool] = {}

    def add(self, guard: Guard, *, late: bool) -> None:
        """A call was left, because it missed its deadline or because nobody waits for it any more."""
        with self._lock:
            self._late[guard] = late
        if late:
            guard.hangs()

    def discard(self, guard: Guard) -> None:
        """It has returned."""
        with self._lock:
            late = self._late.pop(guard, False)
        if late:
            guard.hangs_no_more()

    def __contains__(self, guard: Guard) -> bool:
        with self._lock:
            return guard in self._late


class _Piece(Generic[Result]):
    """One piece of work on its way, on one thread at a time."""

    def __init__(self, work: Work[Result], stuck: _Stuck) -> None:
        self.changed = asyncio.Event()
        self._work = work
        self._stuck = stuck
        self._lock = threading.Lock()
        self._thread = 0  # the number of the one that may go on; those before it were left
        self._call: PluginCall | None = None
        self._called_at = 0.0
        self._dropped = False
        self._done = False
        self._result: Result | None = None
        self._error: Exception | None = None

    @property
    def is_done(self) -> bool:
        """It gave its result, raised, or was dropped."""
        with self._lock:
            return self._done

    def result(self) -> Result | None:
        """What the work gave, or raised; None where it was dropped."""
        if self._error is not None:
            raise self._error
        return self._result

    def drop(self) -> None:
        """Nobody waits for the result any more."""
        with self._lock:
            self._dropped = True
        self.changed.set()

    def begin(self) -> None:
        """Do the work, as far as this thread gets with it."""
        self._go(lambda: next(self._work))

    def go_on(self, error: Exception) -> None:
        """Do what is left of it, the call that was made last having failed."""
        self._go(lambda: self._work.throw(error))

    def take_over(self) -> PluginCallError | None:
        """Have nothing more come of the call that is being made, where it is time for that; how it has failed."""
        with self._lock:
            call = self._call
            if call is None:
                return None
            seconds, of_the_state = call.guard.seconds_of(call.kind), call.kind in _OF_THE_STATE
            allowed = math.inf if seconds is None else seconds + of_the_state * NESTED_SECONDS
            late = time.monotonic() - self._called_at >= allowed
            if not late and (of_the_state or not self._dropped):
                return None
            self._thread += 1
            self._call = None
            self._stuck.add(call.guard, late=late)
        reason = f"it did not answer for {seconds:g} s" if late else "it was still at it when the end came"
        return PluginCallError(call.guard.part, call.kind, reason, state=StreamState.TIMED_OUT)

    def _go(self, step: Callable[[], PluginCall]) -> None:
        thread = self._thread
        try:
            while not self._is_dropped():
                outcome = self._make(step(), thread)
                if outcome is None:
                    return  # another thread has gone on
                step = outcome
            self._work.close()
        except StopIteration as end:
            self._result = end.value
        except Exception as error:
            self._error = error
        with self._lock:
            self._done = True

    def _is_dropped(self) -> bool:
        with self._lock:
            return self._dropped

    def _make(self, call: PluginCall, thread: int) -> Callable[[], PluginCall] | None:
        """Make a call; the next step of the work, or None where another thread has gone on with it."""
        if call.guard in self._stuck:
            return self._raising(PluginCallError(call.guard.part, call.kind, STUCK, state=StreamState.UNAVAILABLE))
        with self._lock:
            self._call, self._called_at = call, time.monotonic()
        step: Callable[[], PluginCall]
        try:
            given = call.function()
            step = functools.partial(self._work.send, given)
        except MienError as error:
            step = self._raising(error)
        except BaseException as error:  # SystemExit among them: it costs its stream, and not the session
            log_raised(call.guard.part, error)
            step = self._raising(PluginCallError(call.guard.part, call.kind, f"it raised {type(error).__name__}"))
        with self._lock:
            if self._thread == thread:
                self._call = None
                return step
        self._stuck.discard(call.guard)
        return None

    def _raising(self, error: Exception) -> Callable[[], PluginCall]:
        return lambda: self._work.throw(error)


def _lane() -> Lane:
    return Lane("session", threads=1)


def _when_returned(call: Call[Any], event: asyncio.Event) -> None:
    """Set the event when the call has returned."""
    loop = asyncio.get_running_loop()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(event.set)

    call.notify(tell)
