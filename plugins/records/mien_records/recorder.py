"""Results into records, and records into each file that is configured. One that fails costs its own record only."""

from __future__ import annotations

import errno
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Protocol

from mien import (
    AnalysisResult,
    FaceRegion,
    PluginError,
    Prediction,
    Provenance,
    SessionSummary,
    Sink,
    records,
)
from mien_records.database import SqliteFile
from mien_records.driftwatch import DriftWatch
from mien_records.files import CsvFile, JsonLinesFile
from mien_records.settings import RecordsSettings

_log: Final = logging.getLogger("mien.records")


class RecordFile(Protocol):
    """Takes records, one after another."""

    def write(self, record: records.Record) -> None:
        """Keep one record; what it raises costs this record."""

    def close(self) -> None:
        """Finish what is open."""


class Recorder(Sink):
    """The files of one host. Thread-safe."""

    def __init__(self, settings: RecordsSettings) -> None:
        """Make the files; nothing is opened before the first record."""
        self._settings = settings
        self._lock = threading.Lock()
        self._failures: Counter[tuple[str, str]] = Counter()
        self._files: dict[str, RecordFile] = {}
        if settings.jsonl is not None:
            self._files["jsonl"] = JsonLinesFile(settings.jsonl)
        if settings.csv is not None:
            self._files["csv"] = CsvFile(settings.csv)
        if settings.sqlite is not None:
            self._files["sqlite"] = SqliteFile(settings.sqlite)
        self._watch: DriftWatch | None = None
        if settings.drift is not None:
            self._files["drift"] = self._watch = DriftWatch(settings.drift)

    @property
    def drift(self) -> Mapping[tuple[str, str], float]:
        """Site and measure -> change against commissioning, as a share of what it was; for a metrics endpoint."""
        with self._lock:
            return {} if self._watch is None else self._watch.changes()

    @property
    def failures(self) -> Mapping[tuple[str, str], int]:
        """File and kind of error -> how many records it has cost."""
        with self._lock:
            return dict(self._failures)

    def write(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> None:
        """Record a result in all files.

        Raises:
            PluginError: A file could not take it, so that mien counts it; the others have it.
        """
        failed: set[str] = set()
        for record in self._records(result, provenance):
            slim = record if self._settings.transcripts else records.without_words(record)
            with self._lock:
                failed.update(name for name in self._files if not self._write(name, slim))
        if failed:
            raise PluginError(f"not recorded in: {', '.join(sorted(failed))}")

    def close(self) -> None:
        """Close the files, and say how much was lost."""
        with self._lock:
            for name, file in self._files.items():
                try:
                    file.close()
                except Exception as error:  # the other files are closed all the same
                    _log.warning("records: %s could not be closed: %s", name, _kind_of(error))
            self._files = {}
            for (name, kind), count in sorted(self._failures.items()):
                _log.warning("records: %d results were not written to %s: %s", count, name, kind)
            self._failures.clear()

    def _records(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> Iterator[records.Record]:
        """What is kept of a result: nothing that the settings do not ask for, and no landmarks."""
        record = self._record(result, provenance)
        if isinstance(result, AnalysisResult):
            is_wanted = self._settings.moments if provenance.session_id else "analysis" in self._settings.kinds
            if is_wanted:
                yield record
            return
        if "summary" in self._settings.kinds:
            yield record
        if result.ledger is not None:
            yield records.LedgerRecord(
                recorded_at=record.recorded_at,
                ledger=records.packed(result.ledger),
                session_id=record.session_id,
                site=record.site,
                source=record.source,
            )

    def _record(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> records.Record:
        source = self._source(provenance)
        if isinstance(result, SessionSummary):
            return records.SummaryRecord(
                recorded_at=provenance.recorded_at,
                summary=replace(result, ledger=None),
                session_id=provenance.session_id or result.session_id,
                site=result.site or provenance.site or self._settings.site,
                source=source,
            )
        return records.AnalysisRecord(
            recorded_at=provenance.recorded_at,
            analysis=_without_landmarks(result),
            session_id=provenance.session_id,
            site=provenance.site or self._settings.site,
            source=source,
            at_seconds=provenance.at_seconds,
            image_width=provenance.image_width,
            image_height=provenance.image_height,
        )

    def _source(self, provenance: Provenance) -> str:
        """The file that was analysed; of a session rather than its camera or video, what the configuration says."""
        if provenance.session_id:
            return self._settings.source or provenance.source
        return provenance.source or self._settings.source

    def _write(self, name: str, record: records.Record) -> bool:
        try:
            self._files[name].write(record)
        except Exception as error:  # whatever a file system or a database can raise: results must go on
            failure = (name, _kind_of(error))
            if failure not in self._failures:
                _log.warning("records: cannot write to %s: %s; results go on without it", name, _reason_of(error))
            self._failures[failure] += 1
            return False
        return True


def _without_landmarks(result: AnalysisResult) -> AnalysisResult:
    return replace(result, predictions=tuple(_slim(prediction) for prediction in result.predictions))


def _slim(prediction: Prediction) -> Prediction:
    if not isinstance(prediction.evidence, FaceRegion):
        return prediction
    return replace(prediction, evidence=replace(prediction.evidence, landmarks=()))


def _kind_of(error: Exception) -> str:
    """``ENOSPC``, ``SQLITE_BUSY``, or the type's name."""
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno, str(error.errno))
    if isinstance(error, sqlite3.Error):
        return str(getattr(error, "sqlite_errorname", type(error).__name__))
    return type(error).__name__


def _reason_of(error: Exception) -> str:
    """For a person. Only messages of the system are shown, which hold no words of a customer."""
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or type(error).__name__}{place} [{_kind_of(error)}]"
    if isinstance(error, sqlite3.Error):
        return f"{error} [{_kind_of(error)}]"
    return _kind_of(error)
