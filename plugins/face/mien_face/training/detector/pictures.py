"""Labelled photographs, as they are read from Parquet files. Nothing is drawn or changed here.

Boxes are left, top, right, bottom and landmarks (x, y), in pixels of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import InputError, MissingDependencyError
from mien_face.detection.config import LANDMARKS
from mien_face.training.detector.split import Part, part_of

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

PORTRAITS: Final = "portraits.parquet"
PEOPLE: Final = "people.parquet"
SCENES: Final = "scenes.parquet"

SURE_SCORE: Final = 0.905
"""In scenes, faces that their labeller gave less are not believed: looking through them, nearly all were animals."""

_COLUMNS: Final = ["name", "image", "boxes", "landmarks", "scores", "uncertain_boxes", "person"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A labelled photograph.

    Attributes:
        name: Of its file.
        encoded: JPEG or another format that OpenCV reads.
        boxes: Of the faces, ``[faces, 4]``.
        landmarks: Of the faces, ``[faces, 5, 2]``.
        ignored: Boxes that are neither face nor background, ``[boxes, 4]``.
    """

    name: str
    encoded: bytes = field(repr=False)
    boxes: Floats
    landmarks: Floats
    ignored: Floats

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on it that is or might be a face."""
        return len(self.boxes) == 0 and len(self.ignored) == 0

    def pixels(self) -> Pixels:
        """Decode it: RGB, ``[height, width, 3]``; do not change the array, which is kept.

        Raises:
            InputError: It cannot be decoded.
        """
        return _decode(self.name, self.encoded)


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """All that canvases are made from, or all that is validated on.

    Attributes:
        portraits: Tight pictures of one face each.
        people: Everyday photographs of people.
        scenes: Photographs of anything; few have faces.
    """

    portraits: tuple[Picture, ...]
    people: tuple[Picture, ...]
    scenes: tuple[Picture, ...]


def read_pictures(folder: Path, part: Part) -> Pictures:
    """Read one part of a folder's pictures.

    Args:
        folder: With ``portraits.parquet``, ``people.parquet`` and ``scenes.parquet``.
        part: Which part.

    Raises:
        InputError: A file cannot be read, lacks a column, or has no picture in this part.
        MissingDependencyError: pyarrow is missing.
    """
    return Pictures(
        portraits=tuple(each for each in _read(folder / PORTRAITS, part) if len(each.boxes) == 1),
        people=_read(folder / PEOPLE, part),
        scenes=_read(folder / SCENES, part, sure=SURE_SCORE),
    )


def _read(path: Path, part: Part, *, sure: float = 0.0) -> tuple[Picture, ...]:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import read_table
    except ImportError as error:
        raise MissingDependencyError("training needs pyarrow: pip install 'mien[train]'") from error
    try:
        rows = read_table(path, columns=_COLUMNS).to_pylist()
    except (OSError, ArrowInvalid) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    except KeyError as error:
        raise InputError(f"{path} lacks a column; it needs {', '.join(_COLUMNS)}") from error
    chosen = tuple(_picture(row, sure) for row in rows if part_of(name=row["name"], person=row["person"]) is part)
    if not chosen:
        raise InputError(f"{path} has no picture for {part}; bring more")
    return chosen


def _picture(row: dict[str, object], sure: float) -> Picture:
    boxes, uncertain = _corners(row["boxes"]), _corners(row["uncertain_boxes"])
    believed = np.asarray(row["scores"], np.float32).reshape(-1) >= sure
    return Picture(
        name=str(row["name"]),
        encoded=bytes(row["image"]),  # type: ignore[arg-type]
        boxes=boxes[believed],
        landmarks=np.asarray(row["landmarks"], np.float32).reshape(-1, LANDMARKS, 2)[believed],
        ignored=np.concatenate([uncertain, boxes[~believed]]),
    )


def _corners(boxes: object) -> Floats:
    """From x, y, width, height to left, top, right, bottom; boxes without an area are dropped."""
    sizes = np.asarray(boxes, np.float32).reshape(-1, 4)
    corners: Floats = np.concatenate([sizes[:, :2], sizes[:, :2] + sizes[:, 2:]], axis=1)
    return corners


@lru_cache(maxsize=20_000)
def _decode(name: str, encoded: bytes) -> Pixels:
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise InputError(f"{name} cannot be decoded")
    return np.asarray(decoded, np.uint8)
