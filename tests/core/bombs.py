"""Small files that cost a decoder much, and honest ones beside them; all made here, the same each time."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image


def pixels(width: int = 64, height: int = 48) -> npt.NDArray[np.uint8]:
    """A picture with something in it."""
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def saved(kind: str, width: int = 64, height: int = 48, **options: Any) -> bytes:
    """An honest file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels(width, height)).save(buffer, kind, **options)
    return buffer.getvalue()


def scans(count: int, *, side: int = 64) -> bytes:
    """A progressive JPEG that scans its picture again and again; 10 bytes a scan."""
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(buffer, "JPEG", progressive=True, quality=10)
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x01\x3f\x00"
    return buffer.getvalue()[:-2] + scan * count + b"\xff\xd9"


def with_header(part: bytes, count: int) -> bytes:
    """A JPEG with so many copies of something behind its first marker."""
    data = saved("JPEG")
    return data[:2] + part * count + data[2:]


def chunk(name: bytes, body: bytes = b"") -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(chunks: bytes, *, compressed: bytes | None = None, interlaced: bool = False) -> bytes:
    """A PNG of one pixel with other chunks before it."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, int(interlaced))
    rows = zlib.compress(bytes(4)) if compressed is None else compressed
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", rows) + chunk(b"IEND")


def exif(entries: int) -> bytes:
    """An EXIF block whose entries all point at the whole of it."""
    listed = b"".join(struct.pack("<HHII", number, 7, 12 * entries, 8) for number in range(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + listed + bytes(4)


def turned() -> Image.Exif:
    """An honest one: the picture lies on its side."""
    block = Image.Exif()
    block[0x0112] = 6
    return block


def wav(*, before: bytes = b"", behind: bytes = b"", form: int = 1) -> bytes:
    """A tenth of a second, with other chunks around it."""
    layout = struct.pack("<HHIIHH", form, 1, 16_000, 32_000, 2, 16)
    samples = bytes(3_200)
    body = b"WAVEfmt " + struct.pack("<I", 16) + layout + before + b"data" + struct.pack("<I", 3_200) + samples + behind
    return b"RIFF" + struct.pack("<I", len(body)) + body


REFUSED = {
    "scans": scans(20_000),
    "padding": with_header(b"\xff", 1_900_000),
    "stuffing": with_header(b"\xff\x00", 900_000),
    "empty comments": with_header(b"\xff\xfe\x00\x02", 480_000),
    "comments behind the pixels": saved("JPEG")[:-2] + b"\xff\xfe\x00\x02" * 480_000 + b"\xff\xd9",
    "PNG chunks": png_with(chunk(b"pHYs", bytes(9)) * 90_000),
    "WebP chunks": saved("WEBP") + b"abcd\0\0\0\0" * 100_000,
}
"""What no program writes."""

COSTLY = {
    "many scans": scans(90, side=1_000),
    "a JPEG with much EXIF": saved("JPEG", exif=b"Exif\0\0" + exif(5_000)),
    "a PNG with much EXIF": png_with(chunk(b"eXIf", exif(60_000))),
    "interlaced": png_with(b"", interlaced=True),
    "words, compressed": png_with(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000))) * 20),
    "an animated PNG": png_with(chunk(b"acTL", bytes(8))),
    "lossless WebP": saved("WEBP", lossless=True),
}
"""What may be honest."""

PLAIN = {
    "JPEG": saved("JPEG"),
    "progressive JPEG": saved("JPEG", 640, 480, progressive=True),
    "JPEG with EXIF": saved("JPEG", exif=turned()),
    "PNG": saved("PNG"),
    "WebP": saved("WEBP"),
    "no picture": b"these are words",
}
