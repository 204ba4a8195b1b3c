"""What the tests share: spoken clips, and the engine in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from mien import AudioClip
from mien_pocketsphinx.transcriber import SAMPLE_RATE, PocketSphinxTranscriber

MEDIA = Path(__file__).resolve().parents[3] / "media"


def clip(name: str) -> AudioClip:
    samples, rate = soundfile.read(MEDIA / name, dtype="float32")
    assert rate == SAMPLE_RATE
    return AudioClip(samples, rate)


@pytest.fixture(scope="session")
def thanks() -> AudioClip:
    """ "thank you so much you have been very kind and helpful", 4 s."""
    return clip("thanks.flac")


@pytest.fixture(scope="session")
def refusal() -> AudioClip:
    """ "no i do not want to pay for this", 3 s."""
    return clip("refusal.flac")


@pytest.fixture(scope="session")
def few_words(refusal: AudioClip) -> AudioClip:
    """ "no i do not", 1 s, for tests that ask again and again."""
    return AudioClip(refusal.samples[:SAMPLE_RATE], SAMPLE_RATE)


@pytest.fixture(scope="session")
def recognizer() -> PocketSphinxTranscriber:
    """The engine; loading takes a second."""
    return PocketSphinxTranscriber()
