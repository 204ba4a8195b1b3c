"""Decoding pictures: every form that people send, every kind of damage, and limits that hold before decoding."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mien import ImageFrame, InputError, InputTooLargeError
from mien.media.images import ImageFormat, decode_image, encode_image

FORMATS = ("JPEG", "PNG", "WEBP")
TOLERANCE = 12
"""How far lossy coding may move a pixel of a plain picture."""


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def two_halves(left: tuple[int, int, int] = (200, 30, 30), right: tuple[int, int, int] = (30, 30, 200)) -> Image.Image:
    """64 wide, 32 high: one colour at the left, another at the right."""
    pixels = np.empty((32, 64, 3), np.uint8)
    pixels[:, :32], pixels[:, 32:] = left, right
    return Image.fromarray(pixels)


@cache
def sound_file(image_format: str) -> bytes:
    """A picture with enough detail that every part of the file matters."""
    noise = np.random.default_rng(7).integers(0, 256, (40, 56, 3), np.uint8)
    return encoded(Image.fromarray(noise), image_format)


def assert_colour(frame: ImageFrame, y: int, x: int, colour: tuple[int, int, int]) -> None:
    assert np.abs(frame.pixels[y, x].astype(int) - colour).max() <= TOLERANCE, frame.pixels[y, x]


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and ends where its pixels would begin."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG whose header was changed to declare another size."""
    data = bytearray(encoded(two_halves(), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_picture_comes_out_as_rgb_in_place(image_format: str) -> None:
    frame = decode_image(encoded(two_halves(), image_format), captured_at=3.5)
    assert frame.pixels.shape == (32, 64, 3)
    assert frame.captured_at == 3.5
    assert_colour(frame, 16, 8, (200, 30, 30))
    assert_colour(frame, 16, 56, (30, 30, 200))


@pytest.mark.parametrize("image_format", FORMATS)
def test_one_pixel_is_a_picture(image_format: str) -> None:
    frame = decode_image(encoded(Image.new("RGB", (1, 1), (255, 0, 0)), image_format))
    assert frame.pixels.shape == (1, 1, 3)
    assert_colour(frame, 0, 0, (255, 0, 0))


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture_upright(image_format: str, orientation: int) -> None:
    upright = np.zeros((32, 64, 3), np.uint8)
    upright[:16, :32] = 250  # a bright upper left quarter tells all eight orientations apart
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    frame = decode_image(encoded(Image.fromarray(np.ascontiguousarray(stored)), image_format, exif=exif))
    assert frame.pixels.shape == upright.shape
    assert np.abs(frame.pixels.astype(int) - upright).mean() < TOLERANCE


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow says so, and goes on
def test_an_unreadable_exif_block_does_not_cost_the_picture() -> None:
    frame = decode_image(encoded(two_halves(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage"))
    assert frame.pixels.shape == (32, 64, 3)


def test_cmyk_becomes_rgb() -> None:
    assert_colour(decode_image(encoded(two_halves().convert("CMYK"), "JPEG")), 16, 8, (200, 30, 30))


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.array([[0, 257 * 100, 257 * 200, 65_535]], np.uint16)
    frame = decode_image(encoded(Image.fromarray(values), "PNG"))
    assert frame.pixels[0, :, 0].tolist() == [0, 100, 200, 255]


def grey_png(values: npt.NDArray[np.uint16], significant: int | None) -> bytes:
    """A 16-bit grey PNG that says in sBIT how many bits are significant."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    said = chunk(b"sBIT", bytes([significant])) if significant is not None else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + said + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [10, 12])
def test_grey_of_ten_or_twelve_bits_is_as_bright_as_it_was(bits: int) -> None:
    low = np.array([[0, 2 ** (bits - 1), 2**bits - 1]], np.uint16)
    scaled = (low.astype(np.uint32) * 65_535 // (2**bits - 1)).astype(np.uint16)
    for values in (low, scaled):
        assert decode_image(grey_png(values, bits)).pixels[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("significant", [None, 0, 8, 16, 17, 255])
def test_dark_grey_of_sixteen_bits_stays_dark(significant: int | None) -> None:
    assert decode_image(grey_png(np.array([[0, 257, 514]], np.uint16), significant)).pixels[0, :, 0].tolist() == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_other_png_modes_become_rgb(mode: str) -> None:
    assert decode_image(encoded(two_halves().convert(mode), "PNG")).pixels.shape == (32, 64, 3)


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_transparency_is_laid_on_white(image_format: str) -> None:
    image = two_halves().convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat(np.uint8([[0] * 32 + [255] * 32]), 32, axis=0)))
    frame = decode_image(encoded(image, image_format))
    assert_colour(frame, 16, 8, (255, 255, 255))
    assert_colour(frame, 16, 56, (30, 30, 200))


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_taken(image_format: str) -> None:
    rest = [Image.new("RGB", (16, 16), "blue")]
    frame = decode_image(encoded(Image.new("RGB", (16, 16), "red"), image_format, save_all=True, append_images=rest))
    assert_colour(frame, 8, 8, (255, 0, 0))


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        decode_image(b"")


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("share", [0.002, 0.02, 0.5, 0.9])
def test_a_truncated_picture_is_refused_as_such(image_format: str, share: float) -> None:
    data = sound_file(image_format)
    with pytest.raises(InputError, match="ends early"):
        decode_image(data[: max(4, int(len(data) * share))])


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"hello, this is a letter", "not a JPEG, PNG or WebP"),
        (encoded(two_halves(), "GIF"), "looks like a GIF"),
        (encoded(two_halves(), "BMP"), "looks like a BMP"),
        (encoded(two_halves(), "TIFF"), "looks like a TIFF picture: convert it first"),
        (b"\0\0\0\x18ftypheic0000", "looks like a HEIC picture"),
        (b"\0\0\0\x18ftypavif0000", "looks like an AVIF picture"),
        (b"FORM\0\0\1\0AIFFCOMM", "looks like AIFF sound"),
        (b"RIFF\0\0\1\0WAVEfmt ", "looks like WAV sound"),
        (b"RIFF\0\0\1\0AVI LIST", "looks like an AVI video"),
        (b"<!DOCTYPE html><html></html>", "looks like a web page"),
        (b"%PDF-1.7 and so on", "looks like a PDF"),
        (b"\0\0\0\x18ftypisom0000", "looks like an MP4"),
        (b"\0" * 1000, "not a JPEG, PNG or WebP"),
    ],
)
def test_another_format_is_refused_and_named(data: bytes, named: str) -> None:
    with pytest.raises(InputError, match=named):
        decode_image(data)


def test_a_picture_with_a_damaged_header_is_damaged_and_nothing_else() -> None:
    data = bytearray(sound_file("PNG"))
    data[29] ^= 1  # the header's checksum
    with pytest.raises(InputError, match="the picture is damaged"):
        decode_image(bytes(data))


@pytest.mark.parametrize("make", [png_header, jpeg_header])
@pytest.mark.parametrize("size", [(65_000, 65_000), (10_000, 9_500), (2_001, 2_000)])
def test_a_picture_too_large_by_its_header_is_refused_before_decoding(
    make: Callable[[int, int], bytes], size: tuple[int, int]
) -> None:
    with pytest.raises(InputTooLargeError, match="4,000,000"):
        decode_image(make(*size))  # there are no pixels to decode: decoding would say "damaged"


def test_a_webp_too_large_by_its_header_is_refused_before_decoding() -> None:
    with pytest.raises(InputTooLargeError, match="3000 x 2000"):
        decode_image(encoded(Image.new("RGB", (3000, 2000)), "WEBP", lossless=True))


def test_the_pixel_limit_itself_is_allowed() -> None:
    data = encoded(two_halves(), "PNG")
    assert decode_image(data, max_pixels=64 * 32).pixels.shape == (32, 64, 3)
    with pytest.raises(InputTooLargeError, match="64 x 32"):
        decode_image(data, max_pixels=64 * 32 - 1)


def test_too_many_bytes_are_refused() -> None:
    data = encoded(two_halves(), "PNG")
    assert decode_image(data, max_bytes=len(data)).pixels.shape == (32, 64, 3)
    with pytest.raises(InputTooLargeError, match="bytes"):
        decode_image(data, max_bytes=len(data) - 1)


def test_encoding_as_png_keeps_every_pixel() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 3), np.uint8)
    assert np.array_equal(decode_image(encode_image(pixels, image_format=ImageFormat.PNG)).pixels, pixels)


def test_encoding_as_jpeg_comes_close() -> None:
    assert_colour(decode_image(encode_image(np.asarray(two_halves()))), 16, 8, (200, 30, 30))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBPVP8 "]), st.binary(max_size=300)
)
def test_no_bytes_raise_anything_but_input_errors(start: bytes, rest: bytes) -> None:
    try:
        frame = decode_image(start + rest)
    except InputError:
        return
    assert frame.pixels.dtype == np.uint8


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_no_truncation_raises_anything_but_input_errors(image_format: str, data: st.DataObject) -> None:
    content = sound_file(image_format)
    length = data.draw(st.integers(0, len(content) - 1))
    try:
        frame = decode_image(content[:length])
    except InputError:
        return
    assert frame.pixels.shape == (40, 56, 3)  # nothing but trailing bytes was missing


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(FORMATS), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8)
)
def test_no_corruption_raises_anything_but_input_errors(image_format: str, changes: list[tuple[float, int]]) -> None:
    content = bytearray(sound_file(image_format))
    for place, value in changes:
        content[int(place * len(content))] = value
    try:
        frame = decode_image(bytes(content))
    except InputError:
        return
    assert frame.pixels.size <= 3 * 4_000_000
