"""What the readers of picture files have in common: which files count, decoding, gathering crops and skips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from mien import InputError
from mien_face.labels import EXPRESSIONS, FER2013_LABELS
from mien_face_lab.decoding import decode_grey
from mien_face_lab.training.faces import VOTE_COLUMNS, FaceData, Skipped
from mien_face_lab.training.names import Crop
from mien_face_lab.training.prepare import Grey, NoFaceError, Preparation, prepare_picture

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm"})


def pictures_in(folder: Path) -> list[Path]:
    """The picture files directly in a folder, by name."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())


def refuse_group(group: str | None, place: Path) -> None:
    """Folders of pictures have no columns.

    Raises:
        InputError: A group was asked for.
    """
    if group is not None:
        raise InputError(f"{place} is a folder of pictures, which has no column {group!r}: use a parquet or CSV file")


def gather(
    files: Iterable[tuple[Path, str]],
    preparation: Preparation,
    *,
    crop: Crop,
    skipped: Iterable[Skipped],
    place: Path,
) -> FaceData:
    """Decode and crop pictures; those that cannot be are listed as skipped.

    Args:
        files: Each with its class.
        preparation: What is done to each.
        crop: Which part is kept where the preparation leaves it open.
        skipped: What was left out before.
        place: Where they come from, for errors.

    Raises:
        InputError: None is left.
    """
    chosen = crop if preparation.crop is Crop.AUTO else preparation.crop
    crops: list[Grey] = []
    labels: list[int] = []
    left_out = list(skipped)
    for file, name in files:
        grey = decode_grey(file.read_bytes())
        if grey is None:
            left_out.append(Skipped(str(file), "the picture cannot be decoded"))
            continue
        try:
            crops.append(prepare_picture(grey, preparation, crop=chosen))
        except NoFaceError:
            left_out.append(Skipped(str(file), "the Haar cascade finds no face in it"))
            continue
        labels.append(EXPRESSIONS.index(name))
    if not crops:
        first = f"; the first that was skipped: {left_out[0].where}: {left_out[0].why}" if left_out else ""
        raise InputError(f"{place} holds no usable picture{first}")
    faces = FaceData(np.stack(crops), np.array(labels, np.int64), np.zeros((len(crops), len(VOTE_COLUMNS)), np.float32))
    names = EXPRESSIONS if max(labels) >= len(FER2013_LABELS) else FER2013_LABELS
    return replace(faces, names=names, skipped=tuple(left_out))
