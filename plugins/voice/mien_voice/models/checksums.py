"""Whether a model's files are the files that they should be, by their checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from mien import PluginError

_PIECE: Final = 1 << 20  # bytes
_SHA1_DIGITS: Final = 40
_SHA256_DIGITS: Final = 64


def sha256_of(path: Path) -> str:
    """The file's SHA-256, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(folder: Path, sha256: Mapping[str, str], *, whose: str) -> None:
    """Compare files with their recorded checksums.

    Args:
        folder: That holds them.
        sha256: File name -> checksum.
        whose: Files they are, for the message.

    Raises:
        PluginError: One is missing or differs; names the first.
    """
    for name, expected in sha256.items():
        path = folder / name
        if not path.is_file():
            raise PluginError(f"{whose} lacks its file {name} (expected at {path}); install it again")
        found = sha256_of(path)
        if found != expected:
            raise PluginError(
                f"{path} is not the file that {whose} should have: its SHA-256 is {found[:12]}..., expected "
                f"{expected[:12]}...; install it again"
            )


def check_blobs(folder: Path, names: Iterable[str]) -> None:
    """Compare files of a snapshot in the Hugging Face cache with the checksums that their contents are named by.

    A large file is named by its SHA-256, a small one by its git object id. A file that is no link is not checked.

    Raises:
        PluginError: One differs; names the first.
    """
    for name in names:
        path = folder / name
        if path.is_symlink() and not is_blob(path.resolve()):
            raise PluginError(
                f"{path} is damaged: its content is not what its checksum says; delete the folder {folder}, and fetch "
                "the model again"
            )


def is_blob(path: Path) -> bool:
    """Whether a file's content has the checksum that it is named by; True where it is not named by one."""
    if not path.is_file():
        return False
    if len(path.name) == _SHA256_DIGITS:
        return sha256_of(path) == path.name
    if len(path.name) == _SHA1_DIGITS:
        return _git_object_id(path) == path.name
    return True


def _git_object_id(path: Path) -> str:
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
