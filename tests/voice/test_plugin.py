"""The plugin in a host: what it registers, what its settings may be, and what happens without the extra."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from voice.conftest import FakeTone

import mien_voice.plugin as voice_plugin
from mien import AudioClip, ConfigError, SampleKind, Transcriber, Transcript, hookimpl
from mien.config import Settings, parse_settings
from mien.plugins.host import PluginHost, PluginState
from mien.testing import read_settings
from mien_voice import tonenetwork
from mien_voice.settings import VoiceSettings


def host(settings: dict[str, Any] | None = None, **others: object) -> PluginHost:
    return PluginHost.from_plugins({"voice": voice_plugin, **others}, parse_settings(settings or {}))


@pytest.fixture
def fake_tone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tonenetwork, "ToneNetwork", lambda _: FakeTone())


def test_it_registers_the_analyzer_and_two_engines() -> None:
    (description,) = host().plugins()
    assert description.state is PluginState.LOADED, description.reason
    assert description.analyzers == ("voice",)
    assert description.transcribers == ("transformers", "whisper")
    info = host().analyzers["voice"].info
    assert info.accepts == {SampleKind.AUDIO, SampleKind.TEXT}
    assert info.modality == "voice"


def test_it_is_off_until_the_configuration_names_it() -> None:
    assert not host().analyzers["voice"].enabled
    assert host({"engine": {"analyzers": ["voice"]}}).analyzers["voice"].enabled


class Ear(Transcriber):
    def transcribe(self, clip: AudioClip) -> Transcript:
        return Transcript(text="thank you", engine="ear")


class EarPlugin:
    @hookimpl
    def mien_register_transcribers(self, register: Any) -> None:
        from mien import TranscriberInfo

        register("ear", TranscriberInfo(version="1"), Ear)


@pytest.mark.usefixtures("fake_tone")
def test_a_strangers_engine_is_taken_by_name(thanks: AudioClip) -> None:
    settings = {"engine": {"analyzers": ["voice"]}, "plugins": {"voice": {"transcriber": "ear"}}}
    ((prediction,),) = host(settings, ear=EarPlugin()).analyzer("voice").analyze([thanks])
    assert isinstance(prediction.evidence, Transcript)
    assert prediction.evidence.engine == "ear"


@pytest.mark.usefixtures("fake_tone")
def test_an_engine_that_does_not_exist_is_told_with_those_that_do() -> None:
    from mien import PluginError

    settings = {"engine": {"analyzers": ["voice"]}, "plugins": {"voice": {"transcriber": "eer"}}}
    with pytest.raises(PluginError, match="no transcriber 'eer'; registered are: transformers, whisper"):
        host(settings).analyzer("voice")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"transcribr": "x"}, "transcribr: there is no such key; known here: max_text_characters"),
        ({"segmentation": {"end_silence_seconds": 60}}, "segmentation.end_silence_seconds.*60"),
        ({"segmentation": {"end_silence_seconds": 0.1}}, "post_roll_seconds must not exceed"),
        ({"segmentation": {"speech_threshold": 2}}, "segmentation.speech_threshold.*2"),
        ({"max_text_characters": 0}, "max_text_characters"),
    ],
)
def test_wrong_settings_are_told_by_key(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_settings(VoiceSettings, table)
    (description,) = host({"plugins": {"voice": table}}).plugins()
    assert description.state is PluginState.FAILED
    assert "its settings are wrong: [plugins.voice]" in description.reason


def test_without_the_extra_it_is_listed_with_what_is_missing_and_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(voice_plugin, "find_spec", lambda name: None if name == "faster_whisper" else name)
    (description,) = PluginHost.from_plugins({"voice": voice_plugin}, Settings(), strict=True).plugins()
    assert description.state is PluginState.UNAVAILABLE
    assert "faster_whisper" in description.reason
    assert "pip install 'mien[voice]'" in description.reason


def test_what_it_requires_are_modules_that_exist_here() -> None:
    assert [name for name in voice_plugin.REQUIRED if importlib.util.find_spec(name) is None] == []
