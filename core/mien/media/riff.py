"""What a WAV file really holds, whatever its header says of the length; decoding is libsndfile's.

Three kinds of headers are wrong: those of programs that write to a pipe or died before they knew the length, those
that are off by a byte or have foreign tags behind them, and those of files that were cut. The first two are mended,
the third is refused: libsndfile would pass half a sentence off as a whole one.
"""

from __future__ import annotations

import struct
from typing import Final

from mien.errors import InputError

_RIFF_HEADER: Final = 12  # "RIFF", size, "WAVE"
_CHUNK_HEADER: Final = 8  # name, size
_FORMAT_FIELDS: Final = 14  # of the chunk "fmt ", up to the size of one block
_WIDE_FIELDS: Final = 16  # of RF64's chunk "ds64", up to the size of the data
_UNKNOWN_FROM: Final = 0x7FFF0000
"""Sizes from here on stand for "not known yet": 0x7FFFF000 less a part of a block (sox), 0x80000000 (arecord),
0xFFFFFFFF (ffmpeg) less a header of 36 bytes. No file that is short enough to be taken has as much."""
_NAMES: Final = frozenset(
    b"fmt |data|LIST|fact|PEAK|bext|cue |smpl|inst|iXML|axml|JUNK|junk|PAD |FLLR|id3 |ID3 |_PMX|DISP|afsp|ds64".split(
        b"|"
    )
)
"""Chunks that programs write; each other name of four printable letters may be one too."""
_FOREIGN_TAGS: Final = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")


def mended_wav(data: bytes) -> bytes:
    """A WAV, RIFX or RF64 file with a header that is true of what is there.

    Args:
        data: The whole file.

    Returns:
        The file itself where nothing is wrong with it.

    Raises:
        InputError: It is no WAV file, has no sound in it, is cut short, or has bytes behind its sound that no chunk
            accounts for.
    """
    if data[8:_RIFF_HEADER] != b"WAVE":
        raise InputError("this is no WAV sound: the RIFF header is not followed by WAVE")
    order = ">" if data.startswith(b"RIFX") else "<"
    position = _RIFF_HEADER
    block, wide = 1, None
    while position + _CHUNK_HEADER <= len(data):
        name, start = data[position : position + 4], position + _CHUNK_HEADER
        (size,) = struct.unpack_from(order + "I", data, position + 4)
        if name == b"data":
            promised = wide if wide is not None and size == 0xFFFFFFFF else size
            return _with_size(data, order, start, _true_size(data, start, promised, block))
        if not _is_printable(name):
            raise InputError("the WAV header is damaged")
        if size > len(data) - start:
            raise _cut_short(name, size, len(data) - start)
        if name == b"fmt " and size >= _FORMAT_FIELDS:
            block = max(1, struct.unpack_from(order + "H", data, start + 12)[0])
        elif name == b"ds64" and size >= _WIDE_FIELDS:
            (wide,) = struct.unpack_from("<Q", data, start + 8)
        position = _end(data, start, size)
    raise InputError("the WAV sound has no data chunk: it is cut short or was never finished")


def _true_size(data: bytes, start: int, promised: int, block: int) -> int:
    """Bytes of sound."""
    left = len(data) - start
    if (promised >= _UNKNOWN_FROM and promised > left) or (promised == 0 and not _are_chunks(data, start)):
        return left - left % block
    if promised > left:
        if promised - left >= max(block, 2):
            raise _cut_short(b"data", promised, left)
        return left - left % block
    if promised < left and not _is_known_tail(data, start + promised):
        raise InputError(
            "the WAV header lies about its length: after the sound that it announces come bytes of no known kind"
        )
    return promised


def _with_size(data: bytes, order: str, start: int, size: int) -> bytes:
    """The file where its header says this already; else one with what is before the sound, the sound and no more."""
    told_whole, told = struct.unpack_from(order + "I", data, 4)[0], struct.unpack_from(order + "I", data, start - 4)[0]
    end = start + size
    if told == size and told_whole + 8 == len(data) and (end == len(data) or _are_chunks(data, end + size % 2)):
        return data
    name = b"RIFX" if order == ">" else b"RIFF"
    return b"".join(
        (
            name + struct.pack(order + "I", end - 8) + data[8 : start - 4],
            struct.pack(order + "I", size),
            data[start:end],
        )
    )


def _end(data: bytes, start: int, size: int) -> int:
    """Where the next chunk begins: at an even place, except after programs that forget the padding."""
    end = start + size
    return end if size % 2 == 0 or data[end : end + 4] in _NAMES else end + 1


def _is_known_tail(data: bytes, end: int) -> bool:
    """Whether what is behind the sound is padding, tags or chunks; their beginning may be a byte off."""
    if len(data) - end < _CHUNK_HEADER or not data[end + 1 :].strip(b"\0"):
        return True
    if any(data.startswith((*_NAMES, *_FOREIGN_TAGS), place) for place in range(end - 1, end + 3)):
        return True
    return _are_chunks(data, end + end % 2)


def _are_chunks(data: bytes, position: int) -> bool:
    """Whether nothing but chunks lies from here to the end, the last perhaps padded."""
    while position + _CHUNK_HEADER <= len(data):
        (size,) = struct.unpack_from("<I", data, position + 4)
        start = position + _CHUNK_HEADER
        if data[position] == 0:  # looked at once: what begins with zeros and goes on otherwise is no chunk
            return not data[position:].strip(b"\0")
        if not _is_printable(data[position : position + 4]) or size > len(data) - start:
            return False
        position = _end(data, start, size)
    return True


def _is_printable(name: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in name)


def _cut_short(name: bytes, promised: int, left: int) -> InputError:
    return InputError(
        f"the WAV sound is cut short: its header promises {promised} bytes in the chunk "
        f"{name.decode('ascii')!r}, and {left} are there"
    )
