"""What a file is by its first bytes, in words: for messages about files that cannot be read as what they pass for.

Nothing is decoded here.
"""

from __future__ import annotations

from typing import Final

LONGEST: Final = 512
"""So many bytes are enough."""

_STARTS: Final = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"8BPS", "a Photoshop picture"),
    (b"\0\0\x01\0", "an ICO picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"fLaC", "FLAC sound"),
    (b"ID3", "MP3 sound"),
    (b"\xff\xfb", "MP3 sound"),
    (b"\xff\xf3", "MP3 sound"),
    (b"\xff\xf2", "MP3 sound"),
    (b"\xff\xf1", "AAC sound"),
    (b"\xff\xf9", "AAC sound"),
    (b"#!AMR", "AMR sound"),
    (b"caff", "CAF sound"),
    (b".snd", "AU sound"),
    (b"OggS", "an Ogg sound or video"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (b"FLV\x01", "an FLV video"),
    (b"\0\0\x01\xba", "an MPEG video"),
    (b"\0\0\x01\xb3", "an MPEG video"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMV or WMA file"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
)
_CHUNKS: Final = {
    (b"RIFF", b"WAVE"): "WAV sound",
    (b"RIFF", b"AVI "): "an AVI video",
    (b"RIFF", b"WEBP"): "a WebP picture",
    (b"FORM", b"AIFF"): "AIFF sound",
    (b"FORM", b"AIFC"): "AIFF sound",
}
"""First four bytes, and those behind the length."""

_BRANDS: Final = (
    ((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "a HEIC picture"),
    ((b"avif", b"avis"), "an AVIF picture"),
    ((b"M4A ", b"M4B "), "M4A sound"),
    ((b"qt  ",), "a QuickTime video"),
)
"""Of the ISO base media format, whose other brands are videos."""

_TEXTS: Final = ((("<!doctype html", "<html"), "a web page"), (("<svg", "<?xml"), "an SVG or XML file"))


def looks_like(data: bytes) -> str:
    """What a file seems to be, such as ``a GIF picture``; empty where its first ``LONGEST`` bytes tell nothing."""
    start = data[:LONGEST]
    for magic, name in _STARTS:
        if start.startswith(magic):
            return name
    if start[4:8] == b"ftyp":
        return next((name for brands, name in _BRANDS if start[8:12] in brands), "an MP4 video")
    if (chunk := _CHUNKS.get((start[:4], start[8:12]))) is not None:
        return chunk
    if start[:1] == b"\x47" and start[188:189] == b"\x47":
        return "an MPEG transport stream"
    return _text(start)


def _text(start: bytes) -> str:
    try:
        text = start.decode("ascii")
    except UnicodeDecodeError:
        return ""
    if not text or not all(each.isprintable() or each.isspace() for each in text):
        return ""
    begin = text.lstrip().lower()
    return next((name for starts, name in _TEXTS if begin.startswith(starts)), "plain text")
