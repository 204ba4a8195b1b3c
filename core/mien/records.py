"""Results as JSON: one shape for the command line, the sinks and the reports, generated from the types.

The shape is what ``mien.types`` says, field for field, with enums by value; ``schema()`` publishes it. Where records
are written to is not this module's business.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from mien.errors import InputError
from mien.types import AnalysisResult

SCHEMA_VERSION: Final = 1
"""Goes up when a reader of the old shape would misread the new one; new fields alone do not raise it."""


def to_record(result: AnalysisResult) -> dict[str, Any]:
    """A result as JSON values."""
    record: dict[str, Any] = _adapter().dump_python(result, mode="json")
    return record


def from_record(record: object) -> AnalysisResult:
    """The result that ``to_record`` was given.

    Raises:
        InputError: The values are not of the published shape; the first problem is named.
    """
    try:
        return _adapter().validate_python(record)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the record"
        raise InputError(f"not a result of schema version {SCHEMA_VERSION}: {where}: {problem['msg']}") from error


def schema() -> dict[str, Any]:
    """The JSON Schema of a record."""
    generated = _adapter().json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mien:result:{SCHEMA_VERSION}",
        **generated,
    }


@cache
def _adapter() -> TypeAdapter[AnalysisResult]:
    return TypeAdapter(AnalysisResult)
