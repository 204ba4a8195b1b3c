"""Hands results to the sinks that plugins have registered, in a thread of their own: none holds up an answer."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from mien.interfaces import Provenance
from mien.plugins.host import PluginHost
from mien.session import SessionSummary
from mien.types import AnalysisResult

MAX_WAITING: Final = 1_000
"""Results that wait for slow sinks; one more is counted and left out."""

_log = logging.getLogger("mien.sinks")


class Sinks:
    """A bounded queue before the sinks of a host; results arrive in order."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mien-sinks")
        self._room = threading.BoundedSemaphore(MAX_WAITING)
        self._left_out = 0
        self._failures: Counter[str] = Counter()
        self._logged: set[tuple[str, str]] = set()

    @property
    def left_out(self) -> int:
        """Results that no sink has seen because too many waited."""
        return self._left_out

    @property
    def failures(self) -> Mapping[str, int]:
        """Sink -> results that it has not taken."""
        return dict(self._failures)

    def notify(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> None:
        """Have the sinks see a result soon; returns at once."""
        if not self._host.sinks:
            return
        if not self._room.acquire(blocking=False):
            self._left_out += 1
            if self._left_out == 1:
                _log.warning(
                    "sinks are too slow: more than %d results wait, and further ones are left out", MAX_WAITING
                )
            return
        self._thread.submit(self._write, result, provenance).add_done_callback(self._done)

    def close(self) -> None:
        """Wait until the sinks have seen everything that was handed over."""
        self._thread.shutdown(wait=True)

    def _write(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> None:
        for name in self._host.sinks:
            try:
                self._host.sink(name).write(result, provenance)
            except (Exception, SystemExit) as error:
                self._note_failure(name, type(error).__name__)

    def _note_failure(self, sink: str, error: str) -> None:
        """Count and perhaps log it; without the error's message, which may hold the caller's words."""
        self._failures[sink] += 1
        if (sink, error) not in self._logged:
            self._logged.add((sink, error))
            _log.warning("sink %r raised %s; more of the same are counted only", sink, error)

    def _done(self, future: Future[None]) -> None:
        self._room.release()
