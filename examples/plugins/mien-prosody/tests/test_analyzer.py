"""The analyzer keeps mien's contract, measures what it says, and takes part as any modality does."""

from __future__ import annotations

import numpy as np
import pytest

from mien import (
    AnalysisRequest,
    AnalyzerInfo,
    AudioClip,
    Engine,
    PluginHost,
    PluginState,
    Sample,
    StreamSettings,
    parse_settings,
)
from mien.testing import AnalyzerConformance, FakeFuser, FakePlugin, make_clip, make_speech
from mien_prosody import plugin
from mien_prosody.analyzer import ProsodyAnalyzer, emotions_of
from mien_prosody.melody import measure
from mien_prosody.settings import PluginSettings

RATE = 16_000


class TestConformance(AnalyzerConformance):
    @pytest.fixture
    def analyzer(self) -> ProsodyAnalyzer:
        return ProsodyAnalyzer(PluginSettings())

    @pytest.fixture
    def info(self) -> AnalyzerInfo:
        return plugin.INFO

    @pytest.fixture
    def samples(self) -> list[Sample]:
        return [make_speech(), make_speech(pitch=210.0, captured_at=3.0), make_clip(captured_at=6.0)]


def voice(pitch: np.ndarray, *, syllables: float = 4.0) -> np.ndarray:
    """A buzz of that pitch at each moment, Hz, that swells so many times a second."""
    times = np.arange(len(pitch)) / RATE
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 12))
    return (0.2 * buzz * (0.55 - 0.45 * np.cos(2 * np.pi * syllables * times))).astype(np.float32)


@pytest.mark.parametrize("pitch", [90.0, 120.0, 200.0, 320.0])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_pitch_is_measured_at_any_rate(pitch: float, rate: int) -> None:
    times = np.arange(2 * rate) / rate
    buzz = sum(np.sin(2 * np.pi * pitch * harmonic * times) / harmonic for harmonic in range(1, 9))
    melody = measure((0.2 * buzz).astype(np.float32), rate)
    assert melody is not None
    assert melody.pitch_hz == pytest.approx(pitch, rel=0.03)
    assert melody.pitch_range < 0.3


def test_syllables_pauses_and_level_are_measured() -> None:
    spoken = voice(np.full(2 * RATE, 130.0), syllables=4.0)
    melody = measure(np.concatenate([spoken, np.zeros(RATE, np.float32), spoken]), RATE)
    assert melody is not None
    assert melody.rate == pytest.approx(4.0, abs=0.8)
    assert melody.pauses == pytest.approx(0.2, abs=0.06)
    quieter = measure(spoken / 10, RATE)
    louder = measure(spoken, RATE)
    assert quieter is not None
    assert louder is not None
    assert louder.level_db - quieter.level_db == pytest.approx(20.0, abs=0.5)


def test_silence_and_noise_have_no_voice() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32) / 10
    analyzer = ProsodyAnalyzer(PluginSettings())
    assert analyzer.analyze([make_clip(), AudioClip(noise, RATE)]) == [[], []]


def test_a_lively_voice_is_animated_and_a_monotone_flat() -> None:
    times = np.arange(3 * RATE) / RATE
    lively = measure(voice(150.0 * 2 ** (0.5 * np.sin(2 * np.pi * 0.7 * times)), syllables=5.0), RATE)
    flat = measure(voice(np.full(3 * RATE, 110.0), syllables=2.0), RATE)
    assert lively is not None
    assert flat is not None
    assert max(emotions_of(lively), key=emotions_of(lively).__getitem__) == "animated"
    assert max(emotions_of(flat), key=emotions_of(flat).__getitem__) == "flat"


def test_a_streams_sound_comes_as_whole_utterances() -> None:
    stream = ProsodyAnalyzer(PluginSettings()).open_stream(StreamSettings())
    speech = make_speech(captured_at=100.0)
    sound = np.concatenate([np.zeros(RATE, np.float32), speech.samples, np.zeros(RATE, np.float32)])
    given = [
        ready
        for start in range(0, len(sound), 1_600)
        for ready in stream.push(AudioClip(sound[start : start + 1_600], RATE, 100.0 + start / RATE))
    ]
    (said,) = given
    assert said.captured_at == pytest.approx(100.8, abs=0.2)
    assert not stream.flush()


def test_it_takes_part_in_fusion_like_any_modality() -> None:
    settings = parse_settings({"fusion": {"weights": {"prosody": 0.5}}})
    host = PluginHost.from_plugins({"prosody": plugin, "fusion": FakePlugin(fusers={"fitted": FakeFuser})}, settings)
    engine = Engine(host, settings)
    result = engine.analyze(AnalysisRequest(samples=(make_speech(),)))
    engine.close()
    assert not result.missing
    assert result.satisfaction.contributions["prosody"].weight == 1.0
    assert result.predictions[0].analyzer == "prosody"


def test_wrong_settings_are_told() -> None:
    settings = parse_settings({"plugins": {plugin.NAME: {"max_confidence": 2.0}}})
    (described,) = PluginHost.from_plugins({plugin.NAME: plugin}, settings).plugins()
    assert described.state is PluginState.FAILED
    assert "max_confidence" in described.reason
