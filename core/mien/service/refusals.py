"""Refusals in the log: a line for the first of a kind, and one with the count for all that follow within a while."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

import grpc

from mien.service.current import Call

WINDOW_SECONDS: Final = 10.0
"""For how long refusals of a kind are counted before the count is logged."""

_log = logging.getLogger("mien.service.calls")


@dataclass(slots=True)
class _Counted:
    timer: asyncio.TimerHandle
    more: int = 0


class Refusals:
    """Logs refusals by call and reason, never by their words, which may quote a caller. For one event loop."""

    def __init__(self, *, window_seconds: float = WINDOW_SECONDS) -> None:
        self._window = window_seconds
        self._counted: dict[tuple[str, str], _Counted] = {}

    def note(self, call: Call, code: grpc.StatusCode, reason: str) -> None:
        """Count one, and log it where it is the first of its kind."""
        kind = (call.method, reason or code.name)
        counted = self._counted.get(kind)
        if counted is not None:
            counted.more += 1
            return
        timer = asyncio.get_running_loop().call_later(self._window, self._tell, kind)
        self._counted[kind] = _Counted(timer)
        _log.warning("%s was answered with %s (%s)", call.method, reason or "no reason", code.name)

    def close(self) -> None:
        """Log what was counted."""
        for kind in list(self._counted):
            self._counted[kind].timer.cancel()
            self._tell(kind)

    def _tell(self, kind: tuple[str, str]) -> None:
        counted = self._counted.pop(kind)
        if counted.more:
            _log.warning("%s was answered with %s %d more times within %g s", *kind, counted.more, self._window)
