"""Opening video files by FFmpeg's libraries in PyAV's wheel.

No ffmpeg program is needed, and nothing but the file itself is read, whatever it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from mien.errors import InputError
from mien.media.signatures import LONGEST, looks_like

DEMUXERS: Final = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,flv,live_flv,asf,ogg,mxf,dv,nut,ivf,rm,gxf,mjpeg,"
    "wav,w64,flac,mp3,aac,aiff,caf,au,amr"
)
"""What a video may be, or a sound that is called one; kinds that name other files (playlists) are left out."""

_OPTIONS: Final = {"format_whitelist": DEMUXERS, "protocol_whitelist": ""}


def decoders_errors() -> tuple[type[Exception], ...]:
    """What PyAV raises of a damaged file: FFmpeg's errors, and Python's where it meets what it cannot represent."""
    import av

    return av.FFmpegError, OSError, EOFError, ValueError, LookupError, ArithmeticError, RuntimeError


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """An open ``av.container.InputContainer`` of a video file, whatever its name: it is read by its bytes.

    Raises:
        InputError: There is no such file, it is empty, or it is no video.
    """
    import av

    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except OSError as error:
        raise InputError(f"{path}: it cannot be read: {error.strerror}") from error
    with file:
        start = file.read(LONGEST)
        if not start:
            raise InputError(f"{path}: the file is empty (0 bytes); expected a video")
        file.seek(0)
        try:
            container = av.open(_Readable(file), metadata_errors="replace", options=_OPTIONS)
        except decoders_errors() as error:
            raise InputError(f"{path}: not a video that can be opened; {_describe(start)}") from error
        with container:
            yield container


class _Readable:
    """A file that answers a seek to nowhere, as damaged files ask for, and does not raise: PyAV would print it."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.tell = file.tell
        self._file = file

    def seek(self, offset: int, whence: int = 0) -> int:
        """The new place, bytes from the start; -1 where there is none."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def moving_pictures(container: Any) -> Any | None:
    """The video stream of a container that is no cover picture; None where there is nothing to see."""
    from av.stream import Disposition

    moving = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    chosen = [each for each in moving if each.disposition & Disposition.default]
    return next(iter(chosen or moving), None)


def has_picture(path: Path) -> bool:
    """Whether a file that a video may be has anything to see besides a cover.

    True where that cannot be told because the file cannot be opened, so that whoever reads it says why.
    """
    try:
        with opened(path) as container:
            return not container.streams.audio or moving_pictures(container) is not None
    except InputError:
        return True


def start_seconds(container: Any) -> float:
    """When a container begins, seconds on its own clock: the time that is 0 to those who read it."""
    import av

    return float((container.start_time or 0) / av.time_base)


def _describe(start: bytes) -> str:
    name = looks_like(start)
    if not name:
        return "it may be damaged, cut off, or not a video at all"
    return f"it looks like {name}" + (", damaged or cut off" if "video" in name else "")
