"""Reads sequences from neutral to the peak of an expression, as Cohn-Kanade has them, by the rules of ``ward2018``.

``<person>/<sequence>/<frame>.png``, and somewhere under the same root ``<person>/<sequence>/*_emotion.txt`` with the
code of the sequence's emotion. The last four frames carry it, the first four are neutral; sequences without a code are
skipped, and so are disgust and contempt. Whole persons are kept for validation: copies of one person on both sides,
as in the original, make the figures too good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien import InputError
from mien_face_lab.training.faces import FaceData, Skipped
from mien_face_lab.training.names import Crop
from mien_face_lab.training.prepare import Preparation
from mien_face_lab.training.readers.pictures import gather, pictures_in, refuse_group
from mien_face_lab.training.splitting import ALL, check_part, validation_names

DESCRIPTION: Final = "Cohn-Kanade sequences (person/sequence/frame.png, with person/sequence/*_emotion.txt)"

LABELLED_FRAMES: Final = 4
"""At the end of a sequence, and likewise at its start."""

CODES: Final[Mapping[int, str]] = {
    0: "neutral",
    1: "angry",
    2: "contempt",
    3: "disgust",
    4: "fear",
    5: "happy",
    6: "sad",
    7: "surprise",
}
DROPPED: Final = frozenset({"contempt", "disgust"})

_LABEL_FILES: Final = "*_emotion.txt"


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence of frames.

    Attributes:
        person: Name of the folder above.
        folder: Where the frames are.
        label_file: With the emotion's code; None where the sequence has none.
    """

    person: str
    folder: Path
    label_file: Path | None


def found(path: Path, part: str) -> Path | None:
    """A folder with an emotion's code somewhere in it."""
    del part  # persons are split here
    return path if path.is_dir() and next(path.rglob(_LABEL_FILES), None) is not None else None


def parts(place: Path) -> frozenset[str]:
    """None: persons are split here."""
    del place
    return frozenset()


def read(place: Path, *, part: str, seed: int, preparation: Preparation, group: str | None) -> FaceData:
    """Read the frames of the part's persons.

    Raises:
        InputError: There are fewer than two persons with a usable sequence, a code is wrong, or nothing is left.
    """
    check_part(part, place)
    refuse_group(group, place)
    skipped: list[Skipped] = []
    usable: list[tuple[Sequence, str]] = []
    for sequence in _sequences(place):
        label = None if sequence.label_file is None else _label(sequence.label_file)
        if label is None:
            skipped.append(Skipped(str(sequence.folder), "the sequence has no label"))
        elif label in DROPPED:
            skipped.append(Skipped(str(sequence.folder), f"sequences of {label} are dropped"))
        else:
            usable.append((sequence, label))
    own = usable if part == ALL else _own(place, usable, part, seed)
    files = ((file, name) for sequence, label in own for file, name in labelled_frames(sequence.folder, label))
    return gather(files, preparation, crop=Crop.HAAR, skipped=skipped, place=place)


def _own(place: Path, usable: list[tuple[Sequence, str]], part: str, seed: int) -> list[tuple[Sequence, str]]:
    """The sequences of the part's persons."""
    persons = sorted({sequence.person for sequence, _ in usable})
    if len(persons) < 2:
        raise InputError(
            f"{place} has usable sequences of {len(persons)} person: at least two are needed to split them"
        )
    kept = validation_names(persons, seed=seed)
    return [(sequence, label) for sequence, label in usable if (sequence.person in kept) is (part == "validation")]


def labelled_frames(folder: Path, label: str) -> Iterator[tuple[Path, str]]:
    """The frames that are used, with their classes; a short sequence gives fewer neutral ones, no frame twice."""
    frames = pictures_in(folder)
    peak = frames[-LABELLED_FRAMES:]
    for frame in frames[: min(LABELLED_FRAMES, len(frames) - len(peak))]:
        yield frame, "neutral"
    for frame in peak:
        yield frame, label


def _sequences(place: Path) -> Iterator[Sequence]:
    """Every folder with pictures that lies in another, which is the person's."""
    label_files = {(file.parent.parent.name, file.parent.name): file for file in sorted(place.rglob(_LABEL_FILES))}
    folders = sorted(folder for folder in place.rglob("*") if folder.is_dir() and pictures_in(folder))
    for folder in folders:
        person = folder.parent.name
        yield Sequence(person, folder, label_files.get((person, folder.name)))


def _label(file: Path) -> str:
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    code = next((code for code in CODES if _is_number(text, code)), None)
    if code is None:
        raise InputError(f"{file}: the emotion's code must be 0-7, got {text[:20]!r}")
    return CODES[code]


def _is_number(text: str, number: int) -> bool:
    """Whether a text like ``3.0000000e+00`` is this number."""
    try:
        return float(text) == number
    except ValueError:
        return False
