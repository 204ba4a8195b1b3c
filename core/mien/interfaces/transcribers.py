"""Speech-to-text engines: sound in, words out."""

from __future__ import annotations

from abc import ABC, abstractmethod
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


class Transcriber(ABC):
    """Turns sound into words. Safe to call from several threads."""

    @abstractmethod
    def transcribe(self, clip: AudioClip) -> Transcript:
        """Recognise one utterance (16 kHz mono, up to 30 s); an empty text where nothing was said."""

    def close(self) -> None:
        """Give resources back. The transcriber is not used again."""
        return
