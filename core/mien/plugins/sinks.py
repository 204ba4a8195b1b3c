"""The one way to the sinks that plugins have registered: in a thread of its own, so that none holds up an answer.

Each sink is called through a guard and is given a copy of its own. One that raises, exits or hangs costs itself the
result, which is counted, and told once; whoever gave the result never learns of it.
"""

from __future__ import annotations

import copy
import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from mien.errors import MienError
from mien.interfaces import Provenance
from mien.plugins.guard import CallKind, Deadlines, PluginCallError
from mien.plugins.host import PluginHost
from mien.plugins.parts import PartKind
from mien.session import SessionSummary
from mien.types import AnalysisResult

MAX_WAITING: Final = 1_000
"""Results that wait for slow sinks; one more is counted and left out."""

CLOSE_SECONDS: Final = 15.0
"""How long ``close`` waits for the sinks; longer than one call may take, so that one that hangs costs the others
nothing."""

FLUSH_SECONDS: Final = 1.0
"""After so long without a result the sinks are told to let their readers have what there is."""

_Item: TypeAlias = tuple[AnalysisResult | SessionSummary, Provenance]
_log = logging.getLogger("mien.sinks")


class Sinks:
    """A bounded queue before the sinks of a host; results arrive in order. Thread-safe."""

    def __init__(
        self,
        host: PluginHost,
        *,
        deadlines: Deadlines | None = None,
        max_waiting: int = MAX_WAITING,
        close_seconds: float = CLOSE_SECONDS,
    ) -> None:
        """Start no thread and open no sink before the first result.

        Args:
            host: Has the sinks; it also closes them.
            deadlines: How long calls may take; None takes the usual ones.
            max_waiting: Results that may wait.
            close_seconds: How long ``close`` may wait.
        """
        self._host = host
        self._deadlines = deadlines
        self._guards = {name: host.guard(name, PartKind.SINK) for name in host.sinks}
        self._waiting: queue.Queue[_Item | None] = queue.Queue(max_waiting)
        self._close_seconds = close_seconds
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._left_out = 0
        self._failures: Counter[str] = Counter()
        self._told: set[tuple[str, str]] = set()

    @property
    def left_out(self) -> int:
        """Results that no sink has seen, because too many waited."""
        with self._lock:
            return self._left_out

    @property
    def failures(self) -> Mapping[str, int]:
        """Sink -> results that it has not taken."""
        with self._lock:
            return dict(self._failures)

    def notify(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> None:
        """Have the sinks see a result soon; returns at once.

        Args:
            result: As it is given out: words that are not to be seen have been taken out.
            provenance: Where it came from.
        """
        if not self._guards:
            return
        with self._lock:
            if self._closed:
                return
            if self._thread is None:
                # A daemon: a sink that never returns must not keep the process alive.
                self._thread = threading.Thread(target=self._work, name="mien-sinks", daemon=True)
                self._thread.start()
            try:
                self._waiting.put_nowait((result, provenance))
            except queue.Full:
                self._leave_out()

    def close(self) -> None:
        """Wait, but not for ever, until the sinks have seen all that was handed over. May be called twice."""
        with self._lock:
            already, self._closed = self._closed, True
        if already:
            return
        if self._thread is not None:
            self._end()
        for name, count in sorted(self.failures.items()):
            _log.info("sink %r has not taken %d of the results", name, count)

    def _end(self) -> None:
        assert self._thread is not None  # noqa: S101 - the caller has looked
        try:
            self._waiting.put(None, timeout=self._close_seconds)
        except queue.Full:
            pass
        else:
            self._thread.join(self._close_seconds)
        if self._thread.is_alive():
            count = self._waiting.qsize()
            _log.warning("sinks have not returned for %g s; %d results are left out", self._close_seconds, count)

    def _leave_out(self) -> None:
        self._left_out += 1
        if self._left_out == 1:
            _log.warning("sinks are too slow: %d results wait, and further ones are left out", self._waiting.maxsize)

    def _work(self) -> None:
        """Hand out until the end; runs in the thread."""
        is_flushed = True
        while True:
            try:
                item = self._waiting.get(timeout=None if is_flushed else FLUSH_SECONDS)
            except queue.Empty:
                self._flush()
                is_flushed = True
                continue
            if item is None:
                break
            self._write(*item)
            is_flushed = False
        if not is_flushed:
            self._flush()

    def _write(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> None:
        def writing(name: str) -> Callable[[], None]:
            own = copy.deepcopy(result)
            return lambda: self._host.sink(name).write(own, provenance)

        failed = self._call_all(writing)
        with self._lock:
            self._failures.update(failed)

    def _flush(self) -> None:
        self._call_all(lambda name: lambda: self._host.sink(name).flush())

    def _call_all(self, function: Callable[[str], Callable[[], None]]) -> list[str]:
        """Call all sinks at once and wait for them; the names of those that have failed.

        Nothing else is asked of a sink before it has returned, or was given up on.
        """
        calls = {
            name: guard.submit(CallKind.SINK, function(name), deadlines=self._deadlines)
            for name, guard in self._guards.items()
        }
        failed = []
        for name, call in calls.items():
            call.join()
            try:
                call.result()
            except MienError as error:
                reason = error.reason if isinstance(error, PluginCallError) else f"it raised {type(error).__name__}"
                self._tell_once(name, reason)
                failed.append(name)
        return failed

    def _tell_once(self, sink: str, reason: str) -> None:
        """Log it; without the message of what was raised, which may hold the caller's words."""
        if (sink, reason) not in self._told:
            self._told.add((sink, reason))
            _log.warning("sink %r: %s; more of the same are counted only", sink, reason)
