"""What decoding some bytes may cost, told from their structure before anything is decoded.

A small file can cost a decoder minutes: thousands of scans over one picture, a million empty segments, tables that are
built and never used. The census counts such things in one pass that is linear, stops at its limits and decodes nothing.
What it finds PLAIN costs no more than its bytes and pixels, and may be decoded anywhere; what is COSTLY may be honest
and may be not, and is for ``mien.media.budget``; what no program writes is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import numpy as np
import numpy.typing as npt

from mien.errors import InputTooLargeError

MAX_SCANS: Final = 100
"""Of a JPEG picture. Encoders write 1 to 16, the most that libjpeg's wizards ask for is below 70."""

MAX_SEGMENTS: Final = 2_000
"""Segments of a JPEG, or chunks of a WebP picture."""

MAX_CHUNKS: Final = 10_000
"""Of a PNG picture, whose pixels some encoders cut into chunks of 8 KiB or less."""

MAX_PADDING: Final = 65_536
"""Bytes between the segments of a JPEG picture that mean nothing."""

_PLAIN_SCANNED_PIXELS: Final = 40_000_000
"""Scans x pixels: ten scans, as of a usual progressive JPEG, over a picture of four megapixels."""

_PLAIN_SEGMENTS: Final = 128
_PLAIN_CHUNKS: Final = 1_024
_PLAIN_OTHERS: Final = 40  # chunks of a PNG that hold no pixels
_PLAIN_PADDING: Final = 1_024
_PLAIN_TABLES: Final = 16_384  # bytes of a JPEG's tables, or of notes that Pillow reads piece by piece
_PLAIN_NOTES: Final = 131_072  # bytes of a picture's EXIF block, colour profile and words
_PLAIN_ENTRIES: Final = 64  # of an EXIF block, each of which may point at all of it

_STANDALONE: Final = frozenset((0x01, *range(0xD0, 0xD9)))  # TEM, RST0 to RST7 and SOI have no length
_FRAMES: Final = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
_HUFFMAN_FRAMES: Final = frozenset((0xC0, 0xC1, 0xC2))
_SCAN, _END, _EXIF, _PREVIEWS, _PHOTOSHOP = 0xDA, 0xD9, 0xE1, 0xE2, 0xED
_COMPRESSED_NOTES: Final = (b"zTXt", b"iTXt", b"iCCP")
_MOST_COMPRESSED_NOTES: Final = 4
_KNOWN_NOTES: Final = frozenset(b"PLTE gAMA cHRM sRGB sBIT bKGD hIST tRNS pHYs tIME tEXt eXIf cICP".split()) | set(
    _COMPRESSED_NOTES
)
_STILL_WEBP: Final = frozenset((b"VP8 ", b"VP8X", b"ICCP", b"EXIF", b"XMP "))
_PCM: Final = frozenset((1, 3, 0xFFFE))  # a WAV file's integers, floats, and either with more about the channels
_WAV_HEADER: Final = 12
_MOST_WAV_CHUNKS: Final = 32


class Cost(Enum):
    """What decoding may take."""

    PLAIN = auto()
    COSTLY = auto()


