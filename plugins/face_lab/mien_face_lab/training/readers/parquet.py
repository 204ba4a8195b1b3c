"""Reads mien's own parquet files: encoded 48x48 pictures with FER2013's label and FER+'s votes."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import InputError, MissingDependencyError
from mien_face.config import INPUT_SIZE
from mien_face.labels import FER2013_LABELS
from mien_face_lab.decoding import decode_grey
from mien_face_lab.training.faces import COLUMNS, VOTE_COLUMNS, FaceData
from mien_face_lab.training.prepare import Preparation, prepare_crops
from mien_face_lab.training.splitting import ALL

DESCRIPTION: Final = "a parquet file with the columns image, emotion and votes_*, or a folder with train.parquet"

FILES: Final = ("train", "validation", "test")
"""Parts that a folder may have a file of."""


def found(path: Path, part: str) -> Path | None:
    """A parquet file, or the part's in a folder."""
    if path.is_dir() and part == ALL:
        return path if parts(path) else None
    if path.is_dir():
        file = path / f"{part}.parquet"
        return file if file.is_file() else None
    return path if path.suffix == ".parquet" else None


def parts(place: Path) -> frozenset[str]:
    """Those that have a file in a folder; a file is not split."""
    return frozenset(part for part in FILES if place.is_dir() and (place / f"{part}.parquet").is_file())


def read(place: Path, *, part: str, seed: int, preparation: Preparation, group: str | None) -> FaceData:
    """Read a file, which is one part, whichever is asked for; of a folder all of them.

    Raises:
        InputError: A column is missing, it holds no rows, or a row is wrong (named).
        MissingDependencyError: pyarrow is not installed.
    """
    del part, seed  # the file itself is one part
    if place.is_dir():
        files = [place / f"{each}.parquet" for each in FILES if each in parts(place)]
        return reduce(FaceData.joined, (_read_file(file, preparation, group) for file in files))
    return _read_file(place, preparation, group)


def _read_file(place: Path, preparation: Preparation, group: str | None) -> FaceData:
    wanted = [*COLUMNS, *([group] if group else [])]
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingDependencyError("reading training data needs pyarrow: pip install 'mien[train]'") from error
    try:
        table = parquet.ParquetFile(place)
        missing = [column for column in wanted if column not in table.schema_arrow.names]
        if missing:
            raise InputError(f"{place} lacks the columns {', '.join(missing)}; expected {', '.join(wanted)}")
        columns: dict[str, list[Any]] = table.read(columns=wanted).to_pydict()
    except arrow.ArrowException as error:
        raise InputError(f"{place} is not a readable parquet file: {error}") from error
    faces = _from_columns(place, columns)
    if group:
        faces = replace(faces, groups=np.array([str(each) for each in columns[group]]))
    return prepare_crops(faces, preparation, source=str(place))


def _from_columns(file: Path, columns: dict[str, list[Any]]) -> FaceData:
    count = len(columns["emotion"])
    if count == 0:
        raise InputError(f"{file} holds no faces")
    for name in COLUMNS:
        if any(value is None for value in columns[name]):
            raise InputError(f"{file}, row {columns[name].index(None)}: {name} is empty")
    labels = np.array(columns["emotion"], np.int64)
    wrong = np.flatnonzero((labels < 0) | (labels >= len(FER2013_LABELS)))
    if len(wrong):
        raise InputError(f"{file}, row {wrong[0]}: emotion must be 0-6, got {labels[wrong[0]]}")
    votes = np.array([columns[name] for name in VOTE_COLUMNS], np.float32).T
    if votes.min() < 0:
        raise InputError(f"{file}, row {np.argmin(votes.min(axis=1))}: a count of votes is negative")
    crops = np.stack([_decode(file, row, image) for row, image in enumerate(columns["image"])])
    return FaceData(crops, labels, np.ascontiguousarray(votes))


def _decode(file: Path, row: int, image: bytes) -> npt.NDArray[np.uint8]:
    crop = decode_grey(image)
    if crop is None:
        raise InputError(f"{file}, row {row}: the picture cannot be decoded")
    if crop.shape != (INPUT_SIZE, INPUT_SIZE):
        raise InputError(f"{file}, row {row}: the picture must be {INPUT_SIZE}x{INPUT_SIZE}, got {crop.shape}")
    return crop
