"""Damaged sound files: each becomes a clip or is refused in words, and the process lives.

What decodes is other people's C; so that its end would be seen, each format is tried in a process of its own.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mien import InputError
from mien.media.audio import decode_audio, read_sound_track

MUTATIONS = 200
SECONDS = 0.3


def mutations(data: bytes, count: int) -> list[bytes]:
    """The same for the same file: flipped bytes, most of them in the header, what is cut out, doubled, or left off."""
    chance = random.Random(len(data))
    found = []
    for number in range(count):
        changed = bytearray(data)
        kind = number % 5
        place = chance.randrange(len(data))
        if kind == 0:
            for _ in range(chance.randrange(1, 4)):
                changed[chance.randrange(min(len(data), 120))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0x20))
        elif kind == 1:
            for _ in range(chance.randrange(1, 30)):
                changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del changed[place:]
        elif kind == 3:
            del changed[place : place + chance.randrange(1, 200)]
        else:
            changed[place:place] = changed[place // 2 : place // 2 + chance.randrange(1, 200)]
        found.append(bytes(changed))
    return found


def try_all(path: Path) -> None:
    """In the process of its own."""
    whole = path.read_bytes()
    mutant = path.with_name("mutant")
    for number, data in enumerate(mutations(whole, MUTATIONS)):
        with contextlib.suppress(InputError):
            clip = decode_audio(data, max_seconds=5.0)
            assert np.isfinite(clip.samples).all(), number
            assert np.abs(clip.samples).max(initial=0.0) <= 1.0, number
        if number % 4 == 0:
            mutant.write_bytes(data)
            with contextlib.suppress(InputError):
                read_sound_track(mutant, max_seconds=5.0)
    sys.stdout.write("all tried\n")


if __name__ == "__main__":
    try_all(Path(sys.argv[1]))
else:
    from core.test_media_formats import by_ffmpeg, by_libsndfile  # skips this module too where the extra is missing

    FILES = {
        **{
            kind: ("libsndfile", kind, "PCM_16", 16_000) for kind in ("WAV", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC")
        },
        "WAV-ADPCM": ("libsndfile", "WAV", "IMA_ADPCM", 8_000),
        "CAF-ALAC": ("libsndfile", "CAF", "ALAC_16", 16_000),
        "OGG": ("libsndfile", "OGG", "VORBIS", 16_000),
        "OPUS": ("libsndfile", "OGG", "OPUS", 16_000),
        "MP3": ("libsndfile", "MP3", "MPEG_LAYER_III", 16_000),
        "AAC": ("ffmpeg", "adts", "aac", 16_000),
        "AMR": ("ffmpeg", "amr", "libopencore_amrnb", 8_000),
        "M4A": ("ffmpeg", "ipod", "aac", 16_000),
        "WEBM": ("ffmpeg", "webm", "libopus", 48_000),
        "WMA": ("ffmpeg", "asf", "wmav2", 44_100),
    }

    @pytest.mark.parametrize("name", FILES)
    def test_a_damaged_file_is_a_clip_or_refused(name: str, tmp_path: Path) -> None:
        by, kind, codec, rate = FILES[name]
        make = by_libsndfile if by == "libsndfile" else by_ffmpeg
        path = tmp_path / "whole"
        path.write_bytes(make(kind, codec, rate, SECONDS))
        ran = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{ran.returncode}: {ran.stderr[-2000:]}"
        assert ran.stdout == "all tried\n"
        assert "Traceback" not in ran.stderr
