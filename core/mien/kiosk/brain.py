"""Who analyses what a kiosk sees and hears: the interface, and the one that does it in this process."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Final

from mien.config import Settings
from mien.engine import AnalysisRequest, Engine
from mien.errors import ConfigError, MienError, SessionError
from mien.live import Event, LiveSession, SessionLimits, open_session
from mien.live.worker import Worker
from mien.plugins.host import PluginHost
from mien.session import Marker, SessionConfig, SessionEnd
from mien.types import AudioClip, ImageFrame, Prediction, Sample, SampleKind, StreamStatus, Transcript

HOLD_BACK_SECONDS: Final = 0.5
"""How long a piece of sound that is not taken holds back the next: far longer than the piece lasts, so that sound waits
at the microphone, and short enough for the kiosk to go on looking."""


class Interaction(ABC):
    """One customer interaction as it happens. For one event loop; ``finish`` or ``abandon`` it."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """It has ended by itself; ``finish`` it."""

    @abstractmethod
    async def push(self, sample: ImageFrame | AudioClip) -> None:
        """Take a sample in; waits for no analysis. What is left out of a picture, is left out here.

        Raises:
            SessionError: The interaction is over.
        """

    @abstractmethod
    async def mark(self, marker: Marker) -> None:
        """Take a marker in, such as one with a rating.

        Raises:
            SessionError: The interaction is over.
        """

    async def settle(self) -> None:
        """Return when all that came in was analysed and the events of it were read.

        Raises:
            SessionError: The brain cannot wait (``Brain.can_wait``).
        """
        raise SessionError("nobody tells when this interaction has caught up")

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
    def seers(self) -> frozenset[str]:
        """Names of the analyzers that take pictures; what one of them says of a picture, it says of somebody."""

    @property
    @abstractmethod
    def hears(self) -> bool:
        """Sound is analysed; where not, none is to be recorded."""

    @property
    @abstractmethod
    def can_wait(self) -> bool:
        """Its interactions can ``settle``, so that a feed that waits can be followed."""

    @abstractmethod
    async def start(self) -> None:
        """Load what it needs.

        Raises:
            MienError: It cannot work.
        """

    @abstractmethod
    async def sees_somebody(self, frame: ImageFrame) -> bool:
        """Whether an analyzer sees somebody in a picture, be it a face or something else; nothing is kept of it.

        Args:
            frame: What may be seen of a picture.

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
    def seers(self) -> frozenset[str]:
        """The enabled analyzers that take pictures."""
        return frozenset(self._seers)

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
        worker = Worker(patience_seconds=self._settings.engine.deadline_seconds)
        try:
            reasons = await worker.run(self._engine.warm_up)
        finally:
            worker.close()
        if set(self._seers) <= reasons.keys():
            reason = "; ".join(f"{name}: {reasons[name]}" for name in self._seers)
            raise ConfigError(f"no analyzer that takes pictures can be used: {reason}")

    async def sees_somebody(self, frame: ImageFrame) -> bool:
        """Ask the analyzers that take pictures."""
        request = AnalysisRequest(samples=(frame,), analyzers=self._seers)
        (answer,) = await self._engine.analyze_batch_async([request])
        if isinstance(answer, MienError):
            raise answer
        return any(sees(prediction, self.seers) for prediction in answer.predictions)

    async def open(self, config: SessionConfig, *, lossless: bool) -> Interaction:
        """Open a session in this process."""
        limits = SessionLimits.patient(self._settings) if lossless else SessionLimits.of(self._settings)
        live = await open_session(self._host, config, self._settings, self._predict, limits=limits)
        return _LocalInteraction(live, finish_seconds=limits.finish_seconds)

    async def close(self) -> None:
        """The engine is its owner's."""

    async def _predict(self, analyzer: str, sample: Sample) -> list[Prediction] | StreamStatus:
        return (await self._engine.predict_async(analyzer, [sample]))[0]


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
        else:  # sound waits at the microphone, and as utterances, but not in between
            self._live.push_sound(load)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._live.sound_taken(), HOLD_BACK_SECONDS)

    async def mark(self, marker: Marker) -> None:
        await self._live.mark(marker)

    async def settle(self) -> None:
        await self._live.settle()

    async def finish(self, end: SessionEnd) -> None:
        await self._live.finish(end, within=self._finish_seconds)

    def events(self) -> AsyncIterator[Event]:
        return self._live.events()

    async def abandon(self) -> None:
        await self._live.abandon()


def sees(prediction: Prediction, seers: frozenset[str]) -> bool:
    """Whether a prediction says that somebody is there to be seen.

    Args:
        prediction: Of any analyzer.
        seers: The analyzers that take pictures; what such a one heard is no sight of anybody.
    """
    return prediction.analyzer in seers and not isinstance(prediction.evidence, Transcript)
