"""How analyzers have fared of late: which fail again and again, and which work that could not be used at the start."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

FAILURES: Final = 3
"""Batches in a row of which nothing came, by the analyzer's own fault, from which on it counts as failing."""


class Standing:
    """Remembers the last batches of each analyzer. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._watchers: list[Callable[[], object]] = []

    def note(self, analyzer: str, *, worked: bool) -> None:
        """A batch was answered, or nothing came of it."""
        with self._lock:
            before = self._failures.get(analyzer)
            after = self._failures[analyzer] = 0 if worked else (before or 0) + 1
        if (after == 0 and before != 0) or after == FAILURES:
            for tell in list(self._watchers):
                tell()

    def is_failing(self, analyzer: str) -> bool:
        """Whether nothing came of its last batches."""
        with self._lock:
            return self._failures.get(analyzer, 0) >= FAILURES

    def works(self, analyzer: str) -> bool:
        """Whether its last batch was answered; False where it has had none."""
        with self._lock:
            return self._failures.get(analyzer) == 0

    def watch(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have ``callback`` called, on any thread, when an analyzer begins to fail or to work; the answer ends that."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)
