"""Which part a picture or person belongs to where the data on the disk is not split. The same for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from mien import InputError

VALIDATION_SHARE: Final = 0.2
"""Share of pictures or persons that are kept for validation: the 80/20 of the published systems."""

ALL: Final = "all"
"""In the place of a part's name: whatever there is."""

PARTS: Final = ("train", "validation")
"""What is made where nothing is split; there is no test part, for nothing was held back."""


def part_of(name: str, *, seed: int) -> str:
    """The part of something that has a name, whatever else there is."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return PARTS[1] if int.from_bytes(digest[:8], "big") < VALIDATION_SHARE * 2**64 else PARTS[0]


def validation_names(names: Sequence[str], *, seed: int) -> frozenset[str]:
    """The names that are kept for validation: a fifth, at least one, and never all.

    Raises:
        InputError: There are fewer than two.
    """
    ordered = sorted(set(names), key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    if len(ordered) < 2:
        raise InputError(f"at least two are needed to keep one for validation, got {len(ordered)}")
    return frozenset(ordered[: max(1, round(VALIDATION_SHARE * len(ordered)))])


def check_part(part: str, place: object) -> None:
    """Refuse a part that a split made here does not have.

    Raises:
        InputError: It is neither ``train`` nor ``validation`` nor ``all``.
    """
    if part not in (*PARTS, ALL):
        raise InputError(
            f"{place} is not split on the disk, so there is no part {part!r}: only {', '.join(PARTS)} and {ALL}"
        )
