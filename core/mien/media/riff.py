"""Checks that a WAV file's header tells the truth about its length; decoding is libsndfile's.

libsndfile plays what it finds of a file whose header promises more, and ignores what lies behind a header that
promises less. Both would pass half a sentence off as a whole one.
"""

from __future__ import annotations

import struct
from typing import Final

from mien.errors import InputError

_RIFF_HEADER: Final = 12  # "RIFF", size, "WAVE"
_CHUNK_HEADER: Final = 8  # name, size
_UNKNOWN_LENGTHS: Final = frozenset({0, 0x7FFFFFFF, 0xFFFFFFFF})
"""What programs that write to a pipe put where they do not know the length yet; the data then run to the end."""


def check_wav(data: bytes) -> None:
    """Check a WAV file's chunks.

    Raises:
        InputError: It is no WAV file, has no sound in it, is cut short, or has bytes that no chunk accounts for.
    """
    if data[8:_RIFF_HEADER] != b"WAVE":
        raise InputError("this is no WAV sound: the RIFF header is not followed by WAVE")
    position = _RIFF_HEADER
    found = False
    while position + _CHUNK_HEADER <= len(data):
        name = data[position : position + 4]
        (size,) = struct.unpack_from("<I", data, position + 4)
        start = position + _CHUNK_HEADER
        if name == b"data":
            found = True
            if size in _UNKNOWN_LENGTHS and start < len(data):
                return
        elif found and not data[position:].strip(b"\0"):
            return  # padding
        _check_chunk(name, size, len(data) - start, after_data=found)
        position = start + size + size % 2
    if not found:
        raise InputError("the WAV sound has no data chunk: it is cut short or was never finished")


def _check_chunk(name: bytes, size: int, left: int, *, after_data: bool) -> None:
    if not all(0x20 <= byte < 0x7F for byte in name) or (size > left and after_data and name != b"data"):
        raise InputError(
            "the WAV header lies about its length: after the sound that it announces come bytes of no known kind"
            if after_data
            else "the WAV header is damaged"
        )
    if size > left:
        raise InputError(
            f"the WAV sound is cut short: its header promises {size} bytes in the chunk "
            f"{name.decode('ascii')!r}, and {left} are there"
        )
