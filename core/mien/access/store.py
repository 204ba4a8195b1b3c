"""The file that keys are kept in: JSON, its owner's alone, replaced as a whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from mien.access.hashing import hash_token
from mien.access.keys import Key, KeyLimits, KeyScopes, new_token
from mien.errors import ConfigError
from mien.weights import write_atomically

PRIVATE: Final = 0o600
"""The file's mode: its owner's alone."""


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    keys: tuple[Key, ...] = ()


def load_keys(path: Path) -> tuple[Key, ...]:
    """The keys in a file, in the order of their making.

    Raises:
        ConfigError: It cannot be read, or is not a file of keys.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"there is no file of keys {path}; `mien keys new NAME --file {path}` makes one") from None
    except OSError as error:
        raise ConfigError(f"cannot read the file of keys {path}: {error.strerror}") from error
    try:
        return _KeyFile.model_validate_json(content).keys
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        message = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"{path} is not a file of keys: {where}: {message}") from None


def add_key(
    path: Path,
    name: str,
    *,
    scopes: KeyScopes | None = None,
    limits: KeyLimits | None = None,
    lasts: timedelta | None = None,
) -> tuple[str, Key]:
    """Make a key and add it to a file, which is made where it is missing.

    Args:
        path: The file.
        name: Whose key it is; no other key that counts has it.
        scopes: What it allows; None allows everything.
        limits: How much; None sets no limit.
        lasts: For how long it counts; None for ever.

    Returns:
        The key, which is kept nowhere else, and what is kept of it.

    Raises:
        ConfigError: The file cannot be read or written, or the name is taken or unfit.
        MissingDependencyError: argon2-cffi is not installed.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    token, key_id = new_token()
    with _changing(path):
        keys = load_keys(path) if path.exists() else ()
        if any(key.name == name and key.state == "active" for key in keys):
            raise ConfigError(f"there is a key named {name!r} already; revoke it first, or take another name")
        try:
            key = Key(
                id=key_id,
                name=name,
                hash=hash_token(token),
                scopes=scopes or KeyScopes(),
                limits=limits or KeyLimits(),
                created_at=now,
                expires_at=None if lasts is None else now + lasts,
            )
        except ValidationError as error:
            raise ConfigError(f"the key cannot be made: {error.errors()[0]['msg']}") from None
        _write(path, (*keys, key))
    return token, key


def revoke_key(path: Path, which: str) -> Key:
    """Have a key count no more; it stays in the file, so that its bearer can be told.

    Args:
        path: The file.
        which: The key's id, or its name.

    Raises:
        ConfigError: There is no such key that counts, or the file cannot be read or written.
    """
    with _changing(path):
        keys = load_keys(path)
        found = next((key for key in keys if key.revoked_at is None and which in (key.id, key.name)), None)
        if found is None:
            raise ConfigError(f"no key that counts has the name or id {which!r}; `mien keys list` shows them")
        revoked = found.model_copy(update={"revoked_at": datetime.now(UTC).replace(microsecond=0)})
        _write(path, tuple(revoked if key.id == found.id else key for key in keys))
    return revoked


def _write(path: Path, keys: tuple[Key, ...]) -> None:
    content = _KeyFile(keys=keys).model_dump_json(indent=2, exclude_defaults=False) + "\n"
    try:
        write_atomically(path, content.encode(), mode=PRIVATE)
    except OSError as error:
        raise ConfigError(f"cannot write the file of keys {path}: {error.strerror}") from error


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Let nobody else change files of this folder meanwhile: two that write at once would lose a key."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(f"cannot use the folder {path.parent}: {error.strerror}") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
