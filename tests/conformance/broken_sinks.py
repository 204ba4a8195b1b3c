"""Sinks that break one rule each, with right ones to compare."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from mien import (
    Provenance,
    Sink,
)

LONG = 30.0
"""Longer than any test waits, seconds."""


class File:
    """Stands for a file: remembers how many lines it has."""

    lines = 0

    def append(self, line: str) -> None:
        self.lines += 1


class Lines(Sink):
    """A line for each result. Keeps every rule."""

    def __init__(self, file: File) -> None:
        self.file = file

    def write(self, result: Any, provenance: Provenance) -> None:
        self.file.append(repr((type(result).__name__, provenance.source)))


class Buffers(Lines):
    def __init__(self, file: File) -> None:
        super().__init__(file)
        self.waiting: list[str] = []

    def write(self, result: Any, provenance: Provenance) -> None:
        self.waiting.append(provenance.source)

    def flush(self) -> None:
        for line in self.waiting:
            self.file.append(line)
        self.waiting.clear()


class NeverFlushes(Buffers):
    def flush(self) -> None:
        return

    def close(self) -> None:
        super().flush()


class Splits(Lines):
    def write(self, result: Any, provenance: Provenance) -> None:
        for line in f"{type(result).__name__} {provenance.source}".splitlines():
            self.file.append(line)


class WantsAVisit(Lines):
    def write(self, result: Any, provenance: Provenance) -> None:
        if not provenance.session_id:
            raise ValueError("no session")
        super().write(result, provenance)


class Strips(Lines):
    """Takes out of the summary itself what it does not want to keep."""

    def write(self, result: Any, provenance: Provenance) -> None:
        if hasattr(result, "emotion_percentages"):
            result.emotion_percentages.clear()
        super().write(result, provenance)


class Header(Lines):
    def __init__(self, file: File) -> None:
        super().__init__(file)
        file.append("header")


class SinkCloseHangs(Lines):
    def close(self) -> None:
        threading.Event().wait(LONG)


class Doubles(Lines):
    """Closing twice writes the end twice."""

    def close(self) -> None:
        self.file.append("end")


class SinkSetsAVariable(Lines):
    def write(self, result: Any, provenance: Provenance) -> None:
        os.environ["MIEN_TEST_MARK"] = str(time.perf_counter_ns())
        super().write(result, provenance)


class SinkKeeps(Sink):
    """Writes nothing to the file, and forgets nothing."""

    def __init__(self, file: File) -> None:
        self.kept: list[Any] = []

    def write(self, result: Any, provenance: Provenance) -> None:
        self.kept.append([result, provenance])


SINKS: dict[str, tuple[Callable[[File], Sink], str]] = {
    "never_flushes": (NeverFlushes, "test_results_and_summaries_are_kept"),
    "loses_on_close": (Buffers, "test_closing_keeps_what_was_written"),
    "splits_lines": (Splits, "test_text_of_any_kind_is_taken"),
    "wants_a_visit": (WantsAVisit, "test_provenance_may_say_nothing"),
    "strips": (Strips, "test_what_is_written_is_left_as_it_was"),
    "header": (Header, "test_a_sink_that_was_shown_nothing_closes"),
    "close_hangs": (SinkCloseHangs, "test_closing_is_quick"),
    "doubles": (Doubles, "test_closing_keeps_what_was_written"),
    "sets_a_variable": (SinkSetsAVariable, "test_the_process_is_left_as_it_was"),
    "keeps": (SinkKeeps, "test_memory_does_not_grow"),
}
