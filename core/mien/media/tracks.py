"""The first sound track of a container, by FFmpeg's libraries in PyAV's wheel: no ffmpeg program needed."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from mien.errors import InputError, InputTooLargeError, MissingDependencyError
from mien.media.channels import mono
from mien.media.containers import decoders_errors, opened

MAX_FILE_CHANNELS: Final = 8
"""Of a file; ``mien.media.channels`` makes one of them."""

MAX_TRACK_SAMPLE_RATE: Final = 384_000
"""Hz; nothing records more, and a resampler from a rate that damage made would take seconds to build."""

_MAX_BAD_PACKETS: Final = 2
_MAX_BAD_SHARE: Final = 0.02
_MAX_BAD_SHARE_OF_FEW: Final = 0.25
"""A recording may begin or end inside a packet, which players skip; more is damage."""

_SHORTFALL_SECONDS: Final = 0.5
_SHORTFALL_SHARE: Final = 0.05
"""How much less than an MP4 announces may be there; only more means a broken tail."""


@dataclass(frozen=True, slots=True)
class Track:
    """What was decoded.

    Attributes:
        samples: ``[time]`` at the rate that was asked for.
        offset: When it begins, seconds after the container does.
    """

    samples: npt.NDArray[np.float32]
    offset: float


def need(package: str) -> Any:
    """Import a package of the extra ``mien[voice]``.

    Raises:
        MissingDependencyError: It is not installed, or a library that it wraps is not.
    """
    try:
        return importlib.import_module(package)
    except (ImportError, OSError) as error:  # OSError: the package is there, the library it wraps is not
        raise MissingDependencyError(
            f"sound needs the package {package!r} ({error}): pip install 'mien[voice]'"
        ) from error


def check_length(seconds: float, limit: float, what: str) -> None:
    """Refuse what is longer than the limit.

    Raises:
        InputTooLargeError: It is.
    """
    if seconds > limit:
        raise InputTooLargeError(f"the {what} lasts {seconds:.1f} s, longer than the limit of {limit:g} s")


def decode_track(
    file: Path | IO[bytes], *, what: str, rate: int, max_seconds: float, demuxer: str | None = None
) -> Track | None:
    """Decode the first sound track.

    Args:
        file: A video, or the bytes of a sound.
        what: The sound, for messages.
        rate: Of the samples that are handed out, Hz.
        max_seconds: A longer track is refused.
        demuxer: What the bytes must be, by FFmpeg's name, and then as complete as it says.

    Returns:
        None where there is no sound track, or it is empty.

    Raises:
        InputError: It cannot be read, is damaged, or is cut short.
        InputTooLargeError: It is longer than ``max_seconds``.
        MissingDependencyError: The extra ``mien[voice]`` is not installed.
    """
    av = need("av")
    try:
        with (
            opened(file)
            if isinstance(file, Path)
            else av.open(file, format=demuxer, metadata_errors="replace") as container
        ):
            if not container.streams.audio:
                return None
            if container.duration is not None and not _is_a_guess(container):
                check_length(container.duration / av.time_base, max_seconds, what)
            track = _decode(av, container, what, rate, max_seconds)
            if track is not None and demuxer == "mov":
                _check_complete(container.streams.audio[0], len(track.samples) / rate, what)
            return track
    except (InputError, MissingDependencyError):
        raise
    except decoders_errors() as error:
        raise InputError(f"cannot decode the {what}: {getattr(error, 'strerror', None) or error}") from error


def _decode(av: Any, container: Any, what: str, rate: int, max_seconds: float) -> Track | None:
    offset: float | None = None
    parts: list[npt.NDArray[np.float32]] = []
    total = 0
    resampler: Any = None
    layout: tuple[Any, ...] = ()
    segments: list[npt.NDArray[np.float32]] = []
    for frame in _frames(av, container, what):
        if offset is None:
            offset = (frame.time or 0.0) - (container.start_time or 0) / av.time_base
        found = (frame.format.name, frame.layout.name, frame.layout.nb_channels, frame.sample_rate)
        if found != layout:  # broadcasts and AAC change it on the way
            segments += _finish(resampler, parts)
            if not 1 <= found[2] <= MAX_FILE_CHANNELS:
                raise InputError(f"the {what} has {found[2]} channels (expected 1 to {MAX_FILE_CHANNELS})")
            if not 1 <= found[3] <= MAX_TRACK_SAMPLE_RATE:
                raise InputError(f"the {what} has {found[3]} Hz (expected up to {MAX_TRACK_SAMPLE_RATE})")
            resampler = av.AudioResampler(format="flt", layout=frame.layout, rate=rate)
            layout, parts = found, []
        new = _resampled(resampler, frame)
        parts += new
        total += sum(len(part) for part in new)
        check_length(total / rate, max_seconds, what)
    segments += _finish(resampler, parts)
    if offset is None or not segments:
        return None
    return Track(np.concatenate(segments), offset)


def _finish(resampler: Any, parts: list[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
    """A stretch of one layout as one channel, ``[time]``; nothing where there was none."""
    if resampler is None:
        return []
    parts += _resampled(resampler, None)
    return [mono(np.concatenate(parts))] if parts else []


def _resampled(resampler: Any, frame: Any) -> list[npt.NDArray[np.float32]]:
    """Pieces ``[time, channels]``. Interleaved: of planes, PyAV reads more than there are."""
    return [each.to_ndarray().reshape(-1, each.layout.nb_channels) for each in resampler.resample(frame)]


def _frames(av: Any, container: Any, what: str) -> Iterator[Any]:
    """What the packets hold, but for a few that are damaged.

    Raises:
        InputError: Too many are.
    """
    packets = bad = 0
    reason = ""
    for packet in container.demux(container.streams.audio[0]):
        packets += 1
        try:
            yield from packet.decode()
        except av.InvalidDataError as error:
            bad += 1
            reason = error.strerror
    if bad > min(max(_MAX_BAD_PACKETS, _MAX_BAD_SHARE * packets), _MAX_BAD_SHARE_OF_FEW * packets):
        raise InputError(f"cannot decode the {what}: {bad} of {packets} packets are damaged ({reason})")


def _check_complete(stream: Any, seconds: float, what: str) -> None:
    if not stream.duration or not stream.time_base:
        return
    promised = float(stream.duration * stream.time_base)
    if promised - seconds > max(_SHORTFALL_SECONDS, _SHORTFALL_SHARE * promised):
        raise InputError(f"the {what} is cut short: {seconds:.1f} of {promised:.1f} s are there")


def _is_a_guess(container: Any) -> bool:
    """Whether the length is worked out from the rate of bits, as for files without any header."""
    return container.format.name in {"aac", "amr", "amrnb", "amrwb", "mp3"}
