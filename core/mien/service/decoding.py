"""From a request's message to the samples that the engine takes: decoding and checking, off the event loop.

This is where bytes from outside are opened, so every limit on them is checked here, before anything large is allocated.
Names, numbers and times were checked before, by ``mien.wire.bounds``.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from mien.config import LimitSettings
from mien.engine import AnalysisRequest
from mien.errors import InputError, InputTooLargeError
from mien.media.audio import SAMPLE_RATE, SampleFormat, decode_audio, decode_pcm
from mien.media.budget import BudgetedDecoders, DecodingStoppedError, Job, Stop, memory_for
from mien.media.census import Cost, picture_cost, sound_cost
from mien.media.formats import recognise
from mien.media.images import decode_image
from mien.types import AudioClip, ImageFrame, Sample, Utterance
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import InvalidFieldError, not_serving, waited_too_long

Result = TypeVar("Result")

MAX_SIDE: Final = 65_535
"""Pixels of a picture's width or height, which is all that JPEG has room for. A line of millions of pixels is no
picture, and costs whoever resizes it seconds."""

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
    """Decodes off the event loop; ``close`` it.

    What costs no more than its bytes and pixels is decoded in a few threads. What may cost more goes to processes that
    are ended when its budget is used up, when nobody waits for it any more, or when its time is over: however much of
    it there is, the threads are free for the rest.
    """

    def __init__(
        self, limits: LimitSettings, *, room: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    ) -> None:
        """Start.

        Args:
            limits: What is decoded, and in how many threads and processes.
            room: Entered before anything is decoded in a thread, and left afterwards.
        """
        self._limits = limits
        self._room = room
        self._threads = ThreadPoolExecutor(limits.decode_threads, thread_name_prefix="mien-decode")
        self._waiters = ThreadPoolExecutor(limits.decode_processes, thread_name_prefix="mien-decode-costly")
        self._budgeted = BudgetedDecoders(
            processes=limits.decode_processes,
            seconds=limits.decode_seconds,
            memory_bytes=memory_for(
                max_image_pixels=limits.max_image_pixels, max_audio_seconds=limits.max_audio_seconds
            ),
        )
        self._stops: set[Stop] = set()

    async def request(self, message: pb.AnalyzeRequest, deadline: float = math.inf) -> DecodedRequest:
        """Decode a whole request.

        Args:
            message: The request.
            deadline: On the event loop's clock; decoding is ended then, wherever it is.

        Raises:
            InputError: A part cannot be used, or there is none.
            MissingDependencyError: Sound was sent, and this server has no decoder for it.
            RefusedError: The deadline passed.
        """
        samples: list[Sample] = []
        width = height = 0
        try:
            async with asyncio.timeout_at(deadline if math.isfinite(deadline) else None):
                if message.HasField("image"):
                    frame = await self.image(message.image)
                    height, width = frame.pixels.shape[:2]
                    samples.append(frame)
                if message.HasField("audio"):
                    samples.append(await self.audio(message.audio))
                if message.HasField("text"):
                    samples.append(await self.text(message.text))
        except TimeoutError:
            raise waited_too_long("the call's time ran out while its picture or sound was decoded") from None
        if not samples:
            raise InputError("the request holds nothing to analyse: set at least one of image, audio and text")
        analysis = AnalysisRequest(
            samples=tuple(samples),
            analyzers=tuple(dict.fromkeys(message.analyzers)),
            fuser=message.fuser,
            weights=dict(message.weights),
        )
        return DecodedRequest(analysis, width, height)

    async def image(self, message: pb.Image, *, field: str = "image") -> ImageFrame:
        """Decode one picture; raises as ``request`` does."""
        found = await self._off_loop(lambda: decode_image_message(message, self._limits, field=field))
        if isinstance(found, Job):
            found = ImageFrame(await self._in_process(found), captured_at=message.captured_at_seconds)
        _check_sides(found, field=field)
        return found

    async def audio(self, message: pb.Audio, *, field: str = "audio") -> AudioClip:
        """Decode one piece of sound; raises as ``request`` does."""
        found = await self._off_loop(lambda: decode_audio_message(message, self._limits, field=field))
        if isinstance(found, Job):
            return AudioClip(await self._in_process(found), SAMPLE_RATE, message.captured_at_seconds)
        return found

    async def text(self, message: pb.Text, *, field: str = "text") -> Utterance:
        """Check words; raises as ``request`` does."""
        return decode_text_message(message, self._limits, field=field)

    def close(self) -> None:
        """End the threads when they are done, and what is decoded in processes at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._waiters.shutdown(wait=False, cancel_futures=True)
        for stop in self._stops:
            stop.set()
        self._budgeted.close()

    async def _off_loop(self, function: Callable[[], Result]) -> Result:
        async with self._room():
            return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    async def _in_process(self, job: Job) -> npt.NDArray[Any]:
        stop = Stop()
        self._stops.add(stop)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._waiters, self._budgeted.decode, job, stop)
        except DecodingStoppedError:
            raise not_serving("the server is shutting down", reason="DRAINING") from None
        finally:
            self._stops.discard(stop)
            stop.set()  # where the caller is gone, or its time is over


def decode_image_message(message: pb.Image, limits: LimitSettings, *, field: str = "image") -> ImageFrame | Job:
    """A picture from its encoded bytes or its raw pixels; what is to be done where decoding it may cost much."""
    content = message.WhichOneof("content")
    if content is None:
        raise InvalidFieldError(field, "set either encoded (a JPEG, PNG or WebP) or raw (pixels)")
    captured_at = message.captured_at_seconds
    if content == "raw":
        return ImageFrame(_raw_pixels(message.raw, limits, field=f"{field}.raw"), captured_at=captured_at)
    data = message.encoded
    options = {"max_bytes": limits.max_image_bytes, "max_pixels": limits.max_image_pixels}
    if len(data) <= limits.max_image_bytes and picture_cost(data) is Cost.COSTLY:
        return Job(kind="picture", data=data, options=options)
    return decode_image(data, captured_at=captured_at, **options)


def decode_audio_message(message: pb.Audio, limits: LimitSettings, *, field: str = "audio") -> AudioClip | Job:
    """Sound, 16 kHz mono, from its encoded bytes or its raw samples; what is to be done where that may cost much."""
    content = message.WhichOneof("content")
    if content is None:
        raise InvalidFieldError(field, "set either encoded (a WAV, FLAC, OGG or MP3) or raw (samples)")
    captured_at = message.captured_at_seconds
    if content == "encoded":
        data = message.encoded
        if sound_cost(data) is Cost.COSTLY:
            recognise(data)  # what is no sound at all is refused here
            return Job(kind="sound", data=data, options={"max_seconds": limits.max_audio_seconds})
        return decode_audio(data, captured_at=captured_at, max_seconds=limits.max_audio_seconds)
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
    return Utterance(
        message.content,
        language=message.language,
        captured_at=message.captured_at_seconds,
        duration_seconds=message.duration_seconds,
    )


def _check_sides(frame: ImageFrame, *, field: str) -> None:
    height, width = frame.pixels.shape[:2]
    if max(width, height) > MAX_SIDE:
        raise InputTooLargeError(f"{field}: {width} x {height} pixels; no side may be longer than {MAX_SIDE:,}")


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
