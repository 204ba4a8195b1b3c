"""From what a caller has (a path, bytes, an array, words) to a request message. Shared by both clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mien.config import LimitSettings
from mien.errors import InputError
from mien.service.limits import channel_options
from mien.types import AudioClip, ImageFrame, Utterance
from mien.v1 import sentiment_pb2 as pb

ImageSource: TypeAlias = str | Path | bytes | npt.NDArray[np.uint8] | ImageFrame
"""A file, its content, or RGB pixels ``[height, width, 3]``."""

AudioSource: TypeAlias = str | Path | bytes | AudioClip
"""A file (WAV, FLAC, OGG, MP3), its content, or samples."""

TextSource: TypeAlias = str | Utterance
"""Words."""

DEFAULT_TIMEOUT: Final = 10.0
"""Seconds that a call may take where its caller does not say."""

KEEPALIVE_MS: Final = 30_000
"""Between two pings on a connection that waits for an answer, so that a lost one is noticed."""

RAW_BYTES: Final = LimitSettings().max_message_bytes // 2
"""An array up to this size is sent as raw pixels, which loses nothing; a larger one as a JPEG of ``JPEG_QUALITY``."""

JPEG_QUALITY: Final = 95


class Consent(StrEnum):
    """What the person in front of the camera was told."""

    UNSPECIFIED = "unspecified"
    NOTICE_SHOWN = "notice_shown"
    GIVEN = "given"


_CONSENTS: Final[Mapping[Consent, int]] = {
    Consent.UNSPECIFIED: pb.CONSENT_UNSPECIFIED,
    Consent.NOTICE_SHOWN: pb.CONSENT_NOTICE_SHOWN,
    Consent.GIVEN: pb.CONSENT_GIVEN,
}


def client_options(max_message_bytes: int = LimitSettings().max_message_bytes) -> list[tuple[str, Any]]:
    """Options of a client's gRPC channel."""
    return [
        *channel_options(max_message_bytes),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_MS // 3),
    ]


def analyze_request(
    *,
    image: ImageSource | None,
    audio: AudioSource | None,
    text: TextSource | None,
    analyzers: Sequence[str],
    fuser: str,
    weights: Mapping[str, float] | None,
    consent: Consent | str,
    redact_transcript: bool,
) -> pb.AnalyzeRequest:
    """The request for one moment.

    Raises:
        InputError: A file cannot be read, an array is not a picture, or the consent is not one.
    """
    if isinstance(analyzers, str):
        raise InputError(f"analyzers must be a sequence of names, got the text {analyzers!r}; write [{analyzers!r}]")
    return pb.AnalyzeRequest(
        image=None if image is None else image_message(image),
        audio=None if audio is None else audio_message(audio),
        text=None if text is None else text_message(text),
        analyzers=analyzers,
        fuser=fuser,
        weights=dict(weights or {}),
        consent=consent_number(consent),
        redact_transcript=redact_transcript,
    )


def consent_number(consent: Consent | str) -> int:
    """The wire's number of a consent, given as the enum or its value.

    Raises:
        InputError: There is no such consent.
    """
    try:
        return _CONSENTS[Consent(consent)]
    except ValueError:
        known = ", ".join(Consent)
        raise InputError(f"consent must be one of {known}, got {consent!r}") from None


def image_message(source: ImageSource) -> pb.Image:
    """A picture: an array as raw pixels, or as a JPEG where it is large; anything else as it is.

    Raises as ``analyze_request`` does.
    """
    if isinstance(source, str | Path):
        return pb.Image(encoded=_read(Path(source)))
    if isinstance(source, bytes | bytearray | memoryview):
        return pb.Image(encoded=bytes(source))
    if not isinstance(source, ImageFrame):
        try:
            source = ImageFrame(np.asarray(source))
        except ValueError as error:
            raise InputError(f"image is not a picture: {error}") from error
    if source.pixels.nbytes > RAW_BYTES:
        return pb.Image(encoded=_jpeg(source), captured_at_seconds=source.captured_at)
    height, width = source.pixels.shape[:2]
    raw = pb.RawImage(data=source.pixels.tobytes(), width=width, height=height, format=pb.PIXEL_FORMAT_RGB)
    return pb.Image(raw=raw, captured_at_seconds=source.captured_at)


def audio_message(source: AudioSource) -> pb.Audio:
    """Sound; a clip is sent as 32-bit samples, anything else as it is. Raises as ``analyze_request`` does."""
    if isinstance(source, str | Path):
        return pb.Audio(encoded=_read(Path(source)))
    if isinstance(source, bytes | bytearray | memoryview):
        return pb.Audio(encoded=bytes(source))
    raw = pb.RawAudio(
        data=source.samples.astype("<f4").tobytes(),
        format=pb.SAMPLE_FORMAT_FLOAT32,
        sample_rate_hz=source.sample_rate,
        channels=1,
    )
    return pb.Audio(raw=raw, captured_at_seconds=source.captured_at)


def text_message(source: TextSource) -> pb.Text:
    """Words."""
    if isinstance(source, str):
        return pb.Text(content=source)
    return pb.Text(
        content=source.text,
        language=source.language,
        captured_at_seconds=source.captured_at,
        duration_seconds=source.duration,
    )


def _jpeg(frame: ImageFrame) -> bytes:
    from mien.media.images import ImageFormat, encode_image

    return encode_image(frame.pixels, image_format=ImageFormat.JPEG, quality=JPEG_QUALITY)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
