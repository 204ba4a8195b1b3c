"""Who analyses what a kiosk sees and hears: the interface, and the one that does it in this process."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from mien.config import Settings
from mien.engine import AnalysisRequest, Engine
from mien.errors import ConfigError
from mien.live import Event, LiveSession, SessionLimits, open_session
from mien.plugins.host import PluginHost
from mien.session import SessionConfig, SessionEnd
from mien.session.customer import is_seen
from mien.types import AnalysisResult, AudioClip, ImageFrame, Prediction, Sample, SampleKind, StreamStatus


class Interaction(ABC):
    """One customer interaction as it happens. For one event loop; ``finish`` or ``abandon`` it."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """It has ended by itself; ``finish`` it."""

    @abstractmethod
    async def push(self, sample: ImageFrame | AudioClip) -> None:
        """Take a sample in; waits for no analysis.

        Raises:
            SessionError: The interaction is over.
        """

    @abstractmethod
    async def settle(self) -> None:
        """Return when all that came in was analysed and the events of it were read."""

    @abstractmethod
    async def finish(self, end: SessionEnd) -> None:
        """Have what came in analysed and summed up; the summary is the last event."""

    @abstractmethod
    def events(self) -> AsyncIterator[Event]:
        """What happens, up to the summary.

        Raises:
            MienError: The interaction could not go on.
        """

    @abstractmethod
    async def abandon(self) -> None:
        """Stop at once. May be called twice."""


class Brain(ABC):
    """Finds out whether somebody is there, and follows them."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the analysis happens, for a person."""

    @property
    @abstractmethod
    def hears(self) -> bool:
        """Sound is analysed; where not, none is to be recorded."""

    @property
    @abstractmethod
    def can_wait(self) -> bool:
        """Its interactions can ``settle``."""

    @abstractmethod
    async def start(self) -> None:
        """Load what it needs.

        Raises:
            MienError: It cannot work.
        """

    @abstractmethod
    async def sees_somebody(self, frame: ImageFrame) -> bool:
        """Whether there is a face in a picture; nothing is kept of it.

        Raises:
            MienError: The picture could not be analysed.
        """

    @abstractmethod
    async def open(self, config: SessionConfig, *, lossless: bool) -> Interaction:
        """Begin to follow somebody.

        Args:
            config: The options of the session.
            lossless: Whoever pushes waits (``settle``), so nothing needs to be left out for want of time.

        Raises:
            MienError: It cannot be opened.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give back what it holds."""


class LocalBrain(Brain):
    """The engine in this process."""

    def __init__(self, engine: Engine, host: PluginHost, settings: Settings) -> None:
        """Take an engine, its host and its settings; both are left open.

        Raises:
            ConfigError: No analyzer that takes pictures is enabled.
        """
        self._engine = engine
        self._host = host
        self._settings = settings
        self._seers = engine.enabled_for({SampleKind.IMAGE})
        if not self._seers:
            raise ConfigError(
                "a kiosk needs an analyzer that takes pictures, and none is enabled; name one, such as 'face', in "
                "[engine] analyzers"
            )

    @property
    def place(self) -> str:
        """Here."""
        return "in this process"

    @property
    def hears(self) -> bool:
        """An enabled analyzer takes sound."""
        return bool(self._engine.enabled_for({SampleKind.AUDIO}))

    @property
    def can_wait(self) -> bool:
        """Always."""
        return True

    async def start(self) -> None:
        """Load and compile the analyzers, so that the first customer is not kept waiting."""
        reasons = await asyncio.to_thread(self._engine.warm_up)
        if set(self._seers) <= reasons.keys():
            reason = "; ".join(f"{name}: {reasons[name]}" for name in self._seers)
            raise ConfigError(f"no analyzer that takes pictures can be used: {reason}")

    async def sees_somebody(self, frame: ImageFrame) -> bool:
        """Ask the analyzers that take pictures."""
        request = AnalysisRequest(samples=(frame,), analyzers=self._seers)
        return shows_a_face(await asyncio.to_thread(self._engine.analyze, request))

    async def open(self, config: SessionConfig, *, lossless: bool) -> Interaction:
        """Open a session in this process."""
        limits = SessionLimits.patient(self._settings) if lossless else SessionLimits.of(self._settings)
        live = await open_session(self._host, config, self._settings, self._predict, limits=limits)
        return _LocalInteraction(live, finish_seconds=limits.finish_seconds)

    async def close(self) -> None:
        """The engine is its owner's."""

    async def _predict(self, analyzer: str, sample: Sample) -> list[Prediction] | StreamStatus:
        return (await asyncio.to_thread(self._engine.predict, analyzer, [sample]))[0]


class _LocalInteraction(Interaction):
    def __init__(self, live: LiveSession, *, finish_seconds: float) -> None:
        self._live = live
        self._finish_seconds = finish_seconds

    @property
    def ended(self) -> bool:
        return self._live.ended.is_set()

    async def push(self, sample: ImageFrame | AudioClip) -> None:
        async def load() -> ImageFrame | AudioClip:
            return sample

        if isinstance(sample, ImageFrame):
            self._live.push_frame(load)
        else:
            self._live.push_sound(load)

    async def settle(self) -> None:
        await self._live.settle()

    async def finish(self, end: SessionEnd) -> None:
        await self._live.finish(end, within=self._finish_seconds)

    def events(self) -> AsyncIterator[Event]:
        return self._live.events()

    async def abandon(self) -> None:
        await self._live.abandon()


def shows_a_face(result: AnalysisResult) -> bool:
    """Whether a face was found."""
    return any(is_seen(prediction) for prediction in result.predictions)
