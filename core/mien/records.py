"""Records: what is kept of results, as JSON lines. One shape for the command line, the sinks and the reports.

A record says when, where and of which session, and holds one thing under the key that its ``kind`` names: a result, a
session's summary, or why an input could not be analysed. The shape is what the types say, field for field, with enums
by value; ``schema()`` publishes it as JSON Schema. Where records are written to is not this module's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from mien.errors import InputError
from mien.redaction import redacted
from mien.session import SessionSummary
from mien.types import AnalysisResult

SCHEMA_VERSION: Final = 1
"""Goes up when a reader of the old shape would misread the new one; new fields alone do not raise it."""


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


Record: TypeAlias = AnalysisRecord | SummaryRecord | FailureRecord
"""Any record."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record: its number, from 1, and why."""

    number: int
    reason: str


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
    """The records in JSON lines, in order; empty lines are passed over, those that are no records are named."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield from_json(line)
        except InputError as error:
            yield BadLine(number, str(error))


def without_words(record: Record) -> Record:
    """The same record without what the customer said."""
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


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    # The first part of the place is the kind that the union was resolved to, not a key.
    place = ".".join(str(part) for part in problem["loc"][1:])
    if place == "schema_version":
        return f"it says schema_version {problem['input']!r}"
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Annotated[Record, Field(discriminator="kind")])
