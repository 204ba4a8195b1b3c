"""Reads pictures whose faces are labelled, to evaluate detectors by. Pictures are decoded one by one, when asked for.

A Parquet file has a row for each picture: ``image`` (encoded) and ``boxes`` (``[x, y, width, height]`` a face, pixels);
and, where they are known, ``landmarks`` (ten numbers a face: x, y of right eye, left eye, nose, right and left mouth
corner), ``uncertain_boxes`` (neither face nor background), ``name`` and ``person``.

A folder holds pictures and ``boxes.csv`` with a line for each face and the columns ``file``, ``x``, ``y``, ``width``,
``height``; and, if wanted, ``uncertain`` (1 for neither face nor background), ``person``, and the ten columns
``POINT_COLUMNS`` (``right_eye_x``, ``right_eye_y`` and so on). A line whose four numbers are empty says that the
picture shows no face. Pictures that no line names are not read.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mien import Box, InputError, MissingDependencyError
from mien_face.detection.base import Pixels
from mien_face_lab.decoding import decode_rgb

CSV_NAME: Final = "boxes.csv"
BOX_COLUMNS: Final = ("x", "y", "width", "height")
POINT_COLUMNS: Final = tuple(
    f"{point}_{axis}" for point in ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth") for axis in "xy"
)

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """A face that somebody labelled.

    Attributes:
        box: Pixels.
        landmarks: Right eye, left eye, nose, right and left mouth corner (x, y) in pixels; empty where unknown.
    """

    box: Box
    landmarks: Points = ()


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture whose faces are known.

    Attributes:
        source: The file and row that it comes from, for messages.
        image: Encoded, or the path of a file.
        faces: All of them.
        uncertain: Boxes that are neither face nor background.
        name: Of the picture; empty where unknown.
        person: Whom it shows; empty where unknown.
        group: Of the pictures that figures are given for apart; empty where nobody asks.
    """

    source: str
    image: bytes | Path
    faces: tuple[LabelledFace, ...]
    uncertain: tuple[Box, ...] = ()
    name: str = ""
    person: str = ""
    group: str = ""

    def decode(self) -> Pixels:
        """The picture itself.

        Raises:
            InputError: It cannot be read or decoded.
        """
        content = _read_bytes(self.source, self.image) if isinstance(self.image, Path) else self.image
        picture = decode_rgb(content)
        if picture is None:
            raise InputError(f"{self.source}: the picture cannot be decoded; expected JPEG, PNG or WebP")
        return picture


def read_pictures(path: Path, *, group: str | None = None) -> list[LabelledPicture]:
    """Read a Parquet file, or a folder with ``boxes.csv``.

    Args:
        path: Of the file or folder.
        group: The column that says to which group a picture belongs.

    Raises:
        InputError: There is no such file, a column is missing, it names no picture, or a row is wrong (named).
        MissingDependencyError: A Parquet file is given and pyarrow is not installed.
    """
    if path.is_dir():
        pictures = _read_folder(path, group)
    elif path.is_file():
        pictures = _read_parquet(path, group)
    else:
        raise InputError(f"there is no file {path}; expected a Parquet file of pictures, or a folder with {CSV_NAME}")
    if not pictures:
        raise InputError(f"{path} names no picture")
    return pictures


