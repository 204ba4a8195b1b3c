"""From what a caller has (a path, bytes, an array, words) to a request message. Shared by both clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mien.config import LimitSettings
from mien.errors import InputError
from mien.interfaces import MismatchPolicy, NewCustomer
from mien.session import ENUM_OPTIONS, Consent, CustomerPolicy, enum_member
from mien.types import AudioClip, ImageFrame, Utterance
from mien.v1 import sentiment_pb2 as pb
from mien.wire.sessions import CONSENTS, config_to_wire

ImageSource: TypeAlias = str | Path | bytes | npt.NDArray[np.uint8] | ImageFrame
"""A file, its content, or RGB pixels ``[height, width, 3]``."""

AudioSource: TypeAlias = str | Path | bytes | AudioClip
"""A sound file, its content, or samples."""

TextSource: TypeAlias = str | Utterance
"""Words."""

DEFAULT_TIMEOUT: Final = 10.0
"""Seconds that a call may take where its caller does not say."""

MAX_MESSAGE_BYTES: Final = LimitSettings().max_message_bytes
"""The limit that servers have by default."""

RAW_BYTES: Final = MAX_MESSAGE_BYTES // 2
"""An array up to this size is sent as raw pixels, which loses nothing; a larger one as a JPEG of ``JPEG_QUALITY``."""

JPEG_QUALITY: Final = 95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Query:
    """One moment to analyse: at least one of image, audio and text.

    Attributes:
        image: A picture: a path, a file's content, or RGB pixels ``[height, width, 3]``.
        audio: A sound: a path, a file's content, or a clip.
        text: Words.
        analyzers: Names; empty asks every enabled one that takes what was given.
        fuser: Name; empty takes the server's.
        weights: Modality -> weight, over the server's.
        consent: Whether the person was told or agreed; a server may ask for it.
        redact_transcript: Leave the words of transcripts out of the answer.
    """

    image: ImageSource | None = None
    audio: AudioSource | None = None
    text: TextSource | None = None
    analyzers: Sequence[str] = ()
    fuser: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    consent: Consent | str = Consent.UNSPECIFIED
    redact_transcript: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How to follow one interaction; see ``mien.session.SessionConfig`` for the meanings. None is the server's."""

    session_id: str = ""
    site: str = ""
    analyzers: Sequence[str] = ()
    fuser: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    consent: Consent | str = Consent.UNSPECIFIED
    snapshot_interval_seconds: float | None = None
    max_snapshots: int | None = None
    half_life_seconds: float | None = None
    idle_timeout_seconds: float | None = None
    customer_policy: CustomerPolicy | str | None = None
    new_customer: NewCustomer | str | None = None
    mismatch_policy: MismatchPolicy | str | None = None
    exclude_regions: Sequence[tuple[float, float, float, float]] = ()
    redact_transcript: bool = False
    partials: bool | None = None
    expected_modalities: Sequence[str] = ()


def analyze_request(query: Query) -> pb.AnalyzeRequest:
    """The request for one moment.

    Raises:
        InputError: A file cannot be read, an array is not a picture, or the consent is not one.
    """
    _check_names(query.analyzers)
    return pb.AnalyzeRequest(
        image=None if query.image is None else image_message(query.image),
        audio=None if query.audio is None else audio_message(query.audio),
        text=None if query.text is None else text_message(query.text),
        analyzers=query.analyzers,
        fuser=query.fuser,
        weights=query.weights,
        consent=CONSENTS[_member("consent", query.consent)],
        redact_transcript=query.redact_transcript,
    )


def session_config(options: SessionOptions) -> pb.StreamSessionRequest:
    """The first message of a session.

    Raises:
        InputError: An option is not one of those known, or not a number.
    """
    _check_names(options.analyzers)
    given = {each.name: getattr(options, each.name) for each in fields(options)}
    for name in ENUM_OPTIONS:
        if given[name] is not None:
            given[name] = _member(name, given[name])
    try:
        return pb.StreamSessionRequest(config=config_to_wire(given))
    except (TypeError, ValueError) as error:
        raise InputError(f"an option of the session has the wrong type or size: {error}") from error


def _check_names(names: Sequence[str]) -> None:
    if isinstance(names, str):
        raise InputError(f"analyzers must be a sequence of names, got the text {names!r}; write [{names!r}]")


def _member(option: str, value: str) -> Any:
    try:
        return enum_member(option, value)
    except ValueError as error:
        raise InputError(str(error)) from None


def image_message(source: ImageSource, *, captured_at: float = 0.0) -> pb.Image:
    """A picture: an array as raw pixels, or as a JPEG where it is large; anything else as it is.

    Args:
        source: The picture.
        captured_at: When it was taken, seconds, where it does not say itself.

    Raises:
        InputError: The file cannot be read, or the array is not a picture.
    """
    if isinstance(source, str | Path):
        return pb.Image(encoded=_read(Path(source)), captured_at_seconds=captured_at)
    if isinstance(source, bytes | bytearray | memoryview):
        return pb.Image(encoded=bytes(source), captured_at_seconds=captured_at)
    if not isinstance(source, ImageFrame):
        try:
            source = ImageFrame(np.asarray(source), captured_at)
        except ValueError as error:
            raise InputError(f"image is not a picture: {error}") from error
    if source.pixels.nbytes > RAW_BYTES:
        return pb.Image(encoded=_jpeg(source), captured_at_seconds=source.captured_at)
    height, width = source.pixels.shape[:2]
    raw = pb.RawImage(data=source.pixels.tobytes(), width=width, height=height, format=pb.PIXEL_FORMAT_RGB)
    return pb.Image(raw=raw, captured_at_seconds=source.captured_at)


def audio_message(source: AudioSource, *, captured_at: float = 0.0) -> pb.Audio:
    """Sound; a clip is sent as 32-bit samples, anything else as it is. Arguments and errors as ``image_message``."""
    if isinstance(source, str | Path):
        return pb.Audio(encoded=_read(Path(source)), captured_at_seconds=captured_at)
    if isinstance(source, bytes | bytearray | memoryview):
        return pb.Audio(encoded=bytes(source), captured_at_seconds=captured_at)
    raw = pb.RawAudio(
        data=source.samples.astype("<f4").tobytes(),
        format=pb.SAMPLE_FORMAT_FLOAT32,
        sample_rate_hz=source.sample_rate,
        channels=1,
    )
    return pb.Audio(raw=raw, captured_at_seconds=source.captured_at)


def text_message(source: TextSource, *, captured_at: float = 0.0) -> pb.Text:
    """Words; ``captured_at`` as for ``image_message``."""
    if isinstance(source, str):
        return pb.Text(content=source, captured_at_seconds=captured_at)
    return pb.Text(
        content=source.text,
        language=source.language,
        captured_at_seconds=source.captured_at,
        duration_seconds=source.duration_seconds,
    )


def _jpeg(frame: ImageFrame) -> bytes:
    from mien.media.images import ImageFormat, encode_image

    return encode_image(frame.pixels, image_format=ImageFormat.JPEG, quality=JPEG_QUALITY)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
