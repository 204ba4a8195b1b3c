"""Sound and words through the voice analyzer: what comes out, and what happens with poor input."""

from __future__ import annotations

import numpy as np
import pytest
from voice.conftest import FakeTone, silence, sound

from mien import (
    AnalyzerInfo,
    AudioClip,
    ImageFrame,
    InputError,
    InputTooLargeError,
    Modality,
    Sample,
    SampleKind,
    StreamSettings,
    Transcriber,
    Transcript,
    Utterance,
)
from mien.testing import AnalyzerConformance
from mien_voice.analyzer import VoiceAnalyzer
from mien_voice.labels import EMOTIONS28
from mien_voice.settings import VoiceSettings
from mien_voice.tone import ABSTAINING_CONFIDENCE
from mien_voice.tonenetwork import WEIGHTS, ToneNetwork
from mien_voice.transcribers.whisper import WhisperTranscriber


class ScriptedTranscriber(Transcriber):
    """Hears the same words in every utterance, and counts."""

    def __init__(self, text: str = "thank you", confidence: float = 0.5) -> None:
        self.transcript = Transcript(text=text, language="en-US", engine="scripted", confidence=confidence)
        self.calls = 0

    def transcribe(self, clip: AudioClip) -> Transcript:
        self.calls += 1
        return self.transcript


def analyzer(transcriber: Transcriber | None = None, **settings: object) -> VoiceAnalyzer:
    return VoiceAnalyzer(
        transcriber=transcriber or ScriptedTranscriber(),
        tone=FakeTone(),
        settings=VoiceSettings.model_validate(settings),
    )


class TestConformance(AnalyzerConformance):
    @pytest.fixture
    def analyzer(self) -> VoiceAnalyzer:
        return analyzer()

    @pytest.fixture
    def info(self) -> AnalyzerInfo:
        return AnalyzerInfo(
            modality=Modality.VOICE,
            accepts=frozenset({SampleKind.AUDIO, SampleKind.TEXT}),
            labels=EMOTIONS28,
            version="1",
            weights_license="test",
        )

    @pytest.fixture
    def samples(self, thanks: AudioClip) -> list[Sample]:
        return [Utterance("this is terrible", captured_at=2.0), thanks, Utterance(""), sound(silence(0.5), at=9.0)]


def test_speech_becomes_words_and_their_tone(thanks: AudioClip, recognizer: WhisperTranscriber) -> None:
    later = AudioClip(thanks.samples, thanks.sample_rate, captured_at=30.0)
    ((prediction,),) = analyzer(recognizer).analyze([later])
    assert isinstance(prediction.evidence, Transcript)
    assert prediction.evidence.text.lower().startswith("thank you so much")
    assert prediction.evidence.words[0].interval.start >= 30.0
    assert (prediction.modality, prediction.top_emotion, prediction.satisfaction) == ("voice", "gratitude", 0.9)
    assert 30.0 <= prediction.interval.start < prediction.interval.end <= 30.0 + thanks.duration_seconds + 0.01


def test_speech_at_minus_50_decibels_is_heard(thanks: AudioClip, recognizer: WhisperTranscriber) -> None:
    far = thanks.samples * (10 ** (-50 / 20) / np.abs(thanks.samples).max())
    ((prediction,),) = analyzer(recognizer).analyze([sound(far.astype(np.float32))])
    assert isinstance(prediction.evidence, Transcript)
    assert prediction.evidence.text.lower().startswith("thank you so much")


def test_each_utterance_of_a_clip_is_a_prediction_of_its_own(thanks: AudioClip, refusal: AudioClip) -> None:
    both = sound(np.concatenate([thanks.samples, silence(1.5), refusal.samples]))
    (predictions,) = analyzer().analyze([both])
    assert len(predictions) == 2
    assert predictions[0].interval.end < predictions[1].interval.start


def test_confidence_is_the_tones_times_the_transcripts(thanks: AudioClip) -> None:
    heard, read = analyzer(ScriptedTranscriber(confidence=0.5)).analyze([thanks, Utterance("thank you")])
    assert heard[0].confidence == pytest.approx(0.8 * 0.5)
    assert read[0].confidence == pytest.approx(0.8)


def test_a_callers_own_words_skip_recognition() -> None:
    transcriber = ScriptedTranscriber()
    said = Utterance("this is terrible", captured_at=4.0, duration_seconds=1.5)
    ((prediction,),) = analyzer(transcriber).analyze([said])
    assert transcriber.calls == 0
    assert prediction.evidence == Transcript(text="this is terrible", language="en", engine="caller")
    assert (prediction.interval.start, prediction.interval.end) == (4.0, 5.5)
    assert prediction.valence < 0


