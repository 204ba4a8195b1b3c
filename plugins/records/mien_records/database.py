"""Records into an SQLite database: one table, with the columns that one asks by, and the whole record as JSON."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Final

from mien import InputError, records
from mien_records.files import open_own
from mien_records.settings import SqliteSettings

FORMAT: Final = 1
"""``PRAGMA user_version`` of the databases written here."""

_CREATE: Final = f"""
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY,
    recorded_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    session_id TEXT NOT NULL,
    site TEXT NOT NULL,
    source TEXT NOT NULL,
    score REAL,
    verdict TEXT,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS records_by_time ON records (recorded_at);
CREATE INDEX IF NOT EXISTS records_by_session ON records (session_id);
CREATE INDEX IF NOT EXISTS records_by_kind_and_site ON records (kind, site, recorded_at);
PRAGMA user_version = {FORMAT};
"""
_INSERT: Final = (
    "INSERT INTO records (recorded_at, kind, session_id, site, source, score, verdict, record) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_MAGIC: Final = b"SQLite format 3\x00"


class SqliteFile:
    """Adds records to a database in write-ahead mode, so that readers hold up nobody."""

    def __init__(self, settings: SqliteSettings) -> None:
        """Set the place; the database is opened at the first record."""
        self._settings = settings
        self._connection: sqlite3.Connection | None = None

    def write(self, record: records.Record) -> None:
        """Add the record.

        Raises:
            OSError, sqlite3.Error: It could not be written; the database is opened anew for the next one.
        """
        if self._connection is None:
            self._connection = self._open()
        try:
            self._connection.execute(_INSERT, _values(record))
        except sqlite3.Error:
            self.close()
            raise

    def close(self) -> None:
        """Close the database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        path = self._settings.path
        path.parent.mkdir(parents=True, exist_ok=True)
        open_own(path).close()  # so that it, and the files beside it, are their owner's alone
        # Each statement commits by itself; the recorder's lock keeps threads apart.
        connection = sqlite3.connect(
            path, timeout=self._settings.busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            _check_format(connection)
            connection.executescript(_CREATE)
        except BaseException:
            connection.close()
            raise
        return connection


def is_database(path: Path) -> bool:
    """Whether the file begins as an SQLite database does. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read_database(path: Path) -> Iterator[records.Record | records.BadLine]:
    """All records of a database, in order of time; a row that holds no record is named by its id.

    Raises:
        InputError: It is no database of records, or cannot be read.
    """
    try:
        # Not ``immutable``: somebody may be writing. ``ro`` may still make the -shm file beside a live database.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
            _check_format(connection)
            for number, text in connection.execute("SELECT id, record FROM records ORDER BY recorded_at, id"):
                try:
                    yield records.from_json(text)
                except InputError as error:
                    yield records.BadLine(number, str(error))
    except sqlite3.Error as error:
        raise InputError(f"{path}: no database of records: {error}") from error


def _check_format(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, FORMAT):
        raise sqlite3.DatabaseError(f"its format is {version}, and this mien knows format {FORMAT}")


def _values(record: records.Record) -> tuple[object, ...]:
    satisfaction = None
    if isinstance(record, records.AnalysisRecord):
        satisfaction = record.analysis.satisfaction
    elif isinstance(record, records.SummaryRecord):
        satisfaction = record.summary.overall
    return (
        record.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        record.kind,
        record.session_id,
        record.site,
        record.source,
        None if satisfaction is None else satisfaction.score,
        None if satisfaction is None else satisfaction.verdict.value,
        records.to_json(record),
    )
