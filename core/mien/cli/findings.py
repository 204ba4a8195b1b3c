"""The words of ``mien analyze`` and ``mien listen``: what a run was asked for, and what can be read out of an input.

A ``Read`` is a ``Finding`` (a result), a ``Failure`` (why there is none) or a ``Notice`` (something to know).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from mien.cli.inputs import Source
from mien.config import Settings
from mien.engine import Engine
from mien.errors import MienError
from mien.interfaces import Provenance
from mien.plugins.guard import Deadlines
from mien.plugins.host import PluginHost
from mien.types import AnalysisResult, AudioClip, ImageFrame, Prediction, StreamStatus, Utterance

_BATCH_PICTURES: Final = 16
_BATCH_PIXELS: Final = 16_000_000
"""A batch ends at whichever comes first, so that large photographs do not fill the memory."""


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
        deadlines: How long calls into streams may take; None takes the configured ones.
    """

    engine: Engine
    host: PluginHost
    settings: Settings
    every: float = 1.0
    said: Utterance | AudioClip | None = None
    fuser: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    deadlines: Deadlines | None = None

    def result(self, predictions: Iterable[Prediction], statuses: Iterable[StreamStatus]) -> AnalysisResult:
        """Fuse what the analyzers of one moment said.

        Raises:
            MienError: It could not be fused.
        """
        predictions, statuses = tuple(predictions), tuple(statuses)
        satisfaction = self.engine.fuse(
            predictions,
            expected={status.modality for status in statuses},
            fuser=self.fuser,
            weights=self.weights,
        )
        return AnalysisResult(predictions=predictions, satisfaction=satisfaction, streams=statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result.

    Attributes:
        result: What was seen and said.
        source: The file; None for a text alone and for a microphone.
        device: The name of a microphone; empty elsewhere.
        frame: The picture that was analysed, upright; None for words and sound alone.
        at_seconds: When it was in the video or sound; None outside one.
    """

    result: AnalysisResult
    source: Source | None = None
    device: str = ""
    frame: ImageFrame | None = None
    at_seconds: float | None = None

    def provenance(self) -> Provenance:
        """Where it comes from, for a record or a sink; dated now."""
        height, width = (None, None) if self.frame is None else self.frame.pixels.shape[:2]
        return Provenance(
            source=printable(self.device if self.source is None else self.source.path),
            at_seconds=self.at_seconds,
            image_width=width,
            image_height=height,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be analysed, or not to its end; results that came before stand."""

    path: Path | None
    error: MienError


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know of an input that was analysed."""

    path: Path | None
    message: str


Read: TypeAlias = Finding | Failure | Notice
"""What comes of an input."""


def is_full(batch: Sequence[ImageFrame]) -> bool:
    """Whether so many pictures are enough to be analysed together."""
    pixels = sum(frame.pixels.shape[0] * frame.pixels.shape[1] for frame in batch)
    return len(batch) >= _BATCH_PICTURES or pixels >= _BATCH_PIXELS


def printable(path: Path | str) -> str:
    """A path as text that any terminal, JSON reader and spreadsheet takes: no broken or control characters."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "�" for character in text)
