"""Damages pictures, sound and videos of every kind that is read, thousands of times each, and counts what comes of it.

    python benchmarks/media_fuzz.py [--count 10000] [--kinds jpeg,WAV,clip.mp4] [--seed 0]

Each damaged file must become a picture, a clip or frames, or be refused with an ``InputError``. Anything else is a
finding: another exception, a process that ends, or more than ``SLOW_SECONDS`` for one file. Each kind is tried in a
process of its own, which is begun anew behind a file that ended it. Exit code 1 where
there is one.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from core.test_media_damage import FILES as SOUNDS
from core.test_media_formats import by_ffmpeg, by_libsndfile
from core.test_video_formats import CONTAINERS as VIDEOS
from core.test_video_formats import write as write_video

from mien import InputError
from mien.media.audio import decode_audio, read_sound_track
from mien.media.images import decode_image
from mien.media.video import read_video

SLOW_SECONDS: Final = 2.0

MAX_FRAMES: Final = 200
PICTURES: Final = {"jpeg": {}, "progressive jpeg": {"progressive": True}, "png": {}, "webp": {}}
STANDARD_25: Final = ("mxf", "mpeg")


def whole(kind: str, folder: Path) -> bytes:
    """An undamaged file."""
    if kind in PICTURES:
        shade = np.add.outer(np.arange(96), np.arange(128)).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(np.stack([shade, shade[::-1], shade[:, ::-1]], -1)).save(
            buffer, format=kind.split()[-1], **PICTURES[kind]
        )
        return buffer.getvalue()
    if kind in SOUNDS:
        by, form, codec, rate = SOUNDS[kind]
        return (by_libsndfile if by == "libsndfile" else by_ffmpeg)(form, codec, rate, 0.3)
    form, codec, pixels = VIDEOS[kind]
    rate = 25 if form in STANDARD_25 or codec == "mpeg2video" else 10
    return write_video(folder / kind, form=form, codec=codec, pixels=pixels, rate=rate).read_bytes()


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A copy with bytes changed anywhere or in its header, a number at its limit, a piece gone or doubled, or cut."""
    made = bytearray(content)
    at = chance.randrange(len(made))
    match chance.randrange(6):
        case 0:
            for _ in range(chance.randint(1, 20)):
                made[chance.randrange(len(made))] = chance.randrange(256)
        case 1:
            for _ in range(chance.randint(1, 4)):
                made[chance.randrange(min(len(made), 200))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        case 2:
            at = chance.randrange(min(len(made), 400))
            made[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x80"))
        case 3:
            del made[at : at + chance.randint(1, 400)]
        case 4:
            made[at:at] = made[at // 2 : at // 2 + chance.randint(1, 400)]
        case _:
            del made[at:]
    return bytes(made)


def reader(kind: str, path: Path) -> Callable[[bytes], None]:
    """What reads files of a kind, to their end."""
    if kind in PICTURES:
        return lambda data: _has_pixels(decode_image(data).pixels)
    if kind in SOUNDS:
        return lambda data: _finite(decode_audio(data, max_seconds=5.0).samples)

    def video(data: bytes) -> None:
        path.write_bytes(data)
        for frame in islice(read_video(path, every=0.0), MAX_FRAMES):
            _has_pixels(frame.pixels)
        read_sound_track(path, max_seconds=5.0)

    return video


def _has_pixels(pixels: np.ndarray) -> None:
    assert pixels.size


def _finite(samples: np.ndarray) -> None:
    assert np.isfinite(samples).all()
    assert np.abs(samples).max(initial=0.0) <= 1.0


def try_kind(kind: str, start: int, count: int, seed: int) -> None:
    """In a process of its own: a line before each file, with its number, and one after it: what came of it."""
    report = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a decoder prints of its own goes to /dev/null
    with tempfile.TemporaryDirectory() as name:
        content, read = whole(kind, Path(name)), reader(kind, Path(name) / "damaged")
        for number in range(start, count):
            data = damaged(content, random.Random(f"{seed} {kind} {number}"))
            report.write(f"{number} ")
            report.flush()
            began = time.perf_counter()
            try:
                read(data)
                came = "read"
            except InputError:
                came = "refused"
            except BaseException as error:
                came = f"{type(error).__name__}: {str(error)[:120]!r}"
            took = time.perf_counter() - began
            report.write(f"{'SLOW ' if took > SLOW_SECONDS else ''}{came}\n")
            report.flush()


def outcomes(kind: str, count: int, seed: int) -> Iterator[tuple[int, str]]:
    """Number of a damaged file, and what came of it."""
    start = 0
    while start < count:
        command = [
            sys.executable,
            __file__,
            "--one",
            kind,
            "--start",
            str(start),
            "--count",
            str(count),
            "--seed",
            str(seed),
        ]
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as child,
        ):
            assert child.stdout is not None
            last = start
            for line in child.stdout:
                number, _, came = line.rstrip("\n").partition(" ")
                last = int(number)
                yield last, came or "ENDED"
                start = last + 1
        if child.returncode != 0 and start < count:
            yield start, f"ENDED the process ({child.returncode})"
            start += 1


def main() -> int:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=10_000, help="damaged files of each kind")
    parser.add_argument("--kinds", help="only these, with commas between them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        try_kind(asked.one, asked.start, asked.count, asked.seed)
        return 0
    kinds = asked.kinds.split(",") if asked.kinds else [*PICTURES, *SOUNDS, *VIDEOS]
    findings = 0
    print("| kind | damaged files | read | refused | found | seconds |\n|---|---|---|---|---|---|")
    for kind in kinds:
        began, told = time.perf_counter(), Counter[str]()
        for number, came in outcomes(kind, asked.count, asked.seed):
            told[came if came in ("read", "refused") else "found"] += 1
            if came not in ("read", "refused"):
                print(f"  {kind} {number}: {came}", file=sys.stderr)
        findings += told["found"]
        took = time.perf_counter() - began
        print(
            f"| {kind} | {asked.count} | {told['read']} | {told['refused']} | {told['found']} | {took:.0f} |",
            flush=True,
        )
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())
