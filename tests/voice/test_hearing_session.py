"""A whole session that listens: partial words, final words, and an engine that goes away and comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from live.support import PATIENCE, events_of, loaded
from voice.conftest import FakeTone, silence, sound

from mien import (
    AnalyzerInfo,
    AudioClip,
    Modality,
    PluginContext,
    PluginError,
    PluginHost,
    RegisterAnalyzer,
    SampleKind,
    Transcriber,
    Transcript,
    hookimpl,
)
from mien.config import Settings
from mien.engine import Engine
from mien.live import Notice, Partial, SessionLimits, Update, open_session
from mien.session import SessionConfig, SessionEnd
from mien.testing import FakeFuser, FakePlugin
from mien_voice.analyzer import VoiceAnalyzer
from mien_voice.audio import SAMPLE_RATE
from mien_voice.labels import EMOTIONS28
from mien_voice.settings import VoiceSettings

INFO = AnalyzerInfo(
    modality=Modality.VOICE,
    accepts=frozenset({SampleKind.AUDIO}),
    labels=EMOTIONS28,
    version="1",
    weights_license="test",
)
OPTIONS = SessionConfig(session_id="s", fuser="fake", partials=True)


class Voice:
    """A plugin with the voice analyzer on an engine of another plugin."""

    @hookimpl
    def mien_register_analyzers(self, register: RegisterAnalyzer, context: PluginContext) -> None:
        def load() -> VoiceAnalyzer:
            return VoiceAnalyzer(transcriber=context.transcriber("ear"), tone=FakeTone(), settings=VoiceSettings())

        register("voice", INFO, load)


class Ear(Transcriber):
    """Takes whole utterances only. The first one finds no server."""

    def __init__(self) -> None:
        self.is_there = False

    def transcribe(self, clip: AudioClip) -> Transcript:
        if not self.is_there and clip.captured_at < 5.0:
            raise PluginError("the speech server cannot be reached; start it")
        return Transcript("thank you" if clip.duration_seconds > 2.5 else "thank", language="en", engine="ear")


async def told_of(ear: Ear, samples: Any) -> list[Any]:
    """What a session tells of sound that comes in pieces."""
    parts = FakePlugin(transcribers={"ear": lambda: ear}, fusers={"fake": FakeFuser})
    host = PluginHost.from_plugins({"parts": parts, "voice": Voice()})
    engine = Engine(host, Settings())

    async def predict(analyzer: str, sample: Any) -> Any:
        return (await engine.predict_async(analyzer, [sample]))[0]

    session = await open_session(host, OPTIONS, Settings(), predict, limits=SessionLimits())
    for start in range(0, len(samples), SAMPLE_RATE // 4):
        piece = sound(samples[start : start + SAMPLE_RATE // 4], start / SAMPLE_RATE)
        session.push_sound(loaded(piece))
        await session.sound_taken()
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    events = await events_of(session)
    engine.close()
    host.close()
    return events


async def test_an_engine_that_was_not_there_is_told_and_the_session_goes_on(thanks: AudioClip) -> None:
    twice = np.concatenate([thanks.samples, silence(2.5), thanks.samples, silence(2.0)])
    events = await told_of(Ear(), twice)
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert notices == ["voice is missing: the speech server cannot be reached; start it", "voice is back"]
    updates = [event for event in events if isinstance(event, Update) and event.predictions]
    assert [event.predictions[0].evidence.text for event in updates] == ["thank you"]
    assert events[-1].utterances == 1


async def test_final_words_supersede_those_that_were_told_while_they_were_spoken(thanks: AudioClip) -> None:
    ear = Ear()
    ear.is_there = True
    events = await told_of(ear, np.concatenate([thanks.samples, silence(2.0)]))
    (update,) = [event for event in events if isinstance(event, Update)]
    final = update.predictions[0]
    partials = [event.prediction for event in events if isinstance(event, Partial)]
    assert {each.evidence.text for each in partials} <= {"thank", "thank you"}
    for partial in partials:
        assert partial.is_provisional
        assert partial.interval.start == final.interval.start
        assert partial.evidence.revision < final.evidence.revision
    assert [event for event in events if isinstance(event, Partial | Update)][-1] is update
    assert events[-1].overall.contributions["voice"].samples == 1
    assert final.satisfaction == pytest.approx(0.9)
