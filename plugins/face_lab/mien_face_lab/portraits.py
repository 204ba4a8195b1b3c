"""Reads labelled portraits in colour, whole pictures in which the face is yet to be found. They are decoded when asked.

A Parquet file has a row for each: ``image`` (encoded), ``person`` (whom it shows) and ``expression``, a word of FER+'s
or empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import InputError, MissingDependencyError
from mien_face.detection.base import Pixels
from mien_face.labels import FERPLUS_LABELS
from mien_face_lab.decoding import decode_rgb

COLUMNS: Final = ("image", "person", "expression")


_KEPT_BACK_TENTHS: Final = 2


def is_kept_back(person: str) -> bool:
    """Whether a person's portraits are for judging alone, never to learn from: a fifth of all persons.

    The same on every machine and for ever; the persons of the detector's validation part are among them.
    """
    digest = hashlib.sha256(person.encode()).digest()
    return int.from_bytes(digest[:4], "big") % 10 < _KEPT_BACK_TENTHS


@dataclass(frozen=True, slots=True)
class Portrait:
    """A labelled portrait.

    Attributes:
        source: The file and row that it comes from, for messages.
        image: Encoded.
        person: Whom it shows; where that is unknown, nobody whom another portrait shows.
        expression: Of ``FERPLUS_LABELS``; empty where unknown.
    """

    source: str
    image: bytes = field(repr=False)
    person: str
    expression: str

    def decode(self) -> Pixels:
        """The picture itself.

        Raises:
            InputError: It cannot be decoded.
        """
        picture = decode_rgb(self.image)
        if picture is None:
            raise InputError(f"{self.source}: the picture cannot be decoded; expected JPEG, PNG or WebP")
        return picture


@dataclass(frozen=True, slots=True)
class Portraits:
    """A file of portraits.

    Attributes:
        name: Of the file.
        rows: At least one.
    """

    name: str
    rows: tuple[Portrait, ...]

    def digest(self) -> str:
        """A fingerprint of pictures, persons and labels, in their order."""
        fingerprint = hashlib.sha256()
        for each in self.rows:
            for part in (each.image, each.person.encode(), each.expression.encode()):
                fingerprint.update(len(part).to_bytes(8, "big") + part)
        return fingerprint.hexdigest()[:16]


@dataclass(frozen=True, slots=True, eq=False)
class CutPortraits:
    """Portraits as the product's detector cuts them.

    Attributes:
        crops: uint8 ``[n, 48, 48]``.
        persons: Whom each shows.
        expressions: Of ``FERPLUS_LABELS``; empty where unknown.
    """

    crops: npt.NDArray[np.uint8]
    persons: Sequence[str]
    expressions: Sequence[str]


def read_portraits(file: Path) -> Portraits:
    """Read a Parquet file.

    Raises:
        InputError: There is no such file, a column is missing, it has no rows, or a row is wrong (named).
        MissingDependencyError: pyarrow is not installed.
    """
    if not file.is_file():
        raise InputError(f"there is no file {file}; expected a Parquet file of portraits")
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingDependencyError("reading Parquet files needs pyarrow: pip install 'mien[train]'") from error
    try:
        table = parquet.ParquetFile(file)
        missing = [column for column in COLUMNS if column not in table.schema_arrow.names]
        if missing:
            raise InputError(f"{file} lacks the columns {', '.join(missing)}; expected {', '.join(COLUMNS)}")
        rows: list[dict[str, Any]] = table.read(columns=list(COLUMNS)).to_pylist()
    except arrow.ArrowException as error:
        raise InputError(f"{file} is not a readable Parquet file: {error}") from error
    if not rows:
        raise InputError(f"{file} holds no portraits")
    return Portraits(file.name, tuple(_portrait(file, number, row) for number, row in enumerate(rows)))


def _portrait(file: Path, number: int, row: Mapping[str, Any]) -> Portrait:
    source = f"{file}, row {number}"
    image, expression = row["image"], row["expression"] or ""
    if not isinstance(image, bytes):
        raise InputError(f"{source}: image must be the bytes of a picture, got {type(image).__name__}")
    if expression and expression not in FERPLUS_LABELS:
        raise InputError(
            f"{source}: expression must be empty or one of {', '.join(FERPLUS_LABELS)}; got {expression!r}"
        )
    person = str(row["person"] or "") or f"row {number}"
    return Portrait(source, image, person, expression)
