"""The contract as files, for whoever generates code from it in another language."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import mien
from mien.errors import MienError

CONTRACT: Final = Path("mien/v1/sentiment.proto")
"""The contract's file, below its folder."""

DETAILS: Final = (Path("google/rpc/status.proto"), Path("google/rpc/error_details.proto"))
"""What the details of a status are made of; the contract itself needs none of it."""


def proto_files() -> Iterator[tuple[Path, str]]:
    """Each file with its path as ``import`` names it, and its text: the contract, then ``DETAILS``.

    Raises:
        MienError: This installation lacks one of them.
    """
    yield CONTRACT, _text(_contract_folder() / CONTRACT)
    for path in DETAILS:
        yield path, _text(_details_folder() / path)


def _contract_folder() -> Path:
    """In a wheel beside the code, in a checkout where it is written."""
    package = Path(mien.__file__).parent
    return next((each for each in (package / "proto", package.parents[1] / "proto") if each.is_dir()), package)


def _details_folder() -> Path:
    """That of ``googleapis-common-protos``, which mien requires."""
    spec = importlib.util.find_spec("google.rpc.status_pb2")
    return Path(spec.origin).parents[2] if spec is not None and spec.origin else Path()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MienError(f"this installation lacks {path}: {error.strerror}; install mien again") from error
