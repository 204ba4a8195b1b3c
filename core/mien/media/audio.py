"""Encoded sound, raw samples and the sound track of a video, as 16 kHz mono clips; nothing here listens to them.

Whatever came in, what goes out is float32 at ``SAMPLE_RATE``. Lengths are checked
in the header where there is one, before anything is decoded, and no more than the limit is ever decoded. The packages
that decode come with the extra ``mien[voice]`` and are imported when they are needed.
"""

from __future__ import annotations

import io
import math
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from mien.errors import InputError, InputTooLargeError
from mien.media.channels import mono
from mien.media.formats import SoundFormat, recognise
from mien.media.riff import mended_wav
from mien.media.tracks import MAX_FILE_CHANNELS, check_length, decode_track, need
from mien.types import AudioClip

SAMPLE_RATE: Final = 16_000
"""Hz of every clip that is handed out: what speech recognisers are trained on."""

MIN_SAMPLE_RATE: Final = 8_000
"""Hz; telephone sound. Less does not carry speech."""

MAX_SAMPLE_RATE: Final = 48_000
"""Hz; above it nothing is left to hear."""

MAX_CHANNELS: Final = 2
"""Mono or stereo, of raw samples."""

MAX_FILE_SAMPLE_RATE: Final = 96_000
"""Hz, of a file; field recorders use it."""

MAX_SECONDS: Final = 30.0
"""Default limit on one piece of sound."""

MAX_TRACK_SECONDS: Final = 600.0
"""Default limit on a sound file or a video's sound track that is read from disk."""

MAX_AMPLITUDE: Final = 4.0
"""Float samples over 1 happen in loud recordings and are clipped; over this they were never scaled to [-1, 1]."""

_UNKNOWN_FRAMES: Final = 1 << 60
"""What libsndfile says of a FLAC file from a pipe, whose header leaves the length open, is above this."""
_FILE_MOST: Final = (MAX_FILE_SAMPLE_RATE, MAX_FILE_CHANNELS)
_MAX_SAMPLE_BYTES: Final = 8  # float64 is the widest sample that a WAV file may hold
_MAX_HEADER_BYTES: Final = 1 << 20  # tags and cover pictures


