"""Video files into upright RGB frames with their times; the sound track is read by ``mien.media.audio``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from mien.errors import InputError, InputTooLargeError
from mien.media.containers import decoders_errors, moving_pictures, opened, start_seconds
from mien.media.upright import Weaver, rgb
from mien.types import ImageFrame

MAX_FRAME_PIXELS: Final = 40_000_000
"""Width x height of one frame: a little over 8K video."""

_SHORTFALL_FRAMES: Final = 2
_SHORTFALL_SHARE: Final = 0.02
"""What a container says of its length is often off by a frame or two; only a larger shortfall means a broken tail."""

_BAD_PACKETS: Final = 2
_BAD_SHARE: Final = 0.02
"""A recording may begin inside a picture, which players skip; more is damage that is told."""

_LONGEST_STRETCH: Final = 600
"""Packets that wait at most."""

_GUESSERS: Final = frozenset({"mpegts", "mpeg", "mpegvideo", "h264", "hevc", "m4v", "mjpeg", "dv"})
"""Kinds without a header: their length is worked out from the rate of bits."""

_SLACK: Final = 1e-6


class VideoEndsEarlyError(InputError):
    """The frames that could be read were all given out; there should be more, or some between them were damaged."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a container says of its video; not always the truth.

    Attributes:
        width: Pixels, as stored.
        height: Pixels, as stored.
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
    with opened(path) as container:
        return _info(_stream_of(container, path))


def read_video(path: Path, *, every: float) -> Iterator[ImageFrame]:
    """Give out frames, one every so many seconds of the video.

    Interlaced pictures are made whole, pixels square, and frames turned as the file asks for.

    Args:
        path: The file.
        every: Seconds between two frames, not negative; 0 gives out each frame.

    Yields:
        Frames in order; ``captured_at`` is the time in the video, seconds from its start.

    Raises:
        ValueError: ``every`` is negative, NaN or infinite.
        InputError: There is no such file, or no frame of it can be read.
        InputTooLargeError: Its frames are too large.
        VideoEndsEarlyError: After the last readable frame, where the file says there should be more, or where many
            of its packets were damaged.
    """
    if not (math.isfinite(every) and every >= 0):
        raise ValueError(f"every must be finite and not negative, got {every}")
    with opened(path) as container:
        yield from _Reading(container, _stream_of(container, path), path, every).frames()


