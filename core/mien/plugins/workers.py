"""Calls into code that may hang: run on daemon threads, waited for until a deadline, and given up on after it.

A thread cannot be stopped from outside. So a lane that has a call which ran out of time takes no new one until that
call returns: the number of stuck threads is bounded, and the process can always exit.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final, Generic, TypeVar

Result = TypeVar("Result")

_log = logging.getLogger("mien.plugins.workers")

DEFAULT_THREADS: Final = 2
"""Calls that one lane works on at once."""


class CallTimeoutError(Exception):
    """A call did not return in time. ``started`` is False where it only waited for a free thread."""

    def __init__(self, *, started: bool) -> None:
        super().__init__("call timed out" if started else "call waited too long for a free thread")
        self.started = started


class LaneBusyError(Exception):
    """The lane has a call that ran out of time and has not returned."""


class LaneClosedError(Exception):
    """The lane was closed."""


class _State(Enum):
    WAITING = auto()
    RUNNING = auto()
    DONE = auto()
    ABANDONED = auto()


class Call(Generic[Result]):
    """One submitted call."""

    def __init__(self, function: Callable[[], Result], lane: Lane) -> None:
        self.submitted_at: Final = time.monotonic()
        self._function: Callable[[], Result] | None = function
        self._lane = lane
        self._state = _State.WAITING
        self._done = threading.Event()
        self._result: Result | None = None
        self._error: Exception | None = None
        self._callback: Callable[[], None] | None = None

    @property
    def returned(self) -> bool:
        """Whether the function has returned or raised."""
        return self._done.is_set()

    def join(self, seconds: float | None) -> None:
        """Wait until the function has returned, or until ``seconds`` after submission (None: for ever)."""
        self._done.wait(self.left(seconds))

    def left(self, seconds: float | None) -> float | None:
        """What is left of ``seconds`` after submission; None where there is no limit."""
        return None if seconds is None else max(0.0, self.submitted_at + seconds - time.monotonic())

    def notify(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called when the function has returned, on the lane's thread; at once where it has.

        There is one callback; it must be quick and raise nothing. A call that is given up on calls nobody.
        """
        with self._lane._lock:
            if self._state in (_State.WAITING, _State.RUNNING):
                self._callback = callback
                return
        callback()

    def wait(self, seconds: float | None) -> Result:
        """Wait until ``seconds`` after submission (None: for ever), and give what the function gave or raised.

        Raises:
            CallTimeoutError: It did not return by then; its result is thrown away.
            LaneClosedError: The lane was closed before it began.
        """
        self.join(seconds)
        return self.result()

    def result(self) -> Result:
        """What the function gave or raised; a call that has not returned is given up on. Raises as ``wait`` does."""
        if not self._done.is_set():
            self._lane._abandon(self)
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # set before the event, or the error is


class Lane:
    """Runs the calls of one part of a plugin, several at once, on daemon threads that start when they are needed."""

    def __init__(
        self, name: str, *, threads: int = DEFAULT_THREADS, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """Start no thread yet.

        Args:
            name: For the threads and the log.
            threads: Calls that are worked on at once.
            on_change: Called, on any thread, when the first call got stuck and when the last stuck one has returned.
        """
        self.name: Final = name
        self._on_change = on_change
        self._max_threads = threads
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[Call[Any] | None] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0
        self._stuck = 0
        self._closed = False

    @property
    def stuck(self) -> int:
        """Calls that ran out of time and have not returned."""
        with self._lock:
            return self._stuck

    def submit(self, function: Callable[[], Result]) -> Call[Result]:
        """Take a call in.

        Raises:
            LaneBusyError: A call that ran out of time has not returned.
            LaneClosedError: The lane was closed.
        """
        call = Call(function, self)
        with self._lock:
            if self._closed:
                raise LaneClosedError(self.name)
            if self._stuck:
                raise LaneBusyError(self.name)
            if self._idle > 0:
                self._idle -= 1  # promised to this call
            elif self._threads < self._max_threads:
                self._threads += 1
                threading.Thread(target=self._work, name=f"mien-{self.name}-{self._threads}", daemon=True).start()
            self._calls.put(call)
        return call

    def close(self) -> None:
        """Let idle threads end; calls that wait are refused. Does not wait for calls that run."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _ in range(self._threads):
                self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            self._run(call)
            del call  # a picture must not stay in memory until the next call
            with self._lock:
                if self._calls.empty():
                    self._idle += 1

    def _run(self, call: Call[Any]) -> None:
        with self._lock:
            function, closed = call._function, self._closed
            if function is None or call._state is not _State.WAITING:
                return
            call._state = _State.RUNNING
            call._function = None
        try:
            if closed:
                raise LaneClosedError(self.name)
            result, error = function(), None
        except Exception as raised:
            result, error = None, raised
        except BaseException as raised:  # SystemExit here must not end the thread that waits, nor the process
            result, error = None, RuntimeError(f"it raised {type(raised).__name__}")
        # The last reference to an analyzer that was closed may be in it. Native code must have let go of it before
        # anybody is told: they may end the process.
        del function
        self._finish(call, result, error)

    def _finish(self, call: Call[Any], result: Any, error: Exception | None) -> None:
        with self._lock:
            late = call._state is _State.ABANDONED
            if late:
                self._stuck -= 1
            else:
                call._state = _State.DONE
                call._result, call._error = result, error
                call._done.set()
            free, callback, call._callback = late and not self._stuck, call._callback, None
        if late:
            _log.info("%s: a call that had run out of time returned after %.1f s", self.name, _age(call))
        elif callback is not None:
            callback()
        if free:
            self._on_change()

    def _abandon(self, call: Call[Any]) -> None:
        with self._lock:
            if call._state is _State.DONE:  # it made it between the wait and here
                return
            started = call._state is _State.RUNNING
            first = started and not self._stuck
            call._state, call._callback = _State.ABANDONED, None
            if started:
                self._stuck += 1
            else:
                call._function = None
        if first:
            self._on_change()
        raise CallTimeoutError(started=started)


def _age(call: Call[Any]) -> float:
    return time.monotonic() - call.submitted_at
