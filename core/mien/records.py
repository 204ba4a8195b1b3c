"""Records: what is kept of results, as JSON lines. One shape for the command line, the sinks and the reports.

A record says when, where and of which session, and holds one thing under the key that its ``kind`` names: a result, a
session's summary, or why an input could not be analysed. The shape is what the types say, field for field, with enums
by value; ``schema()`` publishes it as JSON Schema. Where records are written to is not this module's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from mien.errors import InputError
from mien.redaction import predictions_given_out, redacted
from mien.session import Ledger, Marker, Observation, SessionSummary, replay
from mien.session.packing import pack, unpack
from mien.types import AnalysisResult

__all__ = [
    "AnalysisRecord",
    "BadLine",
    "Failure",
    "FailureRecord",
    "Ledger",
    "LedgerRecord",
    "Record",
    "SummaryRecord",
    "from_json",
    "ledger_of",
    "now",
    "packed",
    "read_lines",
    "replay",
    "schema",
    "to_json",
    "without_words",
]

SCHEMA_VERSION: Final = 1
"""Goes up when a reader of the old shape would misread the new one; new fields alone do not raise it."""

_EVENTS: Final = frozenset({"started", "update", "notice"})
"""What a kiosk prints beside summaries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRecord:
    """One answered request.

    Attributes:
        recorded_at: When the record was made, with its time zone; UTC as mien writes it.
        analysis: The answer.
        session_id: The caller's name for the session; empty outside of one.
        site: The caller's name for the place.
        source: What was analysed or recorded it: a file's path, or a name from the configuration.
        at_seconds: Time in a video, seconds from its start; null elsewhere.
        image_width: Of the analysed picture, upright, pixels; null where there was none.
        image_height: The same.
        kind: Names the key that holds the content.
        schema_version: Of this shape.
    """

    recorded_at: AwareDatetime
    analysis: AnalysisResult
    session_id: str = ""
    site: str = ""
    source: str = ""
    at_seconds: float | None = None
    image_width: int | None = None
    image_height: int | None = None
    kind: Literal["analysis"] = "analysis"
    schema_version: Literal[1] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRecord:
    """One customer interaction from beginning to end. Fields as in ``AnalysisRecord``."""

    recorded_at: AwareDatetime
    summary: SessionSummary
    session_id: str = ""
    site: str = ""
    source: str = ""
    kind: Literal["summary"] = "summary"
    schema_version: Literal[1] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no result: the kind of error, and a message for a person."""

    error: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """One input that could not be analysed. Fields as in ``AnalysisRecord``."""

    recorded_at: AwareDatetime
    failure: Failure
    session_id: str = ""
    site: str = ""
    source: str = ""
    kind: Literal["failure"] = "failure"
    schema_version: Literal[1] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRecord:
    """What one session's summary rests on, packed; ``ledger_of`` unpacks it. Fields as in ``AnalysisRecord``."""

    recorded_at: AwareDatetime
    ledger: dict[str, Any]
    session_id: str = ""
    site: str = ""
    source: str = ""
    kind: Literal["ledger"] = "ledger"
    schema_version: Literal[1] = 1


Record: TypeAlias = AnalysisRecord | SummaryRecord | FailureRecord | LedgerRecord
"""Any record."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record: its number, from 1, and why."""

    number: int
    reason: str


def packed(ledger: Ledger) -> dict[str, Any]:
    """A session's ledger as a ``LedgerRecord`` holds it."""
    return pack(ledger)


def ledger_of(record: LedgerRecord) -> Ledger:
    """The ledger that the record holds.

    Raises:
        InputError: It is damaged, or of another version of mien.
    """
    try:
        return unpack(record.ledger)
    except ValueError as error:
        raise InputError(f"the ledger of session {record.session_id!r}: {error}") from error


def now() -> datetime:
    """The time for ``recorded_at``: UTC."""
    return datetime.now(UTC)


def to_json(record: Record) -> str:
    """The record as one line of JSON, without the line's end."""
    return _adapter().dump_json(record).decode()


def from_json(line: str | bytes) -> Record:
    """The record that ``to_json`` was given. Fields that this version does not know are passed over.

    Raises:
        InputError: It is not JSON, or not of the published shape; the first problem is named.
    """
    try:
        return _adapter().validate_json(line)
    except ValidationError as error:
        raise InputError(f"no record of schema version {SCHEMA_VERSION}: {_first_problem(error)}") from error


def read_lines(lines: Iterable[bytes]) -> Iterator[Record | BadLine]:
    """The records in JSON lines, in order; empty lines are passed over, those that are no records are named.

    What ``mien kiosk --json`` prints is read, too: its summaries are records, and its other events are passed over.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = _from_event(line) if b'"event"' in line else from_json(line)
        except InputError as error:
            yield BadLine(number, str(error))
        else:
            if record is not None:
                yield record


def _from_event(line: bytes) -> Record | None:
    """A kiosk's line as a record; None where it is an event that is none. Other lines are as ``from_json`` has them."""
    try:
        found = json.loads(line)
    except ValueError as error:
        raise InputError(f"no record of schema version {SCHEMA_VERSION}: {error}") from error
    if not isinstance(found, dict) or ("kind" in found and "event" not in found):
        return from_json(line)
    if found.get("event") != "summary":
        return None if found.get("event") in _EVENTS else from_json(line)
    try:
        when = _moment().validate_python(found.get("recorded_at"))
        summary = _summary().validate_python(found)
    except ValidationError as error:
        raise InputError(f"no summary of a kiosk: {_first_problem(error)}") from error
    return SummaryRecord(recorded_at=when, summary=summary, session_id=summary.session_id, site=summary.site)


def without_words(record: Record) -> Record:
    """The same record without what the customer said."""
    if isinstance(record, LedgerRecord):
        ledger = ledger_of(record)
        return replace(record, ledger=pack(replace(ledger, items=tuple(_without_words(each) for each in ledger.items))))
    if isinstance(record, AnalysisRecord):
        return replace(record, analysis=redacted(record.analysis))
    if isinstance(record, SummaryRecord):
        reasons = tuple(replace(reason, words="") for reason in record.summary.reasons)
        return replace(record, summary=replace(record.summary, reasons=reasons))
    return record


def schema() -> dict[str, Any]:
    """The JSON Schema of a record."""
    generated = _adapter().json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mien:record:{SCHEMA_VERSION}",
        "title": "mien record",
        **generated,
    }


def _without_words(item: Observation | Marker) -> Observation | Marker:
    if isinstance(item, Marker):
        return item
    return replace(item, predictions=predictions_given_out(item.predictions, redact=True))


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    # The first part of the place is the kind that the union was resolved to, not a key.
    place = ".".join(str(part) for part in problem["loc"][1:])
    if place == "schema_version":
        return f"it says schema_version {problem['input']!r}"
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])


@cache
def _moment() -> TypeAdapter[AwareDatetime]:
    return TypeAdapter(AwareDatetime)


@cache
def _summary() -> TypeAdapter[SessionSummary]:
    return TypeAdapter(SessionSummary)


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Annotated[Record, Field(discriminator="kind")])
