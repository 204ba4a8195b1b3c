"""The labelled photographs that training draws on. Nothing is drawn or changed here.

Boxes are left, top, right, bottom and landmarks (x, y), in pixels of the picture.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from mien import Box, InputError
from mien_face.detection.config import LANDMARKS
from mien_face_lab.detection.labelled import LabelledPicture, read_pictures
from mien_face_lab.training.detector.split import Side, part_of

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

PORTRAITS: Final = "portraits.parquet"
PEOPLE: Final = "people.parquet"
PEOPLE2: Final = "people2.parquet"
SCENES: Final = "scenes.parquet"
FILES: Final = (PORTRAITS, PEOPLE, PEOPLE2, SCENES)
KINDS: Final = tuple(Path(file).stem for file in FILES)
"""What the figures call them."""

_GROUPS: Final = {PEOPLE2: "source"}
"""Columns by which figures are given apart."""

SURE_SCORE: Final = 0.905
"""In scenes, faces that their labeller gave less are not believed: looking through them, nearly all were animals."""

_FIRST_THING: Final = 2_666_196
"""ImageNet's numbers of animals' classes are smaller than that of its first thing, the abacus (n02666196)."""

_ANIMAL_SIDE: Final = 30.0
"""In pictures of animals, doubtful faces and uncertain boxes of this size (geometric mean, pixels) and more were all
animals' but three; smaller ones are people in the distance as well."""

_WITH_PEOPLE: Final = ("n02087046_toy_terrier", "n02097298_Scotch_terrier")
"""Pictures of animals with those three."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A labelled photograph.

    Attributes:
        name: Of its file.
        encoded: JPEG or another format that OpenCV reads.
        boxes: Of the faces, ``[faces, 4]``.
        landmarks: Of the faces, ``[faces, 5, 2]``.
        ignored: Boxes that are neither face nor background, ``[boxes, 4]``.
        animals: Boxes of animals' faces, which are background, ``[boxes, 4]``.
    """

    name: str
    encoded: bytes = field(repr=False)
    boxes: Floats
    landmarks: Floats
    ignored: Floats
    animals: Floats = field(default_factory=lambda: np.empty((0, 4), np.float32))

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


@dataclass(frozen=True, slots=True)
class Believed:
    """A picture with those of its labels that are believed.

    Attributes:
        picture: It, with faces of people; what may be a face or not is uncertain.
        animals: Boxes of animals' faces: background, like all that no label names.
    """

    picture: LabelledPicture
    animals: tuple[Box, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """All that canvases are made from.

    Attributes:
        portraits: Tight pictures of one face each.
        people: Everyday photographs of people.
        scenes: Photographs of anything; few have faces.
    """

    portraits: tuple[Picture, ...]
    people: tuple[Picture, ...]
    scenes: tuple[Picture, ...]

    def digest(self) -> str:
        """A fingerprint of names and labels, by which a resumed run knows its data."""
        fingerprint = hashlib.sha256()
        for each in (*self.portraits, *self.people, *self.scenes):
            fingerprint.update(each.name.encode())
            for array in (each.boxes, each.landmarks, each.ignored, each.animals):
                fingerprint.update(np.ascontiguousarray(array).tobytes())
        return fingerprint.hexdigest()[:16]


def read_training(folder: Path) -> Pictures:
    """Read what a folder has for training.

    Args:
        folder: With ``portraits.parquet``, ``people.parquet``, ``scenes.parquet``, and perhaps ``people2.parquet``.

    Raises:
        InputError: A file is missing or wrong, a face has no landmarks, or there is nothing of a kind.
        MissingDependencyError: pyarrow is missing.
    """
    kinds = {kind: tuple(_picture(each) for each in found) for kind, found in read_part(folder, Side.TRAINING).items()}
    portraits, people, more, scenes = (kinds.get(kind, ()) for kind in KINDS)
    return Pictures(tuple(each for each in portraits if len(each.boxes) == 1), people + more, scenes)


def read_part(folder: Path, part: Side) -> dict[str, list[Believed]]:
    """Read the pictures of a folder that belong to a part, by kind.

    Raises:
        InputError: A file is missing or wrong, or has no picture in this part.
        MissingDependencyError: pyarrow is missing.
    """
    found = {}
    for kind, name in zip(KINDS, FILES, strict=True):
        file = folder / name
        if name == PEOPLE2 and not file.is_file():
            continue
        pictures = read_pictures(file, group=_GROUPS.get(name))
        chosen = [each for each in pictures if part_of(name=each.name, person=each.person) is part]
        if not chosen:
            raise InputError(f"{file} has no picture for {part}; bring more")
        doubtful = _doubtful(file) if name == SCENES else {}
        found[kind] = [believed(each, doubtful.get(each.name, ())) for each in chosen]
    return found


def believed(labelled: LabelledPicture, doubtful: Sequence[bool] = ()) -> Believed:
    """Sort out what labels say.

    Args:
        labelled: The picture with all of its labels.
        doubtful: For each of its faces, whether it is doubted; none are.
    """
    doubts = doubtful or [False] * len(labelled.faces)
    sure = tuple(face for face, doubt in zip(labelled.faces, doubts, strict=True) if not doubt)
    unsure = [*labelled.uncertain, *(face.box for face, doubt in zip(labelled.faces, doubts, strict=True) if doubt)]
    animals = tuple(box for box in unsure if _is_animal(labelled.name, box))
    rest = tuple(box for box in unsure if box not in animals)
    return Believed(replace(labelled, faces=sure, uncertain=rest), animals)


def _doubtful(file: Path) -> dict[str, tuple[bool, ...]]:
    """For each picture's name, which of its faces are not believed; nothing where the file has no scores."""
    from pyarrow.parquet import ParquetFile

    table = ParquetFile(file)
    if not {"name", "scores"} <= set(table.schema_arrow.names):
        return {}
    rows = table.read(columns=["name", "scores"]).to_pylist()
    return {row["name"]: tuple(score < SURE_SCORE for score in row["scores"]) for row in rows}


def _is_animal(name: str, box: Box) -> bool:
    """Whether a box that may be a face is an animal's: a larger one in one of ImageNet's pictures of animals."""
    number = re.match(r"n(\d{8})_", name)
    if number is None or int(number[1]) >= _FIRST_THING or name.startswith(_WITH_PEOPLE):
        return False
    return box.area >= _ANIMAL_SIDE**2


def _picture(found: Believed) -> Picture:
    labelled = found.picture
    if not isinstance(labelled.image, bytes) or not all(face.landmarks for face in labelled.faces):
        raise InputError(f"{labelled.source}: training needs landmarks for every face")
    return Picture(
        name=labelled.name or labelled.source,
        encoded=labelled.image,
        boxes=_corners([face.box for face in labelled.faces]),
        landmarks=np.array([face.landmarks for face in labelled.faces], np.float32).reshape(-1, LANDMARKS, 2),
        ignored=_corners(labelled.uncertain),
        animals=_corners(found.animals),
    )


def _corners(boxes: Sequence[Box]) -> Floats:
    corners = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in boxes]
    return np.array(corners, np.float32).reshape(-1, 4)


@lru_cache(maxsize=20_000)
def _decode(name: str, encoded: bytes) -> Pixels:
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise InputError(f"{name} cannot be decoded; expected JPEG, PNG or WebP")
    return np.asarray(decoded, np.uint8)
