"""What the voice tests share: the committed spoken clips, the real engine, and a tone network that is made up."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("faster_whisper", reason="the extra mien[voice] is not installed")
pytest.importorskip("soundfile", reason="the extra mien[voice] is not installed")

from mien import AudioClip
from mien.media.audio import read_audio
from mien_voice import language
from mien_voice.audio import SAMPLE_RATE
from mien_voice.labels import EMOTIONS28, SENTIMENTS
from mien_voice.models import places
from mien_voice.models.places import Place
from mien_voice.settings import WhisperSettings
from mien_voice.tone import Tone
from mien_voice.transcribers.whisper import WhisperTranscriber

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"


class FakeTone:
    """Hears gratitude in "thank", anger in "terrible", nothing in anything else."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def reads(self, tag: str) -> bool:
        return language.primary(tag) == "en"

    def predict(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Tone]:
        self.calls.append(list(texts))
        return [self._tone(text) for text in texts]

    def warm_up(self) -> None:
        return

    def _tone(self, text: str) -> Tone:
        label, mood, score = "neutral", "neutral", 0.5
        text = text.lower()
        if "thank" in text:
            label, mood, score = "gratitude", "positive", 0.9
        elif "terrible" in text:
            label, mood, score = "anger", "negative", 0.1
        return Tone(
            emotions28={name: 0.9 if name == label else 0.01 for name in EMOTIONS28},
            sentiment={name: float(name == mood) for name in SENTIMENTS},
            satisfaction=score,
            valence=2 * score - 1,
            confidence=0.8,
        )


def sound(samples: npt.ArrayLike, at: float = 0.0) -> AudioClip:
    """A clip of these samples, clipped to [-1, 1]."""
    return AudioClip(np.clip(samples, -1.0, 1.0).astype(np.float32), SAMPLE_RATE, at)


def silence(seconds: float) -> npt.NDArray[np.float32]:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@pytest.fixture(scope="session")
def thanks() -> AudioClip:
    """ "thank you so much you have been very kind and helpful", 4 s."""
    return read_audio(MEDIA / "thanks.flac")


@pytest.fixture(scope="session")
def refusal() -> AudioClip:
    """ "no i do not want to pay for this", with a pause after the first word, 3 s."""
    return read_audio(MEDIA / "refusal.flac")


@pytest.fixture(scope="session")
def model_place() -> Place:
    """The model of the installed model package."""
    place = places.find("tiny.en")
    if place is None:
        pytest.skip("the extra mien[voice-en] is not installed")
    return place


@pytest.fixture(scope="session")
def recognizer(model_place: Place) -> WhisperTranscriber:
    """The real engine; loading takes a second."""
    return WhisperTranscriber(WhisperSettings(), model_place)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks the network is found out."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the network although offline")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
