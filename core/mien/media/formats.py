"""What kind of sound file some bytes are, by how they begin; nothing is decoded here.

To add a format, add it to ``_FORMATS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mien.errors import InputError


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """A kind of file.

    Attributes:
        name: As people call it.
        magic: Bytes that such a file has, and where.
        demuxer: What FFmpeg's libraries read it with, and nothing else: some of what they can read names other files.
        is_libsndfiles: libsndfile is asked first.
    """

    name: str
    magic: tuple[tuple[int, bytes], ...]
    demuxer: str
    is_libsndfiles: bool

    @property
    def holds_many_codecs(self) -> bool:
        """Some of which only FFmpeg's libraries know."""
        return self.name not in ("FLAC", "MP3")


def _format(name: str, demuxer: str, *magic: tuple[int, bytes], libsndfile: bool = False) -> SoundFormat:
    return SoundFormat(name, magic, demuxer, libsndfile)


MP3: Final = _format("MP3", "mp3", libsndfile=True)
AAC: Final = _format("AAC", "aac")
_FORMATS: Final = (
    *(_format("WAV", "wav", (0, magic), libsndfile=True) for magic in (b"RIFF", b"RIFX", b"RF64", b"BW64")),
    _format("W64", "w64", (0, b"riff\x2e\x91\xcf\x11"), libsndfile=True),
    _format("FLAC", "flac", (0, b"fLaC"), libsndfile=True),
    _format("OGG", "ogg", (0, b"OggS"), libsndfile=True),
    _format("AIFF", "aiff", (0, b"FORM"), (8, b"AIFF"), libsndfile=True),
    _format("AIFF", "aiff", (0, b"FORM"), (8, b"AIFC"), libsndfile=True),
    _format("CAF", "caf", (0, b"caff")),  # libsndfile prints on stdout where ALAC is damaged
    _format("AU", "au", (0, b".snd"), libsndfile=True),
    _format("AMR", "amr", (0, b"#!AMR")),
    *(_format("MP4", "mov", (4, magic)) for magic in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
    _format("WebM", "matroska", (0, b"\x1a\x45\xdf\xa3")),
    _format("WMA", "asf", (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
)
_KINDS: Final = "WAV, FLAC, OGG, MP3, M4A or MP4, WebM, AAC, AMR, AIFF, CAF, AU, W64 or WMA"
_ID3_HEADER: Final = 10
_SYNC: Final = 0xFFE0  # an MPEG audio frame without a tag before it starts with eleven set bits
_LAYER: Final = 0x0006  # of such a frame; 0 is AAC's


def recognise(data: bytes) -> tuple[SoundFormat, bytes]:
    """Tell what a file is.

    Args:
        data: The whole file.

    Returns:
        Its kind, and the file without the ID3 tag that some programs put before what is no MP3.

    Raises:
        InputError: It is empty or of no kind that is known here.
    """
    if not data:
        raise InputError(f"the sound is empty; send the bytes of a {_KINDS} file")
    found = _by_magic(data)
    if found is not None:
        return found, data
    if data.startswith(b"ID3"):
        rest = data[_tag_length(data) :]
        found = _by_magic(rest)
        return (MP3, data) if found is None or found is MP3 else (found, rest)
    raise InputError(f"this is no {_KINDS} sound: it starts with {data[:8]!r}")


def _by_magic(data: bytes) -> SoundFormat | None:
    for each in _FORMATS:
        if all(data.startswith(magic, place) for place, magic in each.magic):
            return each
    start = int.from_bytes(data[:2], "big")
    if len(data) < 2 or start & _SYNC != _SYNC:
        return None
    return MP3 if start & _LAYER else AAC


def _tag_length(data: bytes) -> int:
    """Bytes of an ID3v2 tag, whose size is written in groups of seven bits."""
    size = 0
    for byte in data[6:_ID3_HEADER]:
        size = size << 7 | byte & 0x7F
    return _ID3_HEADER + size
