"""The files that ``mien report`` is given, JSON lines or SQLite, as records. The unreadable is named and skipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mien import InputError, records
from mien_records.database import is_database, read_database

NAMED_PER_FILE = 5
"""Bad lines of one file that are named one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """What came of one file.

    Attributes:
        name: As it was given.
        records: How many records it holds.
        bad: How many lines or rows of it are no records.
        problems: One sentence each for a person.
    """

    name: str
    records: int = 0
    bad: int = 0
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Reader:
    """Reads files one after another, and keeps account of them in ``files``, one entry for each that is finished."""

    files: list[SourceFile] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """All that could not be read."""
        return [problem for file in self.files for problem in file.problems]

    def read(self, paths: Sequence[Path]) -> Iterator[records.Record]:
        """All records of all files, each file in its own order."""
        for path in paths:
            yield from self._read_file(path)

    def _read_file(self, path: Path) -> Iterator[records.Record]:
        name = _printable(path)
        good, bad = 0, 0
        problems: list[str] = []
        try:
            is_sqlite = is_database(path)
            for found in read_database(path) if is_sqlite else _read_json_lines(path):
                if not isinstance(found, records.BadLine):
                    good += 1
                    yield found
                    continue
                bad += 1
                if bad <= NAMED_PER_FILE:
                    where = "row" if is_sqlite else "line"
                    problems.append(f"{name}, {where} {found.number}: {found.reason}")
        except OSError as error:
            problems.append(f"{name}: cannot be read: {error.strerror}")
        except InputError as error:
            problems.append(str(error))
        if bad > NAMED_PER_FILE:
            problems.append(f"{name}: {bad - NAMED_PER_FILE:,} more that are no records")
        self.files.append(SourceFile(name, good, bad, tuple(problems)))


def _read_json_lines(path: Path) -> Iterator[records.Record | records.BadLine]:
    with path.open("rb") as file:
        yield from records.read_lines(file)


def _printable(path: Path) -> str:
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "�" for character in text)
