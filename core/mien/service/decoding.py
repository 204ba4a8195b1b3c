"""From a request's message to the samples that the engine takes: decoding and checking, in a small thread pool.

This is where bytes from outside are opened, so every limit is checked here, before anything large is allocated.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from mien.config import LimitSettings
from mien.engine import AnalysisRequest
from mien.errors import InputError, InputTooLargeError
from mien.types import AudioClip, ImageFrame, Sample, Utterance
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import InvalidFieldError
from mien.wire.values import checked_weights

Result = TypeVar("Result")

MAX_NAMES: Final = 64
"""Analyzers, or weights, that one request may name."""

MAX_LANGUAGE_CHARACTERS: Final = 35
"""The length that BCP 47 asks every reader of a tag to have room for."""

_CHANNELS: Final = {
    pb.PIXEL_FORMAT_RGB: 3,
    pb.PIXEL_FORMAT_BGR: 3,
    pb.PIXEL_FORMAT_RGBA: 4,
    pb.PIXEL_FORMAT_GRAY: 1,
}


@dataclass(frozen=True, slots=True)
class DecodedRequest:
    """A request that can be analysed, and the size of its picture in pixels (0 without one)."""

    analysis: AnalysisRequest
    image_width: int = 0
    image_height: int = 0


class Decoder:
    """Decodes off the event loop; ``close`` it."""

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.decode_threads, thread_name_prefix="mien-decode")

    async def request(self, message: pb.AnalyzeRequest) -> DecodedRequest:
        """Decode a whole request.

        Raises:
            InputError: A part cannot be used, or there is none.
            MissingDependencyError: Sound was sent, and this server has no decoder for it.
        """
        return await self._off_loop(lambda: decode_request(message, self._limits))

    async def image(self, message: pb.Image, *, field: str = "image") -> ImageFrame:
        """Decode one picture; raises as ``request`` does."""
        return await self._off_loop(lambda: decode_image_message(message, self._limits, field=field))

    async def audio(self, message: pb.Audio, *, field: str = "audio") -> AudioClip:
        """Decode one piece of sound; raises as ``request`` does."""
        return await self._off_loop(lambda: decode_audio_message(message, self._limits, field=field))

    async def text(self, message: pb.Text, *, field: str = "text") -> Utterance:
        """Check words; raises as ``request`` does."""
        return decode_text_message(message, self._limits, field=field)

    def close(self) -> None:
        """End the threads when they are done."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _off_loop(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def decode_request(message: pb.AnalyzeRequest, limits: LimitSettings) -> DecodedRequest:
    """Decode a whole request; see ``Decoder.request``."""
    if len(message.analyzers) > MAX_NAMES:
        raise InvalidFieldError("analyzers", f"at most {MAX_NAMES} names, got {len(message.analyzers)}")
    samples: list[Sample] = []
    width = height = 0
    if message.HasField("image"):
        frame = decode_image_message(message.image, limits)
        height, width = frame.pixels.shape[:2]
        samples.append(frame)
    if message.HasField("audio"):
        samples.append(decode_audio_message(message.audio, limits))
    if message.HasField("text"):
        samples.append(decode_text_message(message.text, limits))
    if not samples:
        raise InputError("the request holds nothing to analyse: set at least one of image, audio and text")
    analysis = AnalysisRequest(
        samples=tuple(samples),
        analyzers=tuple(dict.fromkeys(message.analyzers)),
        fuser=message.fuser,
        weights=checked_weights(message.weights, most=MAX_NAMES),
    )
    return DecodedRequest(analysis, width, height)


def decode_image_message(message: pb.Image, limits: LimitSettings, *, field: str = "image") -> ImageFrame:
    """A picture from its encoded bytes or its raw pixels."""
    from mien.media.images import decode_image

    content = message.WhichOneof("content")
    if content is None:
        raise InvalidFieldError(field, "set either encoded (a JPEG, PNG or WebP) or raw (pixels)")
    captured_at = checked_time(message.captured_at_seconds, field=f"{field}.captured_at_seconds")
    if content == "raw":
        return ImageFrame(_raw_pixels(message.raw, limits, field=f"{field}.raw"), captured_at=captured_at)
    return decode_image(
        message.encoded,
        captured_at=captured_at,
        max_bytes=limits.max_image_bytes,
        max_pixels=limits.max_image_pixels,
    )


