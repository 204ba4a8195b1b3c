"""Hands results to the plugins' sinks (``mien_on_result``) in a thread of their own: none holds up an answer."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from mien.plugins.host import PluginHost
from mien.session import SessionSummary
from mien.types import AnalysisResult

MAX_WAITING: Final = 1_000
"""Results that wait for slow sinks; one more is counted and left out."""

_log = logging.getLogger("mien.service")


class Sinks:
    """A bounded queue before ``PluginHost.notify_result``; results arrive in order."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mien-sinks")
        self._room = threading.BoundedSemaphore(MAX_WAITING)
        self._left_out = 0

    @property
    def left_out(self) -> int:
        """Results that no sink has seen because too many waited."""
        return self._left_out

    def notify(self, session_id: str, result: AnalysisResult | SessionSummary) -> None:
        """Have the sinks see a result soon; returns at once."""
        if not self._room.acquire(blocking=False):
            self._left_out += 1
            if self._left_out == 1:
                _log.warning(
                    "sinks are too slow: more than %d results wait, and further ones are left out", MAX_WAITING
                )
            return
        future = self._thread.submit(self._host.notify_result, session_id, result)
        future.add_done_callback(self._done)

    def close(self) -> None:
        """Wait until the sinks have seen everything that was handed over."""
        self._thread.shutdown(wait=True)

    def _done(self, future: Future[None]) -> None:
        self._room.release()
