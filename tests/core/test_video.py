"""Reading videos: times, files cut off, and files that are none."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien import InputError
from mien.media.video import VideoEndsEarlyError, probe, read_video

RATE = 10.0
FRAMES = 40


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Four seconds whose red brightens from frame to frame."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (64, 48))
    for index in range(FRAMES):
        writer.write(np.full((48, 64, 3), (0, 0, index * 6), np.uint8))
    writer.release()
    return path


def test_frames_come_every_so_often_with_their_times(video: Path) -> None:
    frames = list(read_video(video, every=1.0))
    assert [frame.captured_at for frame in frames] == pytest.approx([0.0, 1.0, 2.0, 3.0])
    assert frames[2].pixels.shape == (48, 64, 3)
    red, green, blue = frames[2].pixels.mean(axis=(0, 1))
    assert red == pytest.approx(120, abs=8)  # frame 20, and red comes first
    assert max(green, blue) < 12


def test_zero_gives_every_frame(video: Path) -> None:
    assert len(list(read_video(video, every=0))) == FRAMES


@pytest.mark.parametrize("every", [-1.0, float("nan"), float("inf")])
def test_a_senseless_interval_is_refused(video: Path, every: float) -> None:
    with pytest.raises(ValueError, match="every"):
        next(read_video(video, every=every))


def test_probe_says_what_the_file_says(video: Path) -> None:
    info = probe(video)
    assert (info.width, info.height, info.frame_rate, info.frame_count) == (64, 48, RATE, FRAMES)
    assert info.seconds == pytest.approx(4.0)


def test_a_broken_tail_gives_what_came_before_and_then_says_so(video: Path) -> None:
    content = video.read_bytes()
    video.write_bytes(content[: len(content) * 4 // 5])
    frames = read_video(video, every=1.0)
    assert [next(frames).captured_at for _ in range(2)] == pytest.approx([0.0, 1.0])
    with pytest.raises(VideoEndsEarlyError, match=r"ends early: 3\.\d of 4\.0 s"):
        list(frames)


@pytest.mark.parametrize("content", [b"", b"this is a letter", b"\0" * 5000, b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"clip\.mp4: (not a video|the file is empty)"):
        next(read_video(path, every=1.0))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.mp4: there is no such file"):
        next(read_video(tmp_path / "gone.mp4", every=1.0))
