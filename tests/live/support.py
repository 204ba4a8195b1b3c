"""Sessions on fakes, without any transport."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mien import Prediction, Sample, SampleKind, Stream, StreamSettings, StreamStatus
from mien.config import Settings
from mien.live import LiveSession, SessionLimits, open_session
from mien.plugins.host import PluginHost
from mien.session import SessionConfig
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_prediction

PATIENCE = 20.0
"""Seconds; what takes so long fails its test."""


def loaded(sample: Sample) -> Callable[[], Awaitable[Sample]]:
    """What a session calls to have a sample decoded."""

    async def load() -> Sample:
        return sample

    return load


class Ears:
    """Predicts for any analyzer; holds those of one back until it is released."""

    def __init__(self, held: str = "") -> None:
        self.held = held
        self.release = asyncio.Event()
        self.asked: list[str] = []

    async def __call__(self, analyzer: str, sample: Sample) -> list[Prediction] | StreamStatus:
        self.asked.append(analyzer)
        if analyzer == self.held:
            await self.release.wait()
        return [make_prediction(analyzer, at=sample.captured_at)]


def host_of(
    *,
    face: FakeAnalyzer | None = None,
    voice: FakeAnalyzer | None = None,
    fuser: Callable[[], FakeFuser] = FakeFuser,
    settings: Settings | None = None,
) -> PluginHost:
    """A host with ``face`` for pictures, ``voice`` for sound, and a fuser ``fake``."""
    face, voice = face or FakeAnalyzer("face"), voice or FakeAnalyzer("voice")
    analyzers = {
        "face": (analyzer_info("face"), lambda: face),
        "voice": (analyzer_info("voice", SampleKind.AUDIO), lambda: voice),
    }
    return PluginHost.from_plugins({"fakes": FakePlugin(analyzers=analyzers, fusers={"fake": fuser})}, settings)


async def live(
    predict: Any, host: PluginHost | None = None, *, settings: Settings | None = None, **limits: Any
) -> LiveSession:
    """An open session of all analyzers of the host."""
    config = SessionConfig(session_id="s", fuser="fake", snapshot_interval_seconds=0.0)
    chosen = settings or Settings()
    return await open_session(host or host_of(), config, chosen, predict, limits=SessionLimits(**limits))


async def events_of(session: LiveSession) -> list[Any]:
    """All that a session tells, to its end."""
    return [event async for event in session.events()]


class Opening(FakeAnalyzer):
    """Opens the stream it is given."""

    def __init__(self, opened: Callable[[], Stream], modality: str) -> None:
        super().__init__(modality)
        self._opened = opened

    def open_stream(self, settings: StreamSettings) -> Stream:
        return self._opened()
