"""What the tests share: a spoken clip, and the engine in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien import AudioClip
from mien.media.audio import read_audio
from mien_pocketsphinx.transcriber import PocketSphinxTranscriber

MEDIA = Path(__file__).resolve().parents[3] / "media"


@pytest.fixture(scope="session")
def thanks() -> AudioClip:
    """ "thank you so much you have been very kind and helpful", 4 s."""
    return read_audio(MEDIA / "thanks.flac")


@pytest.fixture(scope="session")
def refusal() -> AudioClip:
    """ "no i do not want to pay for this", 3 s."""
    return read_audio(MEDIA / "refusal.flac")


@pytest.fixture(scope="session")
def recognizer() -> PocketSphinxTranscriber:
    """The engine; loading takes a second."""
    return PocketSphinxTranscriber()
