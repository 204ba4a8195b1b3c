"""Readers of labelled faces, one module for each layout, and the choice between them by looking at a path.

A further layout needs a module like these and a line in ``_READERS``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from mien import InputError
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.prepare import Preparation
from mien_face_lab.training.readers import class_folders, fer_csv, parquet, sequences
from mien_face_lab.training.splitting import ALL


class Reader(Protocol):
    """What a reader's module has."""

    @property
    def DESCRIPTION(self) -> str:  # noqa: N802
        """What it reads, for the error that names them all."""

    def found(self, path: Path, part: str) -> Path | None:
        """The place to read, or None where a path does not lead to this layout."""

    def parts(self, place: Path) -> frozenset[str]:
        """The parts that it comes in; empty where it is not split."""

    def read(self, place: Path, *, part: str, seed: int, preparation: Preparation, group: str | None) -> FaceData:
        """Read a part of it."""


_READERS: Final[tuple[Reader, ...]] = (parquet, fer_csv, sequences, class_folders)


def read(path: Path, *, part: str, seed: int, preparation: Preparation, group: str | None) -> FaceData:
    """Read what lies at a path; see ``mien_face_lab.training.data.read_faces``."""
    reader, place = _reader_of(path, part)
    return reader.read(place, part=part, seed=seed, preparation=preparation, group=group)


def parts(path: Path) -> frozenset[str]:
    """The parts that what lies at a path comes in; empty where it is not split."""
    reader, place = _reader_of(path, ALL)
    return reader.parts(place)


def _reader_of(path: Path, part: str) -> tuple[Reader, Path]:
    if not path.exists():
        raise InputError(f"there is no file {path}; expected labelled faces: {_known()}")
    for reader in _READERS:
        place = reader.found(path, part)
        if place is not None:
            return reader, place
    if path.is_dir():
        raise InputError(f"there is no file or folder of a known layout for the part {part!r} in {path}: {_known()}")
    raise InputError(f"{path} is of no known layout: {_known()}")


def _known() -> str:
    return "; ".join(f"({number}) {reader.DESCRIPTION}" for number, reader in enumerate(_READERS, start=1))
