"""Which pictures are learnt from and which are held back for validation: one rule, for training and for evaluation."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

_VALIDATION_TENTHS: Final = 1


class Side(StrEnum):
    """What a picture is for."""

    TRAINING = "training"
    VALIDATION = "validation"


def part_of(*, name: str, person: str = "") -> Side:
    """Where a picture belongs; the same on every machine and for ever.

    A tenth is for validation: of the persons where a picture names one, so that nobody is on both sides, else of the
    pictures.

    Args:
        name: Of the picture's file.
        person: Who is on it, where that is known.
    """
    digest = hashlib.sha256((person or name).encode()).digest()
    return Side.VALIDATION if int.from_bytes(digest[:4], "big") % 10 < _VALIDATION_TENTHS else Side.TRAINING