def _read_bytes(source: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{source}: cannot read {path}: {error.strerror}") from error


def _read_parquet(file: Path, group: str | None) -> list[LabelledPicture]:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingDependencyError("reading Parquet files needs pyarrow: pip install 'mien[train]'") from error
    optional = ("landmarks", "uncertain_boxes", "name", "person")
    try:
        table = parquet.ParquetFile(file)
        present = table.schema_arrow.names
        needed = ["image", "boxes", *([group] if group else [])]
        missing = [column for column in needed if column not in present]
        if missing:
            raise InputError(f"{file} lacks the columns {', '.join(missing)}; expected {' and '.join(needed)}")
        wanted = list(dict.fromkeys([*needed, *(column for column in optional if column in present)]))
        rows: list[dict[str, Any]] = table.read(columns=wanted).to_pylist()
    except arrow.ArrowException as error:
        raise InputError(f"{file} is not a readable Parquet file: {error}") from error
    return [_from_row(f"{file}, row {number}", row, group) for number, row in enumerate(rows)]


def _from_row(source: str, row: Mapping[str, Any], group: str | None) -> LabelledPicture:
    if not isinstance(row["image"], bytes):
        raise InputError(f"{source}: image must be the bytes of a picture, got {type(row['image']).__name__}")
    boxes = [_box(f"{source}: boxes", numbers) for numbers in row["boxes"] or ()]
    points = [_points(f"{source}: landmarks", numbers) for numbers in row.get("landmarks") or ()]
    if points and len(points) != len(boxes):
        raise InputError(f"{source}: {len(boxes)} boxes but {len(points)} sets of landmarks")
    return LabelledPicture(
        source,
        row["image"],
        tuple(LabelledFace(box, points[index] if points else ()) for index, box in enumerate(boxes)),
        tuple(_box(f"{source}: uncertain_boxes", numbers) for numbers in row.get("uncertain_boxes") or ()),
        name=row.get("name") or "",
        person=row.get("person") or "",
        group=_group(row[group]) if group else "",
    )


@dataclass(slots=True)
class _Collected:
    """What the lines so far say of one picture."""

    source: str
    person: str
    group: str
    faces: list[LabelledFace]
    uncertain: list[Box]


def _read_folder(folder: Path, group: str | None) -> list[LabelledPicture]:
    file = folder / CSV_NAME
    if not file.is_file():
        raise InputError(f"there is no file {file}; a folder of pictures needs one with a line for each face")
    pictures: dict[str, _Collected] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            needed = ["file", *BOX_COLUMNS, *([group] if group else [])]
            missing = [column for column in needed if column not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"{file} lacks the columns {', '.join(missing)}; expected {', '.join(needed)}")
            for line in reader:
                _take_line(pictures, f"{file}, line {reader.line_num}", line, group)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} is not a CSV file in UTF-8: {error}") from error
    return [
        LabelledPicture(
            found.source,
            folder / name,
            tuple(found.faces),
            tuple(found.uncertain),
            name=name,
            person=found.person,
            group=found.group,
        )
        for name, found in pictures.items()
    ]


def _take_line(pictures: dict[str, _Collected], source: str, line: Mapping[str, str | None], group: str | None) -> None:
    name = (line["file"] or "").strip()
    if not name:
        raise InputError(f"{source}: file is empty")
    belongs = _group((line[group] or "").strip()) if group else ""
    picture = pictures.setdefault(name, _Collected(source, (line.get("person") or "").strip(), belongs, [], []))
    numbers = [(line[column] or "").strip() for column in BOX_COLUMNS]
    if not any(numbers):
        return
    box = _box(f"{source}: {', '.join(BOX_COLUMNS)}", numbers)
    points = [(line.get(column) or "").strip() for column in POINT_COLUMNS]
    landmarks = _points(f"{source}: landmarks", points) if any(points) else ()
    uncertain = (line.get("uncertain") or "0").strip()
    if uncertain not in ("0", "1"):
        raise InputError(f"{source}: uncertain must be 0 or 1, got {uncertain!r}")
    if uncertain == "1":
        picture.uncertain.append(box)
    else:
        picture.faces.append(LabelledFace(box, landmarks))


def _group(value: object) -> str:
    """A group's name; pictures of which the column says nothing are a group too."""
    return "unknown" if value is None or value == "" else str(value)


def _box(source: str, numbers: Sequence[Any]) -> Box:
    x, y, width, height = _numbers(source, numbers, len(BOX_COLUMNS))
    if width <= 0 or height <= 0:
        raise InputError(f"{source}: a box needs a width and a height over 0, got {width:g} x {height:g}")
    return Box(x, y, width, height)


def _points(source: str, numbers: Sequence[Any]) -> Points:
    values = _numbers(source, numbers, len(POINT_COLUMNS))
    return tuple(zip(values[::2], values[1::2], strict=True))


def _numbers(source: str, numbers: Sequence[Any], count: int) -> list[float]:
    try:
        values = [float(number) for number in numbers]
    except (TypeError, ValueError):
        values = []
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise InputError(f"{source}: expected {count} numbers, got {list(numbers)}")
    return values
