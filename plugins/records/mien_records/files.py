"""Records into files that rotate: JSON lines, and a flat CSV table. One process may write to one path.

The file is opened anew for each record, so that one that was moved, removed or filled up is found again by itself.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mien import records
from mien_records.settings import FileSettings
from mien_records.table import columns_for, row

MAX_HEADER: Final = 1 << 16
"""Bytes that the first line of a table is looked for in."""


class RotatingFile:
    """A file that lines are added to. When it would grow too large, it becomes ``path.1``, and so on up to ``keep``."""

    def __init__(self, path: Path, *, max_bytes: int, keep: int) -> None:
        """Set the place.

        Args:
            path: The file; its folder is made where it is missing.
            max_bytes: Rotate before it grows beyond this; a single larger line has a file of its own.
            keep: How many old files to keep, at least 1.
        """
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._checked = False

    def first_line(self) -> bytes:
        """What the file begins with, with its end; empty where there is nothing yet.

        Raises:
            OSError: It could not be read.
        """
        try:
            with self._path.open("rb") as file:
                return file.readline(MAX_HEADER)
        except FileNotFoundError:
            return b""

    def add(self, line: bytes, *, header: bytes = b"") -> None:
        """Add one line, whole or not at all.

        Args:
            line: With its end.
            header: What the file has to begin with; one that begins otherwise makes place for a new one.

        Raises:
            OSError: It could not be written; the file is as it was.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        size = self._size()
        is_other = size > 0 and header != b"" and self.first_line() != header
        if is_other or (size > len(header) and size + len(line) > self._max_bytes):
            self._rotate()
            size = 0
        with open_own(self._path) as file:
            start = header if size == 0 else self._mend()
            try:
                _write_all(file, start + line)
            except OSError:
                os.truncate(self._path, size)  # half a line would spoil the next one too
                raise
        self._checked = True

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _mend(self) -> bytes:
        """A line's end where a process that was killed has left half a line; looked for once."""
        if self._checked:
            return b""
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return b"" if file.read(1) == b"\n" else b"\n"

    def _rotate(self) -> None:
        names = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._keep + 1))]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)


def open_own(path: Path) -> io.FileIO:
    """A file to add to; a new one is its owner's alone to read, for it tells of people."""
    return io.FileIO(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


class JsonLinesFile:
    """One line of JSON a record; see ``docs/schema/record-v1.json``."""

    def __init__(self, settings: FileSettings) -> None:
        """Set the place."""
        self._file = RotatingFile(settings.path, max_bytes=settings.max_bytes, keep=settings.keep)

    def write(self, record: records.Record) -> None:
        """Add the record. Raises OSError where it cannot be written."""
        self._file.add(records.to_json(record).encode() + b"\n")

    def close(self) -> None:
        """Nothing stays open."""


class CsvFile:
    """One row a record; see ``mien_records.table``.

    A record of a modality that the file has no columns for begins a new file, which has them.
    """

    def __init__(self, settings: FileSettings) -> None:
        """Set the place."""
        self._file = RotatingFile(settings.path, max_bytes=settings.max_bytes, keep=settings.keep)

    def write(self, record: records.Record) -> None:
        """Add the record; a ledger is no row. Raises OSError where it cannot be written."""
        if isinstance(record, records.LedgerRecord):
            return
        columns = columns_for([record], _cells(self._file.first_line()))
        self._file.add(csv_line(row(record, columns)), header=csv_line(columns))

    def close(self) -> None:
        """Nothing stays open."""


def csv_line(cells: Sequence[str]) -> bytes:
    """One line of a table, UTF-8, with its end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "replace")


def _cells(line: bytes) -> Sequence[str]:
    try:
        return next(csv.reader([line.decode("utf-8", "replace")]), [])
    except csv.Error:  # the file was something else before
        return []


def _write_all(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
