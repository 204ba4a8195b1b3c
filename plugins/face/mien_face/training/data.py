"""Reads labelled faces into memory; augmenting and batching happen elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import InputError, MissingDependencyError
from mien_face.config import INPUT_SIZE
from mien_face.labels import FER2013_LABELS

VOTE_COLUMNS: Final = (
    "votes_neutral",
    "votes_happiness",
    "votes_surprise",
    "votes_sadness",
    "votes_anger",
    "votes_disgust",
    "votes_fear",
    "votes_contempt",
    "votes_unknown",
    "votes_NF",
)
"""FER+'s votes: the eight emotions in the order of ``FERPLUS_LABELS``, then unknown and not-a-face."""

COLUMNS: Final = ("image", "emotion", *VOTE_COLUMNS)


@dataclass(frozen=True, slots=True, eq=False)
class FaceData:
    """Labelled faces.

    Attributes:
        crops: uint8 grey, ``[count, 48, 48]``.
        labels: int64, ``[count]``: positions in ``FER2013_LABELS``.
        votes: float32, ``[count, 10]``: FER+ votes as in ``VOTE_COLUMNS``.
    """

    crops: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def head(self, count: int) -> FaceData:
        """The first ``count`` faces."""
        return FaceData(self.crops[:count], self.labels[:count], self.votes[:count])


def read_faces(path: Path, *, part: str = "train") -> FaceData:
    """Read a parquet file, or ``<part>.parquet`` in a folder.

    Raises:
        InputError: There is no such file, a column is missing, it holds no rows, or a row is wrong (named).
        MissingDependencyError: pyarrow is not installed.
    """
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingDependencyError("reading training data needs pyarrow: pip install 'mien[train]'") from error
    file = path / f"{part}.parquet" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"there is no file {file}; expected a parquet file of faces, or a folder with {part}.parquet")
    try:
        table = parquet.ParquetFile(file)
        missing = [column for column in COLUMNS if column not in table.schema_arrow.names]
        if missing:
            raise InputError(f"{file} lacks the columns {', '.join(missing)}; expected {', '.join(COLUMNS)}")
        columns: dict[str, list[Any]] = table.read(columns=list(COLUMNS)).to_pydict()
    except arrow.ArrowException as error:
        raise InputError(f"{file} is not a readable parquet file: {error}") from error
    return _from_columns(file, columns)


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
    crop = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_GRAYSCALE) if image else None
    if crop is None:
        raise InputError(f"{file}, row {row}: the picture cannot be decoded")
    if crop.shape != (INPUT_SIZE, INPUT_SIZE):
        raise InputError(f"{file}, row {row}: the picture must be {INPUT_SIZE}x{INPUT_SIZE}, got {crop.shape}")
    return np.asarray(crop, np.uint8)