class _Bytes(io.BytesIO):
    """A file in memory in which libsndfile may look for places that are not there, as damaged headers tell it to."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = (0, self.tell(), len(self.getbuffer()))[whence]
        return super().seek(min(max(0, base + offset), len(self.getbuffer())))


class _NotOpenedError(InputError):
    """Libsndfile finds nothing in the file that it can decode."""


class SampleFormat(StrEnum):
    """How one raw sample is laid out; both little-endian."""

    PCM16 = "pcm16"
    FLOAT32 = "float32"


def decode_audio(data: bytes, *, captured_at: float = 0.0, max_seconds: float = MAX_SECONDS) -> AudioClip:
    """Decode a sound file of any of the kinds in ``mien.media.formats``, or the sound of an MP4 or WebM.

    Args:
        data: The whole file.
        captured_at: When its first sample was heard, seconds on the caller's clock.
        max_seconds: A longer piece is refused.

    Returns:
        The sound, 16 kHz mono.

    Raises:
        InputError: It is empty, cut short, damaged, of another format, rate or number of channels, or holds NaN.
        InputTooLargeError: It is longer than ``max_seconds``.
        MissingDependencyError: The extra ``mien[voice]`` is not installed.
    """
    form, data = recognise(data)
    kind = form.name
    if len(data) > _byte_limit(max_seconds):
        raise InputTooLargeError(
            f"the {kind} sound has {len(data)} bytes; the limit for {max_seconds:g} s is {_byte_limit(max_seconds)}"
        )
    if kind == "WAV":
        data = mended_wav(data)
    refused: InputError | None = None
    if form.is_libsndfiles:
        try:
            return _clip(*_by_libsndfile(data, form, max_seconds), captured_at=captured_at)
        except _NotOpenedError as error:  # perhaps a codec that libsndfile does not know
            refused = InputError(str(error))
    if refused is not None and not form.holds_many_codecs:
        raise refused
    try:
        samples = _by_ffmpeg(data, form, max_seconds)
    except InputTooLargeError:
        raise
    except InputError as error:
        raise (refused or error) from error.__cause__
    return _clip(samples[:, np.newaxis], SAMPLE_RATE, captured_at=captured_at)


def decode_pcm(
    data: bytes,
    *,
    sample_format: SampleFormat,
    sample_rate: int,
    channels: int = 1,
    captured_at: float = 0.0,
    max_seconds: float = MAX_SECONDS,
) -> AudioClip:
    """Take raw little-endian samples, channels interleaved.

    Args:
        data: ``time x channels`` samples.
        sample_format: How one sample is laid out.
        sample_rate: Samples a second and channel, Hz.
        channels: 1 or 2.
        captured_at: When the first sample was heard, seconds on the caller's clock.
        max_seconds: A longer piece is refused.

    Returns:
        The sound, 16 kHz mono.

    Raises:
        InputError: It is empty or cut inside a sample, the rate or the number of channels is out of range, or a
            sample is NaN or far outside [-1, 1].
        InputTooLargeError: It is longer than ``max_seconds``.
        MissingDependencyError: It needs resampling and the extra ``mien[voice]`` is not installed.
    """
    _check_layout(sample_rate, channels, "raw sound", most=(MAX_SAMPLE_RATE, MAX_CHANNELS))
    dtype = np.dtype("<i2" if sample_format is SampleFormat.PCM16 else "<f4")
    frame_bytes = dtype.itemsize * channels
    if not data:
        raise InputError("the raw sound is empty; send at least one sample")
    if len(data) % frame_bytes:
        raise InputError(
            f"the raw sound is cut inside a sample: {len(data)} bytes are not a multiple of {frame_bytes} "
            f"({sample_format}, {channels} channel(s))"
        )
    check_length(len(data) // frame_bytes / sample_rate, max_seconds, "raw sound")
    frames = np.frombuffer(data, dtype).reshape(-1, channels)  # [time, channels]
    if sample_format is SampleFormat.PCM16:
        return _clip(frames.astype(np.float32) / 32_768.0, sample_rate, captured_at=captured_at, is_whole=False)
    return _clip(frames.astype(np.float32), sample_rate, captured_at=captured_at, is_whole=False)


def read_audio(path: Path, *, captured_at: float = 0.0, max_seconds: float = MAX_TRACK_SECONDS) -> AudioClip:
    """Read a sound file from disk; see ``decode_audio`` for what it may be and what is raised.

    Raises:
        InputError: The file cannot be read, or ``decode_audio`` refuses it; names the file.
    """
    try:
        if path.stat().st_size > _byte_limit(max_seconds):
            raise InputTooLargeError(f"{path} is larger than {max_seconds:g} s of sound can be")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    try:
        return decode_audio(data, captured_at=captured_at, max_seconds=max_seconds)
    except InputError as error:
        raise type(error)(f"{path}: {error}") from error


def read_sound_track(
    path: Path, *, captured_at: float = 0.0, max_seconds: float = MAX_TRACK_SECONDS
) -> AudioClip | None:
    """Decode the first sound track of a video file.

    Args:
        path: The video.
        captured_at: When its first picture was taken, seconds on the caller's clock; the track's own offset is added.
        max_seconds: A longer track is refused.

    Returns:
        The sound, 16 kHz mono; None where the video has no sound track or the track is empty.

    Raises:
        InputError: The file cannot be read or is no video.
        InputTooLargeError: The track is longer than ``max_seconds``.
        MissingDependencyError: The extra ``mien[voice]`` is not installed.
    """
    what = f"sound track of {path}"
    track = decode_track(path, what=what, rate=SAMPLE_RATE, max_seconds=max_seconds)
    if track is None or not len(track.samples):
        return None
    return _clip(track.samples[:, np.newaxis], SAMPLE_RATE, captured_at=captured_at + track.offset)


def _by_libsndfile(data: bytes, form: SoundFormat, max_seconds: float) -> tuple[npt.NDArray[np.float32], int]:
    """The first ``max_seconds`` and a little more, ``[time, channels]``, and the rate; refuses what is longer."""
    kind = form.name
    soundfile = need("soundfile")
    try:
        file = soundfile.SoundFile(_Bytes(data))
    except soundfile.LibsndfileError as error:
        raise _NotOpenedError(f"the {kind} sound is damaged or cut short: {error.error_string}") from error
    try:
        with file:
            _check_layout(file.samplerate, file.channels, f"{kind} sound", most=_FILE_MOST)
            if file.frames < _UNKNOWN_FRAMES:
                check_length(file.frames / file.samplerate, max_seconds, f"{kind} sound")
            limit = math.ceil(max_seconds * file.samplerate) + 1
            file.seekable = lambda: False  # else it seeks after reading, which fails where the length is unknown
            samples: npt.NDArray[np.float32] = file.read(limit, dtype="float32", always_2d=True)
            promised, rate = file.frames, file.samplerate
    except soundfile.LibsndfileError as error:
        raise InputError(f"the {kind} sound is damaged or cut short: {error.error_string}") from error
    if not len(samples):
        raise InputError(f"the {kind} sound holds no samples")
    if kind == "FLAC" and len(samples) < promised < _UNKNOWN_FRAMES:
        raise InputError(f"the FLAC sound is cut short: {len(samples)} of {promised} samples are there")
    check_length(len(samples) / rate, max_seconds, f"{kind} sound")
    return samples, int(rate)


def _by_ffmpeg(data: bytes, form: SoundFormat, max_seconds: float) -> npt.NDArray[np.float32]:
    """16 kHz mono, ``[time]``."""
    what = f"{form.name} sound"
    track = decode_track(io.BytesIO(data), what=what, rate=SAMPLE_RATE, max_seconds=max_seconds, demuxer=form.demuxer)
    if track is None or not len(track.samples):
        raise InputError(f"the {what} holds no samples")
    return track.samples


def _clip(frames: npt.NDArray[np.float32], rate: int, *, captured_at: float, is_whole: bool = True) -> AudioClip:
    """``[time, channels]`` at any rate -> 16 kHz mono in [-1, 1]."""
    if not bool(np.isfinite(frames).all()):
        raise InputError("the sound holds NaN or infinite samples; every sample must be a number in [-1, 1]")
    peak = float(np.abs(frames).max())
    if peak > MAX_AMPLITUDE:
        raise InputError(
            f"float samples must lie in [-1, 1], found {peak:g}; divide 16-bit integers by 32768 before sending"
        )
    samples = mono(frames, is_whole=is_whole)
    if rate != SAMPLE_RATE:
        samples = need("soxr").resample(samples, rate, SAMPLE_RATE)
    if not math.isfinite(captured_at):
        raise InputError(f"captured_at must be finite, got {captured_at}")
    return AudioClip(np.clip(samples, -1.0, 1.0).astype(np.float32, copy=False), SAMPLE_RATE, captured_at)


def _check_layout(rate: int, channels: int, what: str, *, most: tuple[int, int]) -> None:
    """``most``: Hz and channels."""
    problems = []
    if not MIN_SAMPLE_RATE <= rate <= most[0]:
        problems.append(f"{rate} Hz (expected {MIN_SAMPLE_RATE} to {most[0]})")
    if not 1 <= channels <= most[1]:
        problems.append(f"{channels} channels (expected 1 to {most[1]})")
    if problems:
        raise InputError(f"the {what} has {' and '.join(problems)}; convert it first")


def _byte_limit(max_seconds: float) -> int:
    return math.ceil(max_seconds * MAX_SAMPLE_RATE) * MAX_CHANNELS * _MAX_SAMPLE_BYTES + _MAX_HEADER_BYTES
