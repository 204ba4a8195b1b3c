"""Reads a folder with a folder of pictures for each class, as Kaggle's picture sets come.

Pictures may be of any size. With ``train`` and ``validation`` folders around the classes, these are the parts; else
each class is split here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Final

from mien import InputError
from mien_face.labels import EXPRESSIONS
from mien_face_lab.training.faces import FaceData, Skipped
from mien_face_lab.training.names import Crop
from mien_face_lab.training.prepare import Preparation
from mien_face_lab.training.readers.pictures import gather, pictures_in, refuse_group
from mien_face_lab.training.splitting import ALL, PARTS, check_part, validation_names

DESCRIPTION: Final = (
    "a folder with a folder of pictures for each class (angry, happy ...), or with train/ and validation/"
)

PART_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
"""Our name of a part -> what its folder may be called."""

_OTHER_NAMES: Final[Mapping[str, str]] = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}


def class_of(name: str) -> str | None:
    """The class that a folder's name means; None if none."""
    lower = name.lower()
    known = _OTHER_NAMES.get(lower, lower)
    return known if known in EXPRESSIONS else None


def found(path: Path, part: str) -> Path | None:
    """A folder with classes in it, or with parts that have classes in them."""
    del part  # whether the part is there is for ``read`` to say
    if not path.is_dir():
        return None
    candidates = [path, *(folder for name in PART_NAMES for folder in [_part_folder(path, name)] if folder)]
    return path if any(_class_folders(folder) for folder in candidates) else None


def parts(place: Path) -> frozenset[str]:
    """Those that have a folder."""
    return frozenset(name for name in PART_NAMES if _part_folder(place, name) is not None)


def read(place: Path, *, part: str, seed: int, preparation: Preparation, group: str | None) -> FaceData:
    """Read a part; folders of no class and pictures that cannot be decoded are listed as skipped.

    Raises:
        InputError: The part is not there, a class is empty or has too few pictures to split, or none can be read.
    """
    refuse_group(group, place)
    if part == ALL:
        folders = [folder for name in PART_NAMES for folder in [_part_folder(place, name)] if folder] or [place]
        return reduce(FaceData.joined, (_gather(folder, _files(folder), preparation) for folder in folders))
    train, own = _part_folder(place, "train"), _part_folder(place, part)
    if part in PARTS and _part_folder(place, "validation") is None:
        root = train or place
        return _gather(root, _split(_files(root), part, seed), preparation)
    if own is not None:
        return _gather(own, _files(own), preparation)
    if train is None:
        check_part(part, place)
    raise InputError(f"{place} has no folder for the part {part!r}; expected one of {', '.join(PART_NAMES[part])}")


def _gather(folder: Path, files: Mapping[str, list[Path]], preparation: Preparation) -> FaceData:
    strangers = [
        Skipped(str(child), f"the folder is named after no class; known are {', '.join(EXPRESSIONS)}")
        for child in sorted(folder.iterdir())
        if child.is_dir() and class_of(child.name) is None
    ]
    labelled = ((file, name) for name, own in files.items() for file in own)
    return gather(labelled, preparation, crop=Crop.WHOLE, skipped=strangers, place=folder)


def _files(folder: Path) -> dict[str, list[Path]]:
    """Class -> its pictures."""
    files: dict[str, list[Path]] = {}
    for child, name in _class_folders(folder):
        pictures = pictures_in(child)
        if not pictures:
            raise InputError(f"the class folder {child} is empty: put pictures in it, or remove it")
        files.setdefault(name, []).extend(pictures)
    return files


def _split(files: Mapping[str, list[Path]], part: str, seed: int) -> dict[str, list[Path]]:
    """One part of each class."""
    result = {}
    for name, own in files.items():
        if len(own) < 2:
            raise InputError(
                f"the class {name} has one picture, {own[0]}: at least two are needed to keep one for validation; "
                "add pictures, or make train and validation folders"
            )
        kept = validation_names([file.name for file in own], seed=seed)
        result[name] = [file for file in own if (file.name in kept) is (part == "validation")]
    return result


def _class_folders(folder: Path) -> list[tuple[Path, str]]:
    """The folders that are named after a class, each with it."""
    named = [(child, class_of(child.name)) for child in sorted(folder.iterdir()) if child.is_dir()]
    return [(child, name) for child, name in named if name is not None]


def _part_folder(place: Path, part: str) -> Path | None:
    names = PART_NAMES.get(part, ())
    return next((child for child in sorted(place.iterdir()) if child.is_dir() and child.name.lower() in names), None)