def test_the_tone_of_a_batch_is_read_at_once(thanks: AudioClip) -> None:
    voice = analyzer()
    voice.analyze([Utterance("thank you"), thanks, Utterance("this is terrible")])
    tone = voice._tone
    assert isinstance(tone, FakeTone)
    assert tone.calls == [["thank you", "thank you", "this is terrible"]]


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_sound_of_another_rate_is_resampled(thanks: AudioClip, rate: int) -> None:
    soxr = pytest.importorskip("soxr", reason="the extra mien[voice] is not installed")
    other = AudioClip(soxr.resample(thanks.samples, thanks.sample_rate, rate), rate)
    ((prediction,),) = analyzer().analyze([other])
    assert prediction.interval.end == pytest.approx(thanks.duration_seconds, abs=0.3)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), silence(3.0), np.full(48_000, 0.5)])
def test_nothing_said_is_no_prediction(samples: np.ndarray) -> None:
    assert analyzer().analyze([sound(samples)]) == [[]]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_words_are_no_prediction(text: str) -> None:
    assert analyzer().analyze([Utterance(text)]) == [[]]


def test_speech_in_which_no_words_are_found_is_no_prediction(thanks: AudioClip) -> None:
    assert analyzer(ScriptedTranscriber(text="")).analyze([thanks]) == [[]]


def test_a_text_of_100000_characters_is_refused() -> None:
    with pytest.raises(InputTooLargeError, match="100000 characters, more than the limit of 10000"):
        analyzer().analyze([Utterance("a" * 100_000)])


@pytest.mark.parametrize("language", ["de", "fr-CA", "zh_Hant"])
def test_another_language_is_reported_and_says_nothing(language: str) -> None:
    ((prediction,),) = analyzer().analyze([Utterance("thank you", language=language)])
    assert isinstance(prediction.evidence, Transcript)
    assert prediction.evidence.language == language
    assert prediction.confidence == ABSTAINING_CONFIDENCE
    assert (prediction.top_emotion, prediction.satisfaction, prediction.valence) == ("neutral", 0.5, 0.0)


@pytest.mark.parametrize("language", ["en", "en-GB", "EN_us"])
def test_english_by_any_tag_is_read(language: str) -> None:
    ((prediction,),) = analyzer().analyze([Utterance("thank you", language=language)])
    assert prediction.top_emotion == "gratitude"


def test_a_picture_is_refused() -> None:
    with pytest.raises(InputError, match="sound and text, not ImageFrame"):
        analyzer().analyze([ImageFrame(np.zeros((4, 4, 3), np.uint8))])


def test_a_stream_cuts_live_sound_and_the_analyzer_takes_each_cut_as_it_is(thanks: AudioClip) -> None:
    transcriber = ScriptedTranscriber()
    voice = analyzer(transcriber)
    stream = voice.open_stream(StreamSettings())
    padded = np.concatenate([silence(1), thanks.samples, silence(1)])
    ready = [
        sample
        for start in range(0, len(padded), 1_600)
        for sample in stream.push(sound(padded[start : start + 1_600], at=10 + start / 16_000))
    ]
    assert len(ready) == 1
    ((prediction,),) = voice.analyze(ready)
    assert transcriber.calls == 1
    assert prediction.interval.start == pytest.approx(11.0, abs=0.35)
    assert stream.flush() == []


def test_words_pass_a_stream_at_once() -> None:
    said = Utterance("thank you")
    assert analyzer().open_stream(StreamSettings()).push(said) == [said]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("das war nicht gut und ich bin sehr unzufrieden mit dem Service", "de"),
        ("je ne suis pas content du tout avec ce service", "fr"),
        ("это было ужасно", "ru"),
        ("😡😡😡", "und"),
    ],
)
def test_what_the_real_network_cannot_read_is_reported_and_says_nothing(text: str, language: str) -> None:
    if not WEIGHTS.exists():
        pytest.skip("the tone network's weights are not there")
    voice = VoiceAnalyzer(transcriber=ScriptedTranscriber(), tone=ToneNetwork(WEIGHTS), settings=VoiceSettings())
    ((prediction,),) = voice.analyze([Utterance(text)])
    assert isinstance(prediction.evidence, Transcript)
    assert prediction.evidence.language == language
    assert prediction.satisfaction == 0.5
    assert prediction.confidence < 0.1
