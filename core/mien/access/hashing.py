"""The slow hash of keys, by argon2-cffi, which the extra ``server`` brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mien.errors import MissingDependencyError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

TIME_COST: Final = 2
MEMORY_KIB: Final = 19_456
"""The parameters that OWASP's Password Storage Cheat Sheet names for argon2id with one lane; 19 MiB."""


def hash_token(token: str) -> str:
    """The hash of a key, with a fresh salt.

    Raises:
        MissingDependencyError: argon2-cffi is not installed.
    """
    return hasher().hash(token)


def matches(hashed: str, token: str) -> bool:
    """Whether a key has this hash; takes tens of milliseconds and ``MEMORY_KIB``."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return hasher().verify(hashed, token)
    except (VerificationError, InvalidHashError):
        return False


def hasher() -> PasswordHasher:
    """What hashes.

    Raises:
        MissingDependencyError: argon2-cffi is not installed.
    """
    try:
        from argon2 import PasswordHasher
    except ImportError as error:
        raise MissingDependencyError(
            "bearer keys need argon2-cffi, which is not installed; install it with: pip install 'mien[server]'"
        ) from error
    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=1)
