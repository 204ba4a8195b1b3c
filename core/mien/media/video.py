"""Video files into upright RGB frames with their times, by the decoder in OpenCV's wheel: no ffmpeg program needed.

Frames only; the sound track is read elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.errors import InputError, InputTooLargeError
from mien.media.signatures import LONGEST, looks_like
from mien.types import ImageFrame

MAX_FRAME_PIXELS: Final = 40_000_000
"""Width x height of one frame: a little over 8K video."""

_SHORTFALL_FRAMES: Final = 2
_SHORTFALL_SHARE: Final = 0.02
"""A container's frame count is often off by a frame or two; only a larger shortfall means a broken tail."""


class VideoEndsEarlyError(InputError):
    """The frames that could be read were all given out; the file says there should be more."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a container says of its video; not always the truth.

    Attributes:
        width: Pixels.
        height: Pixels.
        frame_rate: Frames a second; 0 if unknown.
        frame_count: 0 if unknown.
    """

    width: int
    height: int
    frame_rate: float
    frame_count: int

    @property
    def seconds(self) -> float:
        """Length; 0 if unknown."""
        return self.frame_count / self.frame_rate if self.frame_rate > 0 else 0.0


def probe(path: Path) -> VideoInfo:
    """Read what the container says, decoding as little as it takes.

    Raises:
        InputError: There is no such file, or it is not a video that can be opened.
    """
    with _opened(path) as capture:
        return _info(capture)


def read_video(path: Path, *, every: float) -> Iterator[ImageFrame]:
    """Give out frames, one every so many seconds of the video.

    Args:
        path: The file.
        every: Seconds between two frames, not negative; 0 gives out each frame.

    Yields:
        Frames in order; ``captured_at`` is the time in the video, seconds from its start.

    Raises:
        ValueError: ``every`` is negative, NaN or infinite.
        InputError: There is no such file, or no frame of it can be read.
        InputTooLargeError: Its frames are too large.
        VideoEndsEarlyError: After the last readable frame, where the file says there should be more.
    """
    if not (math.isfinite(every) and every >= 0):
        raise ValueError(f"every must be finite and not negative, got {every}")
    with _opened(path) as capture:
        info = _info(capture)
        if info.width * info.height > MAX_FRAME_PIXELS:
            raise InputTooLargeError(
                f"{path}: frames of {info.width} x {info.height} pixels, and the limit is {MAX_FRAME_PIXELS:,} pixels"
            )
        yield from _due_frames(capture, info, every, path)


def _due_frames(capture: Any, info: VideoInfo, every: float, path: Path) -> Iterator[ImageFrame]:
    import cv2

    due = 0.0
    seconds = 0.0
    count = 0
    while capture.grab():  # demuxes and decodes; retrieve() pays for the conversion to a picture
        seconds = _time_of(capture, info, count, seconds)
        count += 1
        if seconds + 1e-6 < due:
            continue
        decoded, bgr = capture.retrieve()
        if not decoded or bgr is None:
            break
        yield ImageFrame(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8), captured_at=seconds)
        if every > 0:
            due = (math.floor((seconds + 1e-6) / every) + 1) * every
    _check_complete(path, info, count)


def _time_of(capture: Any, info: VideoInfo, index: int, previous: float) -> float:
    """The grabbed frame's time, seconds. Never runs backwards, also where the file's time stamps do."""
    import cv2

    stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
    if math.isfinite(stamp) and (stamp > previous or index == 0):
        return float(max(stamp, 0.0))
    return max(previous, index / info.frame_rate) if info.frame_rate > 0 else previous


def _check_complete(path: Path, info: VideoInfo, count: int) -> None:
    if count == 0:
        raise InputError(f"{path}: no frame of this video can be decoded; is it damaged, or of a rare codec?")
    if info.frame_count - count > max(_SHORTFALL_FRAMES, _SHORTFALL_SHARE * info.frame_count):
        raise VideoEndsEarlyError(
            f"{path}: the video ends early: {count} of {info.frame_count} frames could be read; "
            "the results up to there stand"
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """An open ``cv2.VideoCapture`` that turns frames upright."""
    import cv2

    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); expected a video")
    capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)  # or "12:30.mp4" names a protocol
    try:
        if not capture.isOpened():
            raise InputError(f"{path}: not a video that can be opened; {_describe(path)}")
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        yield capture
    finally:
        capture.release()


def _describe(path: Path) -> str:
    try:
        with path.open("rb") as file:
            name = looks_like(file.read(LONGEST))
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not name:
        return "it may be damaged, cut off, or not a video at all"
    return f"it looks like {name}" + (", damaged or cut off" if "video" in name else "")


def _info(capture: Any) -> VideoInfo:
    import cv2

    rate = float(capture.get(cv2.CAP_PROP_FPS))
    count = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return VideoInfo(
        width=int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        height=int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        frame_rate=rate if math.isfinite(rate) and rate > 0 else 0.0,
        frame_count=int(count) if math.isfinite(count) and count > 0 else 0,
    )
