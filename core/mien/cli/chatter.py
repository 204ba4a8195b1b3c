"""Keeps what native decoders print to stderr on their own off the screen; libmpg123 has no switch for it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_STDERR: Final = 2
_OURS: Final = b"mien: "


@dataclass(slots=True)
class Chatter:
    """What was printed meanwhile.

    Attributes:
        lines: How many lines; counted when the block has ended.
    """

    lines: int = 0


@contextmanager
def decoders_chatter() -> Iterator[Chatter]:
    """Take up what is written to the process's stderr in the block; lines of mien's own, of other threads, go on."""
    chatter = Chatter()
    try:
        screen = os.dup(_STDERR)
    except OSError:  # there is none
        yield chatter
        return
    with tempfile.TemporaryFile() as taken:
        _flush()
        os.dup2(taken.fileno(), _STDERR)
        try:
            yield chatter
        finally:
            _flush()
            os.dup2(screen, _STDERR)
            os.close(screen)
            taken.seek(0)
            for line in taken:
                if line.startswith(_OURS):
                    os.write(_STDERR, line)
                else:
                    chatter.lines += 1


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
