"""Videos as people have them: container by codec by trouble, made here, read with the right times and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from mien import ImageFrame, InputError
from mien.media import video
from mien.media.audio import read_sound_track
from mien.media.containers import has_picture
from mien.media.video import VideoEndsEarlyError, read_video

RATE = 10
COUNT = 20
HEIGHT, WIDTH = 96, 128
MUTATIONS = 40
"""Of each kind of file."""

CONTAINERS = {
    "clip.mp4": ("mp4", "libx264", "yuv420p"),
    "clip.mov": ("mov", "libx264", "yuv420p"),
    "clip.mkv": ("matroska", "libx264", "yuv420p"),
    "clip.avi": ("avi", "mpeg4", "yuv420p"),
    "motion.avi": ("avi", "mjpeg", "yuvj420p"),
    "clip.ts": ("mpegts", "libx264", "yuv420p"),
    "clip.m2ts": ("mpegts", "mpeg2video", "yuv420p"),
    "clip.mpg": ("mpeg", "mpeg1video", "yuv420p"),
    "clip.flv": ("flv", "libx264", "yuv420p"),
    "clip.wmv": ("asf", "msmpeg4", "yuv420p"),
    "clip.webm": ("webm", "libvpx", "yuv420p"),
    "clip.3gp": ("3gp", "mpeg4", "yuv420p"),
    "clip.mxf": ("mxf", "mpeg2video", "yuv420p"),
    "lossless.mkv": ("matroska", "ffv1", "yuv444p"),
}


def picture(index: int) -> npt.NDArray[np.uint8]:
    """Red above, blue below; green grows from frame to frame."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[: HEIGHT // 2, :, 0] = 200
    pixels[HEIGHT // 2 :, :, 2] = 200
    pixels[..., 1] = index * 8
    return pixels


def write(
    path: Path,
    *,
    form: str = "mp4",
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Sequence[float] | None = None,
    options: dict[str, str] | None = None,
    shape: Fraction | None = None,
    rate: int = RATE,
) -> Path:
    times = [index / rate for index in range(COUNT)] if times is None else times
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        base = Fraction(1, rate * 100) if codec == "libx264" and form in ("mp4", "matroska") else Fraction(1, rate)
        stream.codec_context.time_base = base
        for index, seconds in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = round(seconds / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _until_told(frames: Iterator[ImageFrame]) -> Iterator[ImageFrame]:
    """Frames up to the end, told or not: not every container says how long it should be."""
    try:
        yield from frames
    except VideoEndsEarlyError:
        return


def index_of(pixels: npt.NDArray[np.uint8]) -> float:
    return float(pixels[..., 1].mean()) / 8


@pytest.mark.parametrize("name", CONTAINERS)
def test_each_kind_gives_its_frames_with_their_times(name: str, tmp_path: Path) -> None:
    form, codec, pixels = CONTAINERS[name]
    rate = 25 if form in ("mxf", "mpeg") or codec == "mpeg2video" else RATE  # those know few rates
    path = write(tmp_path / name, form=form, codec=codec, pixels=pixels, rate=rate)

    frames = list(read_video(path, every=10 / rate))

    assert [frame.captured_at for frame in frames] == pytest.approx([0.0, 10 / rate], abs=0.5 / rate)
    for frame, index in zip(frames, (0, 10), strict=True):
        assert frame.pixels.shape == (HEIGHT, WIDTH, 3)
        assert index_of(frame.pixels) == pytest.approx(index, abs=1.5)
        assert frame.pixels[:40, :, 0].mean() > 150 > 60 > frame.pixels[:40, :, 2].mean()


@pytest.mark.parametrize("gop", [1, 4, 50])
@pytest.mark.parametrize("every", [0.0, 0.3, 1.5])
def test_the_same_frames_come_whatever_is_skipped_between(every: float, gop: int, tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mp4", options={"g": str(gop), "bf": "2"})

    frames = list(read_video(path, every=every))

    step = max(1, round(every * RATE))
    assert [round(frame.captured_at * RATE) for frame in frames] == list(range(0, COUNT, step))
    assert [round(index_of(frame.pixels)) for frame in frames] == pytest.approx(list(range(0, COUNT, step)), abs=1)


def test_uneven_times_are_those_of_the_file(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 1.4, 1.45, 3.0]
    path = write(tmp_path / "clip.mkv", form="matroska", times=times)

    assert [frame.captured_at for frame in read_video(path, every=0)] == pytest.approx(times, abs=0.002)
    assert [frame.captured_at for frame in read_video(path, every=1.0)] == pytest.approx([0.0, 1.4, 3.0], abs=0.002)


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"flags": "+ildct+ilme", "x264-params": "tff=1"}),
        ("mpeg2video", {"flags": "+ildct+ilme"}),
        ("mpeg4", {"flags": "+ildct+ilme"}),
    ],
)
def test_interlaced_pictures_are_whole_and_bright(codec: str, options: dict[str, str], tmp_path: Path) -> None:
    rate = 25 if codec == "mpeg2video" else RATE
    path = write(tmp_path / "clip.mkv", form="matroska", codec=codec, options=options, rate=rate)

    frames = list(read_video(path, every=0))

    assert len(frames) == COUNT
    assert frames[8].pixels[:40, :, 0].mean() > 150
    rows = frames[8].pixels[4:40, :, 1].mean(axis=1)
    assert np.ptp(rows) < 8  # rows of one moment, not of two in turn


