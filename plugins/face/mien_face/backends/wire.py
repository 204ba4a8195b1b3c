"""The few parts of protobuf's wire format that writing an ONNX file takes. Nothing of ONNX itself, and no reading."""

from __future__ import annotations

from typing import Final

_VARINT: Final = 0
_LENGTH_FIRST: Final = 2
"""Wire types: a number of variable length, and bytes with their length before them."""


def number(field: int, value: int) -> bytes:
    """An integer or enum field.

    Raises:
        ValueError: The value is negative, which nothing here needs.
    """
    return _varint(field << 3 | _VARINT) + _varint(value)


def block(field: int, content: bytes) -> bytes:
    """A field of bytes, or a message inside a message."""
    return _varint(field << 3 | _LENGTH_FIRST) + _varint(len(content)) + content


def text(field: int, value: str) -> bytes:
    """A string field."""
    return block(field, value.encode())


def packed(field: int, values: tuple[int, ...]) -> bytes:
    """A repeated integer field."""
    return block(field, b"".join(_varint(value) for value in values))


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first; the eighth says that more follow."""
    if value < 0:
        raise ValueError(f"only numbers from 0 on can be written, got {value}")
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
