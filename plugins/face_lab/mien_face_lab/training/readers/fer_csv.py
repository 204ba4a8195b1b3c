"""Reads Kaggle's ``fer2013.csv``, and FER+'s ``fer2013new.csv`` beside it where there is one.

A row is an emotion (0-6), 2,304 grey levels in rows from the top left, and the part that it belongs to. FER+'s file has
the votes for the same rows in the same order; rows to which it gives no picture's name are not faces.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mien import InputError
from mien_face.config import INPUT_SIZE
from mien_face.labels import FER2013_LABELS
from mien_face_lab.training.faces import VOTE_COLUMNS, FaceData, Skipped
from mien_face_lab.training.prepare import Preparation, prepare_crops
from mien_face_lab.training.splitting import ALL, part_of

DESCRIPTION: Final = "Kaggle's fer2013.csv (emotion, pixels, Usage), or a folder with it"
NAME: Final = "fer2013.csv"
VOTES_NAME: Final = "fer2013new.csv"

USAGES: Final[Mapping[str, str]] = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
"""Kaggle's name of a part -> ours."""

PIXELS: Final = INPUT_SIZE * INPUT_SIZE

VOTES: Final = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
"""FER+'s columns of votes, in the order of ``VOTE_COLUMNS``."""

_LONGEST_FIELD: Final = 1 << 20

Votes: TypeAlias = npt.NDArray[np.float32]


class WrongRowError(Exception):
    """A row cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A face of the file.

    Attributes:
        number: From 0, the heading not counted.
        usage: As the file has it; None where the file has no such column.
        label: 0-6.
        crop: uint8 ``[48, 48]``.
        group: What stands in the column that was asked for; empty where none was.
    """

    number: int
    usage: str | None
    label: int
    crop: npt.NDArray[np.uint8]
    group: str = ""


def found(path: Path, part: str) -> Path | None:
    """A CSV file, or ``fer2013.csv`` in a folder."""
    del part  # one file holds all parts
    if path.is_dir():
        file = path / NAME
        return file if file.is_file() else None
    return path if path.suffix == ".csv" else None


def parts(place: Path) -> frozenset[str]:
    """Those of Kaggle's column ``Usage``; none where it is missing."""
    has_usage = any(isinstance(row, Row) and row.usage is not None for row in islice(_read_rows(place), 1))
    return frozenset(USAGES.values()) if has_usage else frozenset()


def read(place: Path, *, part: str, seed: int, preparation: Preparation, group: str | None) -> FaceData:
    """Read the part's rows; wrong rows are listed as skipped.

    Raises:
        InputError: The columns are not Kaggle's, FER+'s file does not fit, or no row is left.
    """
    votes = _read_votes(place.parent / VOTES_NAME)
    rows: list[Row] = []
    skipped: list[Skipped] = []
    count = 0
    for number, row in enumerate(_read_rows(place, group)):
        count += 1
        where = f"{place}, row {number} (line {number + 2})"
        try:
            if isinstance(row, WrongRowError):
                raise row
            own = part_of(str(number), seed=seed) if row.usage is None else USAGES[row.usage]
            if part not in (own, ALL):
                continue
            if votes is not None and number in votes and votes[number] is None:
                raise WrongRowError(f"{VOTES_NAME} says that it is not a face")
            rows.append(row)
        except WrongRowError as error:
            skipped.append(Skipped(where, str(error)))
    if votes is not None and len(votes) != count:
        raise InputError(f"{place.parent / VOTES_NAME} has {len(votes)} rows, {place} has {count}: they must match")
    if not rows:
        first = f"; the first row that was skipped: {skipped[0].where}: {skipped[0].why}" if skipped else ""
        raise InputError(f"{place} holds no faces of the part {part!r}{first}")
    data = FaceData(
        np.stack([row.crop for row in rows]),
        np.array([row.label for row in rows], np.int64),
        _votes_of(rows, votes or {}),
        skipped=tuple(skipped),
        groups=np.array([row.group for row in rows]) if group else None,
    )
    return prepare_crops(data, preparation, source=str(place))


def _votes_of(rows: list[Row], votes: Mapping[int, Votes | None]) -> Votes:
    nothing = np.zeros(len(VOTE_COLUMNS), np.float32)
    found = [votes.get(row.number) for row in rows]
    return np.stack([nothing if each is None else each for each in found])


def parse_row(number: int, fields: Mapping[str, str | None], group: str | None = None) -> Row:
    """Check a row.

    Args:
        number: From 0, the heading not counted.
        fields: By column.
        group: Column of its group.

    Raises:
        WrongRowError: It is wrong, and why.
    """
    emotion, usage = fields.get("emotion") or "", fields.get("Usage")
    if not emotion.isascii() or not emotion.isdigit() or len(emotion) > 1 or int(emotion) >= len(FER2013_LABELS):
        raise WrongRowError(f"the emotion must be 0-6, got {emotion!r}")
    if usage is not None and usage not in USAGES:
        raise WrongRowError(f"the usage must be {', '.join(USAGES)}, got {usage!r}")
    words = (fields.get("pixels") or "").split()
    if len(words) != PIXELS:
        raise WrongRowError(f"expected {PIXELS} values ({INPUT_SIZE}x{INPUT_SIZE}), got {len(words)}")
    wrong = next((word for word in words if not _is_grey_level(word)), None)
    if wrong is not None:
        raise WrongRowError(f"values must be whole numbers from 0 to 255, got {wrong[:12]!r}")
    crop = np.array([int(word) for word in words], np.uint8).reshape(INPUT_SIZE, INPUT_SIZE)
    return Row(number, usage, int(emotion), crop, (fields.get(group) or "") if group else "")


def _is_grey_level(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 3 and int(word) <= 255


def _read_rows(file: Path, group: str | None = None) -> Iterator[Row | WrongRowError]:
    with _OpenedCsv(file, ("emotion", "pixels", *([group] if group else []))) as rows:
        for number, fields in enumerate(rows):
            try:
                yield parse_row(number, fields, group)
            except WrongRowError as error:
                yield error


def _read_votes(file: Path) -> dict[int, Votes | None] | None:
    """FER+'s votes by row; None for what is not a face. None at all where there is no such file."""
    if not file.is_file():
        return None
    result: dict[int, Votes | None] = {}
    with _OpenedCsv(file, ("Image name", *VOTES)) as rows:
        for number, fields in enumerate(rows):
            try:
                counts = np.array([int(fields[name] or "") for name in VOTES], np.float32)
            except ValueError as error:
                raise InputError(f"{file}, row {number} (line {number + 2}): votes must be whole numbers") from error
            result[number] = counts if (fields["Image name"] or "").strip() else None
    return result


class _OpenedCsv:
    """A CSV file as dictionaries, its columns checked."""

    def __init__(self, file: Path, columns: tuple[str, ...]) -> None:
        self._path = file
        self._columns = columns

    def __enter__(self) -> Iterator[dict[str, str | None]]:
        csv.field_size_limit(_LONGEST_FIELD)
        self._file = self._path.open(newline="", encoding="utf-8", errors="replace")
        reader = csv.DictReader(self._file)
        names = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        missing = [column for column in self._columns if column not in names]
        if missing:
            self._file.close()
            raise InputError(
                f"{self._path} lacks the columns {', '.join(missing)}; expected {', '.join(self._columns)}"
            )
        return self._rows(reader)

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _rows(self, reader: csv.DictReader[str]) -> Iterator[dict[str, str | None]]:
        try:
            yield from reader
        except csv.Error as error:
            raise InputError(f"{self._path}, line {reader.line_num}: not CSV: {error}") from error
