"""A school's files: its data, ``pool.npz``, ``exam.npz`` and ``start.npz``, with crops as one JPEG or as they are.

Crops fill a square of them whose cells are multiples of JPEG's blocks, so that no face touches another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from mien_face.config import INPUT_SIZE, Arrays
from mien_face.labels import Head
from mien_face_lab.training.school.pool import Pool

Crops = npt.NDArray[np.uint8]

STUDENTS_FILE: Final = "students.npz"
LARGE_FILE: Final = "large.npz"
REPORT_FILE: Final = "report.json"
"""What a term leaves behind: averaged arrays as ``<student>/<array>``, and what was noted."""

LOSSLESS: Final = 0
"""In the place of a JPEG's quality."""


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """Faces that nobody learns from.

    Attributes:
        crops: uint8 ``[n, 48, 48]``.
        labels: FER2013 labels, ``[n]``; -1 where there is none.
        majority: FER+'s majority, ``[n]``; -1 likewise.
        kinds: Of portraits: 0 neutral, 1 smiling, 2 negative, ``[n]``; -1 where it is none.
    """

    crops: Crops
    labels: npt.NDArray[np.int64]
    majority: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]


def save_pool(folder: Path, pool: Pool, *, quality: int = LOSSLESS) -> None:
    """Write ``pool.npz``."""
    kept: dict[str, Any] = {
        "crops": _packed(pool.crops, quality),
        "count": len(pool),
        "chances": pool.chances.astype(np.float16),
        "shown": pool.shown,
    }
    for head in Head:
        kept[f"values.{head}"] = pool.values[head].astype(np.float16)
        kept[f"weights.{head}"] = pool.weights[head].astype(np.float16)
    np.savez_compressed(folder / "pool.npz", **kept)


def load_pool(folder: Path) -> Pool:
    """Read ``pool.npz``."""
    with np.load(folder / "pool.npz") as stored:
        return Pool(
            crops=_unpacked(stored["crops"], int(stored["count"])),
            values={head: stored[f"values.{head}"].astype(np.float32) for head in Head},
            weights={head: stored[f"weights.{head}"].astype(np.float32) for head in Head},
            chances=stored["chances"].astype(np.float32),
            shown=stored["shown"],
        )


def save_exam(folder: Path, exam: Exam, *, quality: int = LOSSLESS) -> None:
    """Write ``exam.npz``."""
    np.savez_compressed(
        folder / "exam.npz",
        crops=_packed(exam.crops, quality),
        labels=exam.labels,
        majority=exam.majority,
        kinds=exam.kinds,
    )


def load_exam(folder: Path) -> Exam:
    """Read ``exam.npz``."""
    with np.load(folder / "exam.npz") as stored:
        labels = stored["labels"]
        return Exam(_unpacked(stored["crops"], len(labels)), labels, stored["majority"], stored["kinds"])


def save_start(folder: Path, arrays: Arrays) -> None:
    """Write ``start.npz``: the given weights, kernels in half precision."""
    kept: dict[str, Any] = {
        name: array.astype(np.float16 if name.endswith(".kernel") else np.float32) for name, array in arrays.items()
    }
    np.savez(folder / "start.npz", **kept)


def load_start(folder: Path) -> Arrays:
    """Read ``start.npz``."""
    with np.load(folder / "start.npz") as stored:
        return {name: stored[name].astype(np.float32) for name in stored}


def _packed(crops: Crops, quality: int) -> npt.NDArray[np.uint8]:
    if quality == LOSSLESS:
        return crops
    side = math.ceil(math.sqrt(len(crops)))
    cells = np.full((side * side, INPUT_SIZE, INPUT_SIZE), 128, np.uint8)
    cells[: len(crops)] = crops
    square = cells.reshape(side, side, INPUT_SIZE, INPUT_SIZE).transpose(0, 2, 1, 3).reshape(side * INPUT_SIZE, -1)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    return np.asarray(cv2.imencode(".jpg", np.ascontiguousarray(square), settings)[1], np.uint8)


def _unpacked(packed: npt.NDArray[np.uint8], count: int) -> Crops:
    if packed.ndim == 3:
        return packed
    square = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    side = len(square) // INPUT_SIZE
    cells = square.reshape(side, INPUT_SIZE, side, INPUT_SIZE).transpose(0, 2, 1, 3).reshape(-1, INPUT_SIZE, INPUT_SIZE)
    return np.ascontiguousarray(cells[:count])
