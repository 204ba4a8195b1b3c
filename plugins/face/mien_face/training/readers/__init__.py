"""Readers of labelled faces, one module for each layout, and the choice between them by looking at a path.

A reader has ``DESCRIPTION`` (what it reads, for the error that names them all), ``found(path, part)`` (the place to
read, or None) and ``read(place, part=..., seed=..., preparation=...)``.
"""

from __future__ import annotations

from pathlib import Path

from mien import InputError
from mien_face.training.faces import FaceData
from mien_face.training.prepare import Preparation
from mien_face.training.readers import class_folders, fer_csv, parquet, sequences

_READERS = (parquet, fer_csv, sequences, class_folders)


def read(path: Path, *, part: str, seed: int, preparation: Preparation) -> FaceData:
    """Read what lies at a path; see ``mien_face.training.data.read_faces``."""
    if not path.exists():
        raise InputError(f"there is no file {path}; expected labelled faces: {_known()}")
    for reader in _READERS:
        place = reader.found(path, part)
        if place is not None:
            return reader.read(place, part=part, seed=seed, preparation=preparation)
    if path.is_dir():
        raise InputError(f"there is no file or folder of a known layout for the part {part!r} in {path}: {_known()}")
    raise InputError(f"{path} is of no known layout: {_known()}")


def _known() -> str:
    return "; ".join(f"({number}) {reader.DESCRIPTION}" for number, reader in enumerate(_READERS, start=1))