def picture_cost(data: bytes) -> Cost:
    """Tell what decoding a picture may cost.

    Args:
        data: The file; what is no JPEG, PNG or WebP is PLAIN, because nothing of it is decoded.

    Raises:
        InputTooLargeError: It is built to cost much, as no encoder builds it.
    """
    if data.startswith(b"\xff\xd8"):
        return _JpegCensus(data).cost()
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png_cost(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp_cost(data)
    return Cost.PLAIN


def sound_cost(data: bytes) -> Cost:
    """Tell what decoding a sound file may cost: PLAIN is a WAV file of plain samples, with few things beside them."""
    if not data.startswith(b"RIFF") or data[8:12] != b"WAVE":
        return Cost.COSTLY
    position, is_pcm = _WAV_HEADER, False
    for _ in range(_MOST_WAV_CHUNKS):
        if position + 8 > len(data):
            return Cost.COSTLY
        (size,) = struct.unpack_from("<I", data, position + 4)
        start = position + 8
        name = data[position : position + 4]
        if name == b"data":
            return Cost.PLAIN if is_pcm and _ends_soon(data, start + min(size, len(data) - start)) else Cost.COSTLY
        if name == b"fmt " and start + 2 <= len(data):
            is_pcm = struct.unpack_from("<H", data, start)[0] in _PCM
        position = start + size + size % 2
    return Cost.COSTLY


def _ends_soon(data: bytes, end: int) -> bool:
    """Whether there is little behind the samples of a WAV file: a few tags, and not chunk upon chunk."""
    return len(data) - end <= 8 * _MOST_WAV_CHUNKS


@dataclass(slots=True)
class _Counted:
    segments: int = 0
    padding: int = 0
    scans: int = 0
    pixels: int = 0
    notes: int = 0
    tables: int = 0
    is_odd: bool = False


class _JpegCensus:
    """Walks the segments of one JPEG, in the header as Pillow does and behind the first scan as libjpeg does."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._found = _Counted()
        self._markers: npt.NDArray[np.intp] | None = None

    def cost(self) -> Cost:
        position = 2
        while (place := self._next_marker(position)) is not None:
            code = self._data[place]
            self._found.segments += 1
            self._check()
            if code == _END and self._found.scans:
                break
            if code in _STANDALONE or code == _END:
                position = place + 1
                continue
            length = max(2, int.from_bytes(self._data[place + 1 : place + 3], "big"))
            self._count(code, place + 3, length - 2)
            position = place + 1 + length
        return Cost.PLAIN if self._is_plain() else Cost.COSTLY

    def _next_marker(self, position: int) -> int | None:
        """Where the next marker's code is; None at the end of the file."""
        return self._in_header(position) if not self._found.scans else self._behind_scan(position)

    def _in_header(self, position: int) -> int | None:
        data, found = self._data, self._found
        while (place := data.find(b"\xff", position)) >= 0:
            found.padding += place - position
            position = place + 1
            while position < len(data) and data[position] == 0xFF and found.padding <= MAX_PADDING:
                found.padding += 1
                position += 1
            self._check()
            if position >= len(data):
                return None
            if data[position] != 0:
                return position
            found.padding += 2
            position += 1
        found.padding += len(data) - position
        self._check()
        return None

    def _behind_scan(self, position: int) -> int | None:
        """The same where coded pixels may come before it; they hold 0xFF before 0 and restart markers alone."""
        if self._markers is None:
            values = np.frombuffer(self._data, np.uint8)
            places = np.flatnonzero(values[:-1] == 0xFF)
            codes = values[places + 1]
            self._markers = places[(codes != 0) & (codes != 0xFF) & ((codes < 0xD0) | (codes > 0xD7))]
        index = int(np.searchsorted(self._markers, position))
        return int(self._markers[index]) + 1 if index < len(self._markers) else None

    def _count(self, code: int, start: int, length: int) -> None:
        found, data = self._found, self._data
        if code == _SCAN:
            found.scans += 1
        elif code in _FRAMES:
            found.is_odd |= code not in _HUFFMAN_FRAMES or data[start : start + 1] != b"\x08" or found.pixels > 0
            height, width = struct.unpack(">HH", data[start + 1 : start + 5].ljust(4, b"\0"))
            found.pixels = max(found.pixels, height * width)
        elif code == _EXIF and data.startswith(b"Exif\0", start):
            found.is_odd |= _has_many_entries(data[start + 6 : start + 6 + 65_536])
            found.notes += length
        elif code == _PREVIEWS and data.startswith(b"MPF\0", start):
            found.is_odd = True
        elif 0xE0 <= code <= 0xEF and code != _PHOTOSHOP:
            found.notes += length
        else:
            found.tables += length

    def _check(self) -> None:
        found = self._found
        if found.scans > MAX_SCANS:
            raise InputTooLargeError(
                f"the JPEG picture is built of more than {MAX_SCANS} scans, each of which has to be decoded over all of"
                " it; save it as a usual JPEG"
            )
        if found.segments > MAX_SEGMENTS:
            raise InputTooLargeError(f"the JPEG picture holds more than {MAX_SEGMENTS} segments; save it again")
        if found.padding > MAX_PADDING:
            raise InputTooLargeError(
                f"the JPEG picture holds more than {MAX_PADDING:,} bytes of padding before its pixels; save it again"
            )

    def _is_plain(self) -> bool:
        found = self._found
        return (
            not found.is_odd
            and found.segments <= _PLAIN_SEGMENTS
            and found.padding <= _PLAIN_PADDING
            and found.scans * found.pixels <= _PLAIN_SCANNED_PIXELS
            and found.tables <= _PLAIN_TABLES
            and found.notes <= _PLAIN_NOTES
        )


def _has_many_entries(block: bytes) -> bool:
    """Whether an EXIF block lists many things. Each may point at the whole block, which Pillow then copies."""
    if block[:2] not in (b"II", b"MM"):
        return True
    order = "<" if block[:2] == b"II" else ">"
    start = struct.unpack(order + "I", block[4:8])[0] if len(block) >= 8 else len(block)
    if start + 2 > len(block):
        return False
    return bool(struct.unpack_from(order + "H", block, start)[0] > _PLAIN_ENTRIES)


def _png_cost(data: bytes) -> Cost:
    position, chunks, pixel_chunks, compressed, notes = 8, 0, 0, 0, 0
    is_odd = data[28:29] != b"\0"  # the pixels come in seven passes
    while position + 8 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        name, start = data[position + 4 : position + 8], position + 8
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise InputTooLargeError(f"the PNG picture holds more than {MAX_CHUNKS:,} chunks; save it again")
        if name == b"IEND":
            break
        if name == b"IDAT":
            pixel_chunks += 1
        elif name != b"IHDR":
            notes += length
            compressed += name in _COMPRESSED_NOTES
            is_odd |= name not in _KNOWN_NOTES or data.startswith(b"Raw profile", start)
            is_odd |= name == b"eXIf" and _has_many_entries(data[start : start + length])
        position = start + length + 4
    others = chunks - pixel_chunks
    plain = not is_odd and chunks <= _PLAIN_CHUNKS and others <= _PLAIN_OTHERS and notes <= _PLAIN_NOTES
    return Cost.PLAIN if plain and compressed <= _MOST_COMPRESSED_NOTES else Cost.COSTLY


def _webp_cost(data: bytes) -> Cost:
    """PLAIN is one lossy picture without transparency: what is lossless brings tables that cost more than pixels."""
    position, chunks, notes, is_odd = 12, 0, 0, False
    while position + 8 <= len(data):
        name = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        chunks += 1
        if chunks > MAX_SEGMENTS:
            raise InputTooLargeError(f"the WebP picture holds more than {MAX_SEGMENTS:,} chunks; save it again")
        is_odd |= name not in _STILL_WEBP
        if name == b"EXIF":
            block = data[position + 8 : position + 8 + length]
            is_odd |= _has_many_entries(block[6:] if block.startswith(b"Exif\0\0") else block)
        if name != b"VP8 ":
            notes += length
        position += 8 + length + length % 2
    return Cost.COSTLY if is_odd or chunks > len(_STILL_WEBP) or notes > _PLAIN_NOTES else Cost.PLAIN
