"""Speech-to-text engines: sound in, words out; and, where an engine can, words while somebody still speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from mien.types import AudioClip, Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriberInfo:
    """What is known of a speech-to-text engine before it is loaded.

    Attributes:
        version: Of the engine.
        languages: BCP 47 tags it understands; empty if it depends on the checkpoint.
        offline: It needs no network.
        description: One line.
    """

    version: str
    languages: tuple[str, ...] = ()
    offline: bool = True
    description: str = ""


def _nobody(transcript: Transcript) -> None:
    """Partial transcripts are for nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriberStreamSettings:
    """What a transcriber's stream is told of the utterance that it is opened for.

    Attributes:
        starts_at: When the utterance began, seconds on the caller's clock: when the first sample pushed was heard.
        tell: Takes each partial transcript, on any thread, and returns at once: ``is_final`` false, and a higher
            ``revision`` than any before it. Nothing is told once ``finish`` or ``close`` was called.
        partial_interval_seconds: No need to tell more often than this.
    """

    starts_at: float = 0.0
    tell: Callable[[Transcript], None] = _nobody
    partial_interval_seconds: float = 0.7


class TranscriberStream(ABC):
    """The words of one utterance while it is spoken; the next utterance gets a stream of its own.

    Sound comes in pieces that join on, 16 kHz mono, dated by the caller's clock. It comes without the pause that ends
    the utterance, and may stop for a while, where the speaker does. Used by one thread at a time, except for ``close``.
    """

    @abstractmethod
    def push(self, clip: AudioClip) -> None:
        """Take the next piece in. What it brings to light goes to ``TranscriberStreamSettings.tell``."""

    @abstractmethod
    def finish(self) -> Transcript:
        """The utterance is over: all of its words, final, with a higher ``revision`` than any partial transcript.

        May take as long as ``Transcriber.transcribe``. Called once at most.
        """

    def close(self) -> None:
        """Nothing more is asked; the utterance may have been none. May be called twice, and while ``finish`` waits."""
        return


class Transcriber(ABC):
    """Turns sound into words. Safe to call from several threads."""

    @abstractmethod
    def transcribe(self, clip: AudioClip) -> Transcript:
        """Recognise one utterance (16 kHz mono, up to 30 s); an empty text where nothing was said."""

    def draft(self, clip: AudioClip) -> Transcript:
        """Recognise the beginning of an utterance that goes on, for a partial transcript.

        By default ``transcribe``. An engine overrides it where it can leave out what a passing answer is not worth: a
        second look at what it is not sure of, the times of words.
        """
        return self.transcribe(clip)

    def open_stream(self, settings: TranscriberStreamSettings) -> TranscriberStream | None:
        """Follow one utterance while it is spoken.

        None, the default, is an engine that cannot. The host then has ``draft`` look again and again at what has been
        said so far, as long as that keeps up; the final transcript is ``transcribe``'s, of the whole utterance.
        """
        return None

    def close(self) -> None:
        """Give resources back. The transcriber is not used again."""
        return
