"""Which files there are to analyse: named files and folders into a list of sources, each of one kind.

To add a kind of input, add it to ``InputKind`` and ``SUFFIXES`` here and its reader to ``READERS`` in
``mien.cli.reading``. No file is decoded here.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from mien.errors import InputError
from mien.media.signatures import LONGEST, looks_like

_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class InputKind(StrEnum):
    """What a file is read as."""

    PICTURE = "picture"
    VIDEO = "video"
    SOUND = "sound"


SUFFIXES: Final = {
    InputKind.PICTURE: frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"}),
    InputKind.SOUND: frozenset(
        {".wav", ".wave", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".spx", ".mp3", ".m4a", ".m4b", ".aac"}
        | {".weba", ".mka", ".amr", ".awb", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd", ".wma"}
    ),
    InputKind.VIDEO: frozenset(
        {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ogv", ".3gp", ".3g2", ".ts", ".mts"}
        | {".m2ts", ".m2t", ".vob", ".flv", ".f4v", ".wmv", ".asf", ".mxf", ".dv", ".h264", ".264", ".hevc", ".ivf"}
    ),
}
"""How files of each kind end, in lower case. In a folder only these are looked at."""

_VIDEO_WORDS: Final = ("video", "stream", "WMV")
"""Of what a file looks like."""

_SOUND_STARTS: Final = (b"fLaC", b"OggS", b"caff", b"#!AM", b".snd", b"riff")


@dataclass(frozen=True, slots=True)
class Source:
    """One file to analyse.

    Attributes:
        path: Where it is.
        kind: What it is read as.
        name: What to call what is made from it: its path below the folder that was named.
    """

    path: Path
    kind: InputKind
    name: Path


@dataclass(slots=True)
class Found:
    """What the arguments of a command named.

    Attributes:
        sources: In the order of the arguments; in a folder, by name.
        problems: An argument, or something in a folder -> why nothing of it can be analysed.
        skipped: Files in folders that are of no known kind.
        linked_folders: Links in folders that lead to folders; they are not followed.
    """

    sources: list[Source] = field(default_factory=list)
    problems: list[tuple[Path, InputError]] = field(default_factory=list)
    skipped: int = 0
    linked_folders: list[Path] = field(default_factory=list)


def find_sources(paths: Sequence[Path], *, leave_out: Path | None = None) -> Found:
    """Look at each argument: a file is taken whatever its name, a folder with all folders in it by its files' endings.

    Hidden files and folders (``.name``) are passed over, and so is ``leave_out``, where results are written. Pipes and
    devices are never opened. Raises nothing: what is wrong is in ``Found.problems``.
    """
    found = Found()
    for path in paths:
        problem = _problem_of(path, folders=True)
        if problem is not None:
            found.problems.append((path, problem))
        elif path.is_dir():
            _add_folder(path, found, leave_out)
        else:
            found.sources.append(Source(path, _kind_of_file(path), Path(path.name)))
    return found


def kind_by_name(path: Path) -> InputKind | None:
    """What a file is read as by its ending; None where that says nothing."""
    ending = path.suffix.lower()
    return next((kind for kind, suffixes in SUFFIXES.items() if ending in suffixes), None)


def _problem_of(path: Path, *, folders: bool) -> InputError | None:
    """Why a path cannot be read, without opening it: a pipe would be waited for, and a device may never end."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in _NOT_THERE:
            is_link = path.is_symlink()
            return InputError("a link that leads nowhere" if is_link else "there is no such file or folder")
        return InputError(f"cannot be read: {error.strerror}")
    if stat.S_ISREG(mode) or (folders and stat.S_ISDIR(mode)):
        return None
    return InputError("neither a file nor a folder")


def _add_folder(folder: Path, found: Found, leave_out: Path | None) -> None:
    before = len(found.sources), len(found.problems)
    skipped = 0
    for path in _files_below(folder, found, leave_out):
        kind = kind_by_name(path)
        if kind is None:
            skipped += 1
        elif (problem := _problem_of(path, folders=False)) is not None:
            found.problems.append((path, problem))
        else:
            found.sources.append(Source(path, kind, path.relative_to(folder)))
    if (len(found.sources), len(found.problems)) != before:
        found.skipped += skipped
    else:
        others = f"; {skipped} other file{'s' if skipped > 1 else ''} in it" if skipped else ""
        found.problems.append((folder, InputError(f"the folder holds no picture, video or sound{others}")))


def _files_below(folder: Path, found: Found, leave_out: Path | None) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        found.problems.append((Path(error.filename), InputError(f"cannot be read: {error.strerror}")))

    for root, folders, files in os.walk(folder, onerror=unreadable):
        if leave_out is not None and leave_out.exists() and leave_out.samefile(root):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found.linked_folders.extend(path for name in folders if (path := Path(root, name)).is_symlink())
        yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))


def _kind_of_file(path: Path) -> InputKind:
    """A file that was named is read by its ending, or where that says nothing, as its first bytes suggest."""
    by_name = kind_by_name(path)
    if by_name is not None:
        return by_name
    try:
        with path.open("rb") as file:
            start = file.read(LONGEST)
    except OSError:
        return InputKind.PICTURE  # whose reader says what is wrong
    if start[8:12] in (b"WAVE", b"AIFF", b"AIFC") or start[:4] in _SOUND_STARTS or start[:3] == b"ID3":
        return InputKind.SOUND
    if looks_like(start).endswith("picture"):  # HEIC among them, which begins as MP4 does
        return InputKind.PICTURE
    return InputKind.VIDEO if any(word in looks_like(start) for word in _VIDEO_WORDS) else InputKind.PICTURE
