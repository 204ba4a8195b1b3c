"""A multilingual model: the language is found out and told, or taken from the settings."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from voice.conftest import FakeTone

from mien import AudioClip, PluginError, Transcriber, Transcript
from mien_voice.analyzer import VoiceAnalyzer
from mien_voice.models.places import Origin, Place
from mien_voice.settings import VoiceSettings, WhisperSettings
from mien_voice.tone import ABSTAINING_CONFIDENCE
from mien_voice.transcribers import whisper
from mien_voice.transcribers.whisper import WhisperTranscriber

PLACE = Place(name="tiny", origin=Origin.FOLDER, folder=Path("tiny"))
SPECIAL = ("<|startoftranscript|>", "<|de|>", "<|fr|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>", "<|endoftext|>")


class MultilingualModel:
    """What faster-whisper makes of a multilingual model, hearing German and writing three words."""

    supported_languages = ("de", "en", "fr")
    is_multilingual = True

    def __init__(self) -> None:
        from tokenizers import Tokenizer, models

        vocabulary = {word: index for index, word in enumerate(("das", "war", "gut", *SPECIAL))}
        self.hf_tokenizer = Tokenizer(models.WordLevel(vocabulary, "das"))
        self.prompts: list[list[int]] = []

    @property
    def model(self) -> MultilingualModel:
        return self

    def feature_extractor(self, samples: np.ndarray, padding: int) -> np.ndarray:
        return np.zeros((80, len(samples) // 160), np.float32)

    def encode(self, features: np.ndarray) -> np.ndarray:
        return features

    def detect_language(self, encoded: np.ndarray) -> list[list[tuple[str, float]]]:
        return [[("<|de|>", 0.75), ("<|en|>", 0.25)]]

    def generate(self, encoded: np.ndarray, prompts: list[list[int]], **_: object) -> list[Any]:
        self.prompts += prompts
        return [SimpleNamespace(sequences_ids=[[0, 1, 2]], scores=[0.0], no_speech_prob=0.0)]

    def find_alignment(self, *_: object) -> list[list[dict[str, Any]]]:
        return [[]]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> MultilingualModel:
    found = MultilingualModel()
    monkeypatch.setattr(whisper, "load_model", lambda place, *, threads, recognisers: found)
    return found


def prompted(model: MultilingualModel) -> list[str | None]:
    return [model.hf_tokenizer.id_to_token(token) for token in model.prompts[-1]]


def test_the_language_is_found_out_and_bounds_the_confidence(model: MultilingualModel, refusal: AudioClip) -> None:
    transcript = WhisperTranscriber(WhisperSettings(), PLACE).transcribe(refusal)
    assert (transcript.text, transcript.language) == ("das war gut", "de")
    assert transcript.confidence == pytest.approx(0.75)
    assert prompted(model) == ["<|startoftranscript|>", "<|de|>", "<|transcribe|>", "<|notimestamps|>"]


@pytest.mark.parametrize(("asked", "told"), [("fr-CA", "fr"), ("EN_us", "en")])
def test_a_configured_language_is_not_guessed(
    model: MultilingualModel, refusal: AudioClip, asked: str, told: str
) -> None:
    transcript = WhisperTranscriber(WhisperSettings(language=asked), PLACE).transcribe(refusal)
    assert (transcript.language, transcript.confidence) == (told, 1.0)
    assert prompted(model)[1] == f"<|{told}|>"


@pytest.mark.usefixtures("model")
def test_a_language_that_whisper_does_not_know_is_told() -> None:
    with pytest.raises(PluginError, match="Whisper does not know 'tlh'; it knows de, en, fr"):
        WhisperTranscriber(WhisperSettings(language="tlh"), PLACE)


class Foreigner(Transcriber):
    """Hears German."""

    def transcribe(self, clip: AudioClip) -> Transcript:
        return Transcript(text="das war nicht gut", language="de", engine="whisper", confidence=0.9)


def test_words_in_a_language_that_the_tone_does_not_read_say_nothing(thanks: AudioClip) -> None:
    voice = VoiceAnalyzer(transcriber=Foreigner(), tone=FakeTone(), settings=VoiceSettings())
    ((prediction,),) = voice.analyze([thanks])
    assert isinstance(prediction.evidence, Transcript)
    assert prediction.evidence.language == "de"
    assert prediction.satisfaction == 0.5
    assert prediction.confidence <= ABSTAINING_CONFIDENCE
