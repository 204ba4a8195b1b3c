"""Encoded pictures into upright RGB, with every limit checked before the first pixel is decoded, and back.

The bytes are taken to be hostile. What a picture is gets decided by its content, never by a file's name. This module
reads no files and finds no faces.
"""

from __future__ import annotations

import io
import logging
import struct
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError, WebPImagePlugin

from mien.config import LimitSettings
from mien.errors import InputError, InputTooLargeError
from mien.media.signatures import looks_like
from mien.types import ImageFrame

DEFAULT_MAX_BYTES: Final[int] = LimitSettings().max_image_bytes
DEFAULT_MAX_PIXELS: Final[int] = LimitSettings().max_image_pixels

_FORMATS: Final = tuple(
    plugin.format
    for plugin in (JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile)
)
_BACKGROUND: Final = (255, 255, 255)
"""What shows through a transparent picture: white, as on a page."""

_SBIT_WITHIN: Final = 65_536
"""The chunk stands before palette and pixels; a colour profile may stand before it."""

_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what turns the picture upright; 1 is upright already."""

_OURS: Final = ("a JPEG picture", "a PNG picture", "a WebP picture")

_log = logging.getLogger(__name__)


class ImageFormat(StrEnum):
    """What ``encode_image`` writes."""

    JPEG = "JPEG"
    PNG = "PNG"


def decode_image(
    data: bytes,
    *,
    captured_at: float = 0.0,
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> ImageFrame:
    """Decode a JPEG, PNG or WebP.

    EXIF orientation is applied, CMYK and palettes become RGB, 16 bits are scaled to 8, transparency is laid on white,
    and of an animation the first picture is taken.

    Args:
        data: The encoded picture.
        captured_at: Seconds on the caller's clock, passed on.
        max_bytes: Longest ``data``.
        max_pixels: Largest width x height, read from the header before anything is decoded.

    Returns:
        The picture, upright.

    Raises:
        InputTooLargeError: It is over a limit.
        InputError: It is empty, of another format, damaged, or ends early.
    """
    if not data:
        raise InputError("the picture is empty (0 bytes); expected a JPEG, PNG or WebP")
    if len(data) > max_bytes:
        raise InputTooLargeError(
            f"the picture has {len(data):,} bytes, and the limit is {max_bytes:,}; send it smaller"
        )
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image.size, max_pixels)
            return ImageFrame(_upright_rgb(image, depth=_grey_depth(data)), captured_at=captured_at)
    except InputError:
        raise
    except MemoryError as error:
        raise InputTooLargeError("the picture needs more memory to decode than there is; send it smaller") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputTooLargeError(
            f"the picture's header declares too many pixels: the limit is {max_pixels:,}"
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(_describe_unknown(data)) from error
    except Exception as error:  # Pillow's parsers, fed hostile bytes, raise nearly everything; all of it means this
        raise InputError(_describe_damage(data)) from error


def encode_image(
    pixels: npt.NDArray[np.uint8], *, image_format: ImageFormat = ImageFormat.JPEG, quality: int = 90
) -> bytes:
    """Encode a picture.

    Args:
        pixels: uint8 RGB, ``[height, width, 3]``.
        image_format: What to write.
        quality: Of a JPEG, 1 to 95.

    Returns:
        The file's content.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=image_format.value, quality=quality)
    return buffer.getvalue()


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise InputTooLargeError(
            f"the picture is {width} x {height} = {width * height:,} pixels, and the limit is {max_pixels:,}; "
            "send it smaller"
        )


def _upright_rgb(image: Image.Image, *, depth: int) -> npt.NDArray[np.uint8]:
    """Decode an opened picture into uint8 RGB ``[height, width, 3]``; ``depth`` as ``_grey_depth`` gives it."""
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    eight_bit: Image.Image = _scaled_to_8_bits(image, depth) if image.mode.startswith("I") else image
    if eight_bit.has_transparency_data:
        eight_bit = eight_bit.convert("RGBA")
        backdrop = Image.new("RGBA", eight_bit.size, (*_BACKGROUND, 255))
        eight_bit = Image.alpha_composite(backdrop, eight_bit)
    rgb = eight_bit.convert("RGB")
    return np.asarray(rgb if turn is None else rgb.transpose(turn))


def _scaled_to_8_bits(image: Image.Image, depth: int) -> Image.Image:
    """A 16-bit grey picture scaled to 8 bits; Pillow's own conversion would clip it at 255.

    PNG wants fewer bits scaled to 16, and cameras often do not: values that fit into the bits that the file calls
    significant were not scaled.
    """
    values = np.asarray(image).astype(np.int64).clip(0, 65_535)
    brightest = 2**depth - 1 if values.max(initial=0) < 2**depth else 65_535
    return Image.fromarray(((values * 255 + brightest // 2) // brightest).astype(np.uint8))


def _grey_depth(data: bytes) -> int:
    """How many bits of a grey 16-bit PNG are significant, by its chunk sBIT, 9 to 16; 16 where it does not say."""
    marker = data.find(b"\x00\x00\x00\x01sBIT", 0, _SBIT_WITHIN)
    if marker < 0 or not data.startswith(b"\x89PNG"):
        return 16
    depth = data[marker + 8] if len(data) > marker + 8 else 16
    return depth if 8 < depth <= 16 else 16


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where the block cannot be read, since the picture itself may still be sound."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except (SyntaxError, struct.error, ValueError, LookupError, TypeError, OSError, EOFError) as error:
        _log.debug("unreadable EXIF block ignored: %s", error)
        return 1
    return value if isinstance(value, int) else 1


def _describe_unknown(data: bytes) -> str:
    name = looks_like(data)
    if name in _OURS or _ends_early(data):
        return _describe_damage(data)
    advice = ": convert it first" if name.endswith("picture") else ""
    hint = f"; it looks like {name}{advice}" if name else ""
    return f"not a JPEG, PNG or WebP picture, whatever its name says{hint}"


def _describe_damage(data: bytes) -> str:
    if _ends_early(data):
        return f"the file ends early: the picture is cut off after {len(data):,} bytes; send all of it"
    return "the picture is damaged and cannot be decoded; save it again as JPEG, PNG or WebP"


def _ends_early(data: bytes) -> bool:
    """Whether the format's own end is missing. Says why decoding failed, never whether to decode."""
    if data.startswith(b"\xff\xd8\xff"):
        return not data.rstrip(b"\0").endswith(b"\xff\xd9")
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data[-32:]
    if data.startswith(b"RIFF") and data[8:12] in (b"WEBP", b""):
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    return False