@pytest.mark.parametrize(("shape", "size"), [(Fraction(2, 1), (256, 96)), (Fraction(1, 2), (128, 192))])
def test_pixels_become_square(shape: Fraction, size: tuple[int, int], tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mkv", form="matroska", shape=shape)

    assert next(read_video(path, every=0)).pixels.shape == (size[1], size[0], 3)


def test_a_trimmed_recording_is_no_broken_one(tmp_path: Path) -> None:
    """A phone trims without coding anew: frames before the cut stay in the file, and an edit list leaves them out."""
    whole, trimmed = write(tmp_path / "whole.mp4", options={"g": "250"}), tmp_path / "trimmed.mp4"
    with av.open(str(whole)) as source, av.open(str(trimmed), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.pts -= round(0.8 / packet.time_base)
                packet.dts -= round(0.8 / packet.time_base)
                packet.stream = copy
                target.mux(packet)

    frames = list(read_video(trimmed, every=0))

    assert [round(frame.captured_at * RATE) for frame in frames] == list(range(COUNT - 8))
    assert index_of(frames[0].pixels) == pytest.approx(8, abs=1)


@pytest.mark.parametrize("name", [b"caf\xe9.mp4", b"12:30:00.mp4", b"file:a.mp4", b"clip"])
def test_any_name_will_do(name: bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    write(tmp_path / "plain.mp4").rename(path)

    assert len(list(read_video(path, every=1.0))) == 2
    assert has_picture(path)


@pytest.mark.parametrize("form", ["matroska", "mpegts", "flv"])
def test_a_cut_file_gives_what_is_there(form: str, tmp_path: Path) -> None:
    path = write(tmp_path / "clip", form=form, options={"g": "2"})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    frames = read_video(path, every=0)

    assert [round(next(frames).captured_at * RATE) for _ in range(3)] == [0, 1, 2]
    assert sum(1 for _ in _until_told(frames)) < COUNT - 3


def damaged(content: bytes, random: Random) -> bytes:
    """A copy with some bytes changed, a piece missing, or the end cut off."""
    made = bytearray(content)
    at = random.randrange(1, len(made))
    match random.randrange(3):
        case 0:
            for _ in range(random.randint(1, 20)):
                made[random.randrange(len(made))] = random.randrange(256)
        case 1:
            del made[at : at + random.randint(1, 400)]
        case _:
            del made[at:]
    return bytes(made)


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_damaged_video_gives_frames_or_is_refused(name: str, tmp_path: Path) -> None:
    form, codec, pixels = CONTAINERS[name]
    rate = 25 if form in ("mxf", "mpeg") or codec == "mpeg2video" else RATE
    content = write(tmp_path / name, form=form, codec=codec, pixels=pixels, rate=rate).read_bytes()
    random, path = Random(0), tmp_path / "damaged"
    given, refusals = 0, []
    for _ in range(MUTATIONS):
        path.write_bytes(damaged(content, random))
        try:
            given += sum(1 for _ in islice(read_video(path, every=0), 10 * COUNT))
            read_sound_track(path)
        except InputError as error:
            refusals.append(str(error))
    assert 0 < given <= COUNT * MUTATIONS * 2
    assert len(refusals) < MUTATIONS
    assert all(str(path) in each for each in refusals)


def test_frames_whose_colours_are_damaged_cost_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, convert = write(tmp_path / "clip.ts", form="mpegts", codec="mpeg2video", rate=25), video.rgb
    calls = iter(range(COUNT))

    def rgb(*arguments: Any) -> npt.NDArray[np.uint8]:
        if next(calls) % 4 == 0:
            raise OSError(95, "Operation not supported")
        return convert(*arguments)

    monkeypatch.setattr(video, "rgb", rgb)
    frames = read_video(path, every=0)
    given = list(islice(frames, COUNT - 5))
    assert len(given) == COUNT - 5
    with pytest.raises(VideoEndsEarlyError, match=r"5 of \d+ packets of the video are damaged"):
        next(frames)


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    write(tmp_path / "secret.ts", form="mpegts")
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.ts\n#EXT-X-ENDLIST\n")

    with pytest.raises(InputError, match="not a video that can be opened; it looks like plain text"):
        next(read_video(path, every=1.0))


def test_sound_alone_has_nothing_to_see(tmp_path: Path) -> None:
    path = tmp_path / "note.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    assert not has_picture(path)
    with pytest.raises(InputError, match="nothing to see"):
        next(read_video(path, every=1.0))
