"""Sources into results: reads each kind of input, has it analysed in batches, and says of each what came of it.

A generator from end to end, so that the first result is out before the last file is read. One bad file costs only
itself. Nothing is printed or written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final, TypeAlias

from mien.cli.inputs import InputKind, Source
from mien.cli.sound import SoundTrack, utterances_of
from mien.cli.tracking import Tracker
from mien.config import Settings
from mien.engine import AnalysisRequest, Engine
from mien.errors import InputError, InputTooLargeError, MienError
from mien.media.images import decode_image
from mien.media.video import VideoEndsEarlyError, read_video
from mien.plugins.host import PluginHost
from mien.types import AnalysisResult, AudioClip, ImageFrame, Sample, Utterance

MAX_FILE_BYTES: Final = 64 << 20
MAX_FILE_PIXELS: Final = 64_000_000
"""Limits of local pictures. They are wider than the service's: the files are the user's own."""

_BATCH_PICTURES: Final = 16
_BATCH_PIXELS: Final = 16_000_000
"""A batch ends at whichever comes first, so that large photographs neither fill the memory nor miss the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of the command was asked for.

    Attributes:
        engine: Analyses.
        host: The engine's own.
        settings: The engine's own.
        every: Seconds between two analysed frames of a video; 0 takes each frame.
        said: Words or sound that go with each picture; None for nothing.
        fuser: Name; empty takes the configured one.
        weights: Modality -> weight, over the configured ones.
    """

    engine: Engine
    host: PluginHost
    settings: Settings
    every: float = 1.0
    said: Utterance | AudioClip | None = None
    fuser: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result.

    Attributes:
        result: What was seen and said.
        source: The file; None for a text alone.
        frame: The picture that was analysed, upright; None for words and sound alone.
        at_seconds: When it was in the video or sound; None outside one.
    """

    result: AnalysisResult
    source: Source | None = None
    frame: ImageFrame | None = None
    at_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be analysed, or not to its end; results that came before stand."""

    path: Path | None
    error: MienError


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know of an input that was analysed."""

    path: Path
    message: str


Outcome: TypeAlias = Finding | Failure | Notice
Reader: TypeAlias = Callable[[Run, Sequence[Source]], Iterator[Outcome]]


def analyze_sources(run: Run, sources: Sequence[Source]) -> Iterator[Outcome]:
    """Analyse the sources in order; neighbours of one kind together."""
    for kind, group in groupby(sources, key=lambda source: source.kind):
        yield from READERS[kind](run, list(group))


def analyze_alone(run: Run, said: Utterance | AudioClip) -> Outcome:
    """Analyse words or sound without a picture."""
    try:
        return Finding(result=run.engine.analyze(_request(run, said)))
    except MienError as error:
        return Failure(None, error)


def _read_pictures(run: Run, sources: Sequence[Source]) -> Iterator[Outcome]:
    batch: list[tuple[Source, ImageFrame]] = []
    pixels = 0
    for source in sources:
        try:
            frame = decode_image(_content(source.path), max_bytes=MAX_FILE_BYTES, max_pixels=MAX_FILE_PIXELS)
        except InputError as error:
            yield Failure(source.path, error)
            continue
        batch.append((source, frame))
        pixels += frame.pixels.shape[0] * frame.pixels.shape[1]
        if len(batch) >= _BATCH_PICTURES or pixels >= _BATCH_PIXELS:
            yield from _analyze_pictures(run, batch)
            batch, pixels = [], 0
    yield from _analyze_pictures(run, batch)


def _analyze_pictures(run: Run, batch: Sequence[tuple[Source, ImageFrame]]) -> Iterator[Outcome]:
    samples = [(frame, run.said) if run.said is not None else (frame,) for _, frame in batch]
    answers = run.engine.analyze_batch([_request(run, *parts) for parts in samples])
    for (source, frame), answer in zip(batch, answers, strict=True):
        if isinstance(answer, MienError):
            yield Failure(source.path, answer)
        else:
            yield Finding(result=answer, source=source, frame=frame)


def _read_videos(run: Run, sources: Sequence[Source]) -> Iterator[Outcome]:
    for source in sources:
        try:
            yield from _read_video(run, source)
        except MienError as error:
            yield Failure(source.path, error)


def _read_video(run: Run, source: Source) -> Iterator[Outcome]:
    track = SoundTrack(run, source.path)
    if track.problem:
        yield Notice(source.path, track.problem)
    tracker = Tracker(run.engine, run.host, run.settings, every=run.every, fuser=run.fuser, weights=run.weights)
    batch: list[ImageFrame] = []
    frames = read_video(source.path, every=run.every)
    ended_early = ""
    while True:
        try:
            frame = next(frames, None)
        except VideoEndsEarlyError as error:
            frame, ended_early = None, str(error)
        if frame is not None:
            batch.append(frame)
        if batch and (frame is None or _is_full(batch)):
            for analysed, result in zip(batch, tracker.follow(batch), strict=True):
                if result is not None:
                    at = analysed.captured_at
                    yield Finding(result=track.join(result, at=at), source=source, frame=analysed, at_seconds=at)
            batch = []
        if frame is None:
            break
    for result in track.rest():
        yield Finding(result=result, source=source, at_seconds=_start(result))
    if ended_early:
        yield Notice(source.path, ended_early)


def _read_sounds(run: Run, sources: Sequence[Source]) -> Iterator[Outcome]:
    for source in sources:
        try:
            results = utterances_of(run, source.path)
        except MienError as error:
            yield Failure(source.path, error)
        else:
            yield from (Finding(result=result, source=source, at_seconds=_start(result)) for result in results)


def _start(result: AnalysisResult) -> float | None:
    """When the first thing that a result tells of began; None where it tells of nothing."""
    return min((prediction.interval.start for prediction in result.predictions), default=None)


def _is_full(batch: Sequence[ImageFrame]) -> bool:
    height, width, _ = batch[0].pixels.shape
    return len(batch) >= _BATCH_PICTURES or len(batch) * height * width >= _BATCH_PIXELS


def _request(run: Run, *samples: Sample) -> AnalysisRequest:
    return AnalysisRequest(samples=samples, fuser=run.fuser, weights=run.weights)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputTooLargeError(f"the file has {path.stat().st_size:,} bytes, and the limit is {MAX_FILE_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error


READERS: Final[Mapping[InputKind, Reader]] = {
    InputKind.PICTURE: _read_pictures,
    InputKind.VIDEO: _read_videos,
    InputKind.SOUND: _read_sounds,
}
"""What reads each kind of input."""