class _Reading:
    """One pass over a video."""

    def __init__(self, container: Any, stream: Any, path: Path, every: float) -> None:
        self._container = container
        self._stream = stream
        self._path = path
        self._every = every
        self._shape: Fraction | None = stream.sample_aspect_ratio
        self._start = start_seconds(container)
        self._due = 0.0
        self._packets = self._bad = self._decoded = 0
        self._seconds = 0.0
        self._end = 0.0
        self._reason = ""
        _check_size(path, stream.codec_context.width, stream.codec_context.height)
        stream.thread_type = "AUTO"

    def frames(self) -> Iterator[ImageFrame]:
        """The frames that are due; at the end, what is wrong with the file."""
        weaver = Weaver()
        for decoded in self._decode():
            for frame in weaver.push(decoded):
                yield from self._given(frame)
        for frame in weaver.rest():
            yield from self._given(frame)
        self._check_whole()

    def _given(self, frame: Any) -> Iterator[ImageFrame]:
        seconds = self._time_of(frame)
        if seconds + _SLACK < self._due:
            return
        _check_size(self._path, frame.width, frame.height)
        try:
            pixels = rgb(frame, self._shape)
        except decoders_errors() as error:  # a damaged packet changed the colours to some that there are not
            self._note(error)
            return
        yield ImageFrame(pixels, captured_at=seconds)
        if self._every > 0:
            self._due = (math.floor((seconds + _SLACK) / self._every) + 1) * self._every

    def _time_of(self, frame: Any) -> float:
        """A frame's time, seconds. Never runs backwards, also where the file's time stamps do."""
        if frame.time is not None:
            self._seconds = max(self._seconds, frame.time - self._start)
        elif self._stream.average_rate and self._decoded > 1:
            self._seconds = max(self._seconds, float((self._decoded - 1) / self._stream.average_rate))
        return self._seconds

    def _decode(self) -> Iterator[Any]:
        """Decoded frames, without those of damaged packets."""
        codec = self._stream.codec_context
        for packet in self._packets_needed():
            try:
                found = packet.decode() if packet is not None else codec.decode(None)
            except decoders_errors() as error:
                found = []
                self._note(error)
            if packet is None:
                codec.flush_buffers()
            for frame in found:
                self._decoded += 1
                yield frame

    def _packets_needed(self) -> Iterator[Any]:
        """All packets but those of stretches from key frame to key frame in which nothing is due; None in their place.

        A stretch waits until it is known when the next begins: decoding is what reading a video costs.
        """
        stretch: list[Any] = []
        is_whole = True
        for packet in self._demuxed():
            if packet.is_keyframe and packet.pts is not None:
                if stretch and is_whole and self._is_before_what_is_due(packet):
                    yield None
                else:
                    yield from stretch
                stretch, is_whole = [], True
            stretch.append(packet)
            if len(stretch) >= _LONGEST_STRETCH:
                yield from stretch
                stretch, is_whole = [], False
        yield from stretch

    def _demuxed(self) -> Iterator[Any]:
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    self._packets += 1
                    if packet.pts is not None and not packet.is_discard:
                        end = (packet.pts + (packet.duration or 0)) * packet.time_base - Fraction(self._start)
                        self._end = max(self._end, float(end))
                yield packet
        except decoders_errors() as error:
            self._note(error)

    def _note(self, error: Exception) -> None:
        """One more that was damaged."""
        self._bad += 1
        self._reason = str(getattr(error, "strerror", None) or error)

    def _is_before_what_is_due(self, packet: Any) -> bool:
        return float(packet.pts * packet.time_base) - self._start <= self._due + _SLACK

    def _check_whole(self) -> None:
        if self._decoded == 0:
            raise InputError(f"{self._path}: no frame of this video can be decoded; is it damaged, or of a rare codec?")
        promised = _promised(self._container, self._stream)
        missing = promised - self._end
        frame = 1 / float(self._stream.average_rate or 1)
        if missing > max(_SHORTFALL_FRAMES * frame, _SHORTFALL_SHARE * promised):
            raise VideoEndsEarlyError(
                f"{self._path}: the video ends early: {self._end:.1f} of {promised:.1f} s could be read; "
                "the results up to there stand"
            )
        if self._bad > max(_BAD_PACKETS, _BAD_SHARE * self._packets):
            raise VideoEndsEarlyError(
                f"{self._path}: {self._bad} of {self._packets} packets of the video are damaged ({self._reason}); "
                "the results of the others stand"
            )


def _promised(container: Any, stream: Any) -> float:
    """Seconds of video that the file says there are; 0 where it says nothing, or only guesses."""
    if container.format.name in _GUESSERS or not stream.duration:
        return 0.0
    if container.format.name == "avi" and stream.frames and stream.average_rate:  # whose length follows the file's size
        return float(stream.frames / stream.average_rate)
    return float(stream.duration * stream.time_base)


def _stream_of(container: Any, path: Path) -> Any:
    stream = moving_pictures(container)
    if stream is None:
        raise InputError(f"{path}: there is nothing to see in this file, only sound or a cover")
    if stream.codec_context is None:
        raise InputError(f"{path}: the video is of a codec that is not known here")
    return stream


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_FRAME_PIXELS:
        raise InputTooLargeError(
            f"{path}: frames of {width} x {height} pixels, and the limit is {MAX_FRAME_PIXELS:,} pixels"
        )


def _info(stream: Any) -> VideoInfo:
    rate = float(stream.average_rate or 0)
    count = stream.frames or (round(float(stream.duration * stream.time_base) * rate) if stream.duration else 0)
    return VideoInfo(stream.codec_context.width, stream.codec_context.height, rate, count)
