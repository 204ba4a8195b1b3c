"""Sources into results: reads each kind of input, has it analysed in batches, and says of each what came of it.

A generator from end to end, so that the first result is out before the last file is read. One bad file costs only
itself. Pictures are read here, videos and sound in ``mien.cli.recordings``. Nothing is printed or written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, TypeAlias

from mien.cli.findings import Failure, Finding, Read, Run, is_full
from mien.cli.inputs import InputKind, Source
from mien.cli.recordings import read_sounds, read_videos
from mien.engine import AnalysisRequest
from mien.errors import InputError, InputTooLargeError, MienError
from mien.media.images import decode_image
from mien.types import AudioClip, ImageFrame, Sample, Utterance

MAX_FILE_BYTES: Final = 64 << 20
MAX_FILE_PIXELS: Final = 64_000_000
"""Limits of local pictures. They are wider than the service's: the files are the user's own."""

Reader: TypeAlias = Callable[[Run, Sequence[Source]], Iterator[Read]]


def read_sources(run: Run, sources: Sequence[Source]) -> Iterator[Read]:
    """Analyse the sources in order; neighbours of one kind together."""
    for kind, group in groupby(sources, key=lambda source: source.kind):
        yield from READERS[kind](run, list(group))


def read_alone(run: Run, said: Utterance | AudioClip) -> Read:
    """Analyse words or sound without a picture."""
    try:
        return Finding(result=run.engine.analyze(_request(run, said)))
    except MienError as error:
        return Failure(None, error)


def _read_pictures(run: Run, sources: Sequence[Source]) -> Iterator[Read]:
    batch: list[tuple[Source, ImageFrame]] = []
    for source in sources:
        try:
            frame = decode_image(_content(source.path), max_bytes=MAX_FILE_BYTES, max_pixels=MAX_FILE_PIXELS)
        except InputError as error:
            yield Failure(source.path, error)
            continue
        batch.append((source, frame))
        if is_full([frame for _, frame in batch]):
            yield from _analyze_pictures(run, batch)
            batch = []
    yield from _analyze_pictures(run, batch)


def _analyze_pictures(run: Run, batch: Sequence[tuple[Source, ImageFrame]]) -> Iterator[Read]:
    samples = [(frame, run.said) if run.said is not None else (frame,) for _, frame in batch]
    answers = run.engine.analyze_batch([_request(run, *parts) for parts in samples])
    for (source, frame), answer in zip(batch, answers, strict=True):
        if isinstance(answer, MienError):
            yield Failure(source.path, answer)
        else:
            yield Finding(result=answer, source=source, frame=frame)


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
    InputKind.VIDEO: read_videos,
    InputKind.SOUND: read_sounds,
}
"""What reads each kind of input."""
