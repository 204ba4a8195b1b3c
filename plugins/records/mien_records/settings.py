"""The table ``[plugins.records]``: what is recorded, and where to. Each file is off until its table names a path."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

MAX_NAME_LENGTH = 128


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _FileTable(_Table):
    path: Path

    @field_validator("path")
    @classmethod
    def _names_a_file(cls, value: Path) -> Path:
        if not value.name:
            raise ValueError("must name a file")
        return value.expanduser()


class FileSettings(_FileTable):
    """``[plugins.records.jsonl]`` and ``[plugins.records.csv]``.

    Attributes:
        path: The file; its folder is made where it is missing.
        max_bytes: A file that would grow larger is renamed to ``path.1``, and a new one is begun.
        keep: How many renamed files are kept.
    """

    max_bytes: Annotated[int, Field(ge=1024)] = 50_000_000
    keep: Annotated[int, Field(ge=1, le=1000)] = 9


class SqliteSettings(_FileTable):
    """``[plugins.records.sqlite]``.

    Attributes:
        path: The database; its folder is made where it is missing.
        busy_seconds: How long one write waits for somebody else's lock.
    """

    busy_seconds: Annotated[float, Field(ge=0.0, le=10.0)] = 0.25


class DriftSettings(_FileTable):
    """``[plugins.records.drift]``: what each site's pictures were like at first, and are like now.

    Attributes:
        path: A small file that keeps it from one start to the next; its folder is made where it is missing.
        commissioning_visits: A site's first visits, which later ones are held against.
    """

    commissioning_visits: Annotated[int, Field(ge=10, le=100_000)] = 100


class RecordsSettings(_Table):
    """``[plugins.records]``.

    Attributes:
        site: The place, for records whose session names none.
        source: What records here, such as the name of a till: of a session rather than its camera or video, else where
            no file is named.
        kinds: What is recorded: ``summary`` of each session, ``analysis`` of what is analysed outside of any.
        moments: Record each picture and utterance of a session, too; without it a session is one record.
        transcripts: Record what customers said, unless it was redacted. Pictures and sound are never recorded.
        jsonl: JSON lines; none where the table is missing, as with the next two.
        csv: A table with one row a record.
        sqlite: A database.
        drift: A running watch over light, size, quality and expressions.
    """

    site: Annotated[str, Field(max_length=MAX_NAME_LENGTH)] = ""
    source: Annotated[str, Field(max_length=MAX_NAME_LENGTH)] = ""
    kinds: frozenset[Literal["analysis", "summary"]] = frozenset({"analysis", "summary"})
    moments: bool = False
    transcripts: bool = False
    jsonl: FileSettings | None = None
    csv: FileSettings | None = None
    sqlite: SqliteSettings | None = None
    drift: DriftSettings | None = None

    @property
    def has_files(self) -> bool:
        """Whether anything is to be written."""
        return any(file is not None for file in (self.jsonl, self.csv, self.sqlite, self.drift))