def decode_audio_message(message: pb.Audio, limits: LimitSettings, *, field: str = "audio") -> AudioClip:
    """Sound, 16 kHz mono, from its encoded bytes or its raw samples."""
    from mien.media.audio import SampleFormat, decode_audio, decode_pcm

    content = message.WhichOneof("content")
    if content is None:
        raise InvalidFieldError(field, "set either encoded (a WAV, FLAC, OGG or MP3) or raw (samples)")
    captured_at = checked_time(message.captured_at_seconds, field=f"{field}.captured_at_seconds")
    if content == "encoded":
        return decode_audio(message.encoded, captured_at=captured_at, max_seconds=limits.max_audio_seconds)
    raw = message.raw
    formats = {pb.SAMPLE_FORMAT_PCM16: SampleFormat.PCM16, pb.SAMPLE_FORMAT_FLOAT32: SampleFormat.FLOAT32}
    if raw.format not in formats:
        raise InvalidFieldError(f"{field}.raw.format", f"expected PCM16 or FLOAT32, got {raw.format}")
    return decode_pcm(
        raw.data,
        sample_format=formats[raw.format],
        sample_rate=raw.sample_rate_hz,
        channels=raw.channels or 1,
        captured_at=captured_at,
        max_seconds=limits.max_audio_seconds,
    )


def decode_text_message(message: pb.Text, limits: LimitSettings, *, field: str = "text") -> Utterance:
    """Words, within the limit."""
    if not message.content.strip():
        raise InvalidFieldError(f"{field}.content", "there are no words in it")
    if len(message.content) > limits.max_text_characters:
        raise InputTooLargeError(
            f"{field}.content holds {len(message.content)} characters; this server takes {limits.max_text_characters}"
        )
    if len(message.language) > MAX_LANGUAGE_CHARACTERS:
        raise InvalidFieldError(f"{field}.language", "expected a BCP 47 tag such as en-GB")
    duration = message.duration_seconds
    if not (math.isfinite(duration) and duration >= 0):
        raise InvalidFieldError(f"{field}.duration_seconds", f"expected a number of at least 0, got {duration}")
    return Utterance(
        message.content,
        language=message.language,
        captured_at=checked_time(message.captured_at_seconds, field=f"{field}.captured_at_seconds"),
        duration_seconds=duration,
    )


def checked_time(seconds: float, *, field: str) -> float:
    """A moment on the caller's clock.

    Raises:
        InvalidFieldError: It is NaN or infinite.
    """
    if not math.isfinite(seconds):
        raise InvalidFieldError(field, f"expected a finite number of seconds, got {seconds}")
    return seconds


def _raw_pixels(message: pb.RawImage, limits: LimitSettings, *, field: str) -> npt.NDArray[np.uint8]:
    """RGB, ``[height, width, 3]``."""
    if message.format not in _CHANNELS:
        raise InvalidFieldError(f"{field}.format", f"expected RGB, BGR, RGBA or GRAY, got {message.format}")
    width, height, channels = message.width, message.height, _CHANNELS[message.format]
    if width < 1 or height < 1:
        raise InvalidFieldError(field, f"width and height must be at least 1, got {width} x {height}")
    if width * height > limits.max_image_pixels:
        raise InputTooLargeError(
            f"{field}: {width} x {height} pixels are {width * height}; this server takes {limits.max_image_pixels}"
        )
    expected = width * height * channels
    if len(message.data) != expected:
        raise InvalidFieldError(
            f"{field}.data",
            f"{width} x {height} pixels of {channels} bytes are {expected} bytes, got {len(message.data)}",
        )
    pixels = np.frombuffer(message.data, dtype=np.uint8).reshape(height, width, channels)
    if message.format == pb.PIXEL_FORMAT_GRAY:
        return np.repeat(pixels, 3, axis=2)
    if message.format == pb.PIXEL_FORMAT_BGR:
        return np.ascontiguousarray(pixels[:, :, ::-1])
    return np.ascontiguousarray(pixels[:, :, :3])
