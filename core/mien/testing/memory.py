"""Whether calls leave something behind: objects counted by the interpreter, and the process's resident memory."""

from __future__ import annotations

import gc
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mien.testing.rules import require

_WINDOWS: Final = 4
_BLOCKS_PER_CALL: Final = 0.8
"""From so many blocks more for each call on, in every window, something is kept for each call."""
_LEAST_BLOCKS: Final = 128
"""So many may be left by chance, where few calls are made."""
_BYTES_PER_CALL: Final = 4096
_LEAST_BYTES: Final = 4 << 20
"""Resident memory goes up and down by itself; less than this is no growth."""
_STATM: Final = Path("/proc/self/statm")
_PAGE: Final = 4096


def resident_bytes() -> int:
    """Physical memory of this process; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def require_no_growth(
    call: Callable[[int], object], *, calls: int, warm_up: int, budget_seconds: float, what: str
) -> None:
    """Fail where each call leaves something behind.

    After calls that may fill caches, four windows are looked at: what grows in every one of them by an object or by
    4 KiB a call does not stop growing.

    Args:
        call: Takes the number of the call.
        calls: How many to make after the warm-up; fewer where the budget is spent, and at least two a window.
        warm_up: How many to make before.
        budget_seconds: Time to spend.
        what: The doing, for the message.
    """
    began = time.perf_counter()
    for number in range(warm_up):
        call(number)
        if number and time.perf_counter() - began > budget_seconds / 4:
            break
    each = (time.perf_counter() - began) / max(warm_up, 1)
    size = max(2, min(calls // _WINDOWS, int(budget_seconds / _WINDOWS / max(each, 1e-6))))
    blocks, resident = [_blocks()], [resident_bytes()]
    for window in range(_WINDOWS):
        for number in range(size):
            call(warm_up + window * size + number)
        blocks.append(_blocks())
        resident.append(resident_bytes())
    grown = [(later - earlier) / size for earlier, later in itertools.pairwise(blocks)]
    kept = min(grown)
    leaves = kept >= _BLOCKS_PER_CALL and blocks[-1] - blocks[0] >= _LEAST_BLOCKS
    require(not leaves, f"{what} keeps {kept:.1f} objects for each call, and never lets go of them")
    swollen = min(later - earlier for earlier, later in itertools.pairwise(resident)) / size
    total = resident[-1] - resident[0]
    leaks = swollen >= _BYTES_PER_CALL and total >= _LEAST_BYTES
    require(not leaks, f"{what} takes {swollen / 1024:.0f} KiB more with each call ({total >> 20} MiB so far)")


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()
