"""A multilingual model: the language is found out and told, or taken from the settings."""

from __future__ import annotations

import pytest
from voice.conftest import FakeTone
from voice.tiny_whisper import LANGUAGES, save_tiny_whisper

from mien import AudioClip, PluginError, Transcriber, Transcript
from mien_voice.analyzer import VoiceAnalyzer
from mien_voice.models import places
from mien_voice.models.places import Place
from mien_voice.settings import VoiceSettings, WhisperSettings
from mien_voice.tone import ABSTAINING_CONFIDENCE
from mien_voice.transcribers import whisper
from mien_voice.transcribers.whisper import WhisperTranscriber


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = places.find(str(save_tiny_whisper(tmp_path_factory.mktemp("tiny") / "model")))
    assert place is not None
    return place


@pytest.fixture
def believing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model of random weights writes is taken for words."""
    monkeypatch.setattr(whisper, "MADE_UP_LOG_PROBABILITY", -100.0)
    monkeypatch.setattr(whisper, "NO_SPEECH", 1.1)


@pytest.mark.usefixtures("believing")
def test_the_language_is_found_out_and_told(tiny: Place, refusal: AudioClip) -> None:
    transcript = WhisperTranscriber(WhisperSettings(), tiny).transcribe(refusal)
    assert transcript.text
    assert transcript.language in LANGUAGES


@pytest.mark.usefixtures("believing")
@pytest.mark.parametrize(("asked", "told"), [("de", "de"), ("fr-CA", "fr"), ("EN_us", "en")])
def test_a_configured_language_is_not_guessed(tiny: Place, refusal: AudioClip, asked: str, told: str) -> None:
    assert WhisperTranscriber(WhisperSettings(language=asked), tiny).transcribe(refusal).language == told


def test_a_language_that_whisper_does_not_know_is_told(tiny: Place) -> None:
    with pytest.raises(PluginError, match="Whisper does not know 'tlh'; it knows af, am, ar"):
        WhisperTranscriber(WhisperSettings(language="tlh"), tiny)


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
