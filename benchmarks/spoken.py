"""Clips of speech and what is said in them, for the measurements of the voice."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien import AudioClip
from mien.media.audio import read_audio

MEDIA: Final = Path(__file__).parents[1] / "examples" / "media"
COMMITTED: Final = {
    "thanks.flac": "thank you so much you have been very kind and helpful",
    "complaint.flac": "this is terrible i have been waiting for an hour and nobody helps me",
    "refusal.flac": "no i do not want to pay for this",
    "opening_hours.flac": "the shop opens at nine in the morning",
}


@dataclass(frozen=True)
class Spoken:
    """A clip (16 kHz mono), the words that are said in it, and what it is like."""

    clip: AudioClip
    words: str
    condition: str


def committed() -> list[Spoken]:
    """The clips of ``examples/media``."""
    return [Spoken(read_audio(MEDIA / name), words, "synthetic") for name, words in COMMITTED.items()]


def read_table(path: Path) -> list[Spoken]:
    """The clips of a Parquet table with the columns ``audio`` (an encoded file), ``text`` and ``condition``."""
    import pyarrow.parquet
    import soundfile

    found = []
    for row in pyarrow.parquet.read_table(path, columns=["audio", "text", "condition"]).to_pylist():
        samples, rate = soundfile.read(io.BytesIO(row["audio"]), dtype="float32")
        found.append(Spoken(AudioClip(samples, rate), row["text"], row["condition"]))
    return found
