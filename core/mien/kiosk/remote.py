"""A server in the place of the engine in this process: pictures and sound go to its ``StreamSession``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from mien.client import AsyncClient, AsyncClientSession, SessionOptions
from mien.config import Settings
from mien.errors import ConfigError
from mien.kiosk.brain import Brain, Interaction, sees
from mien.live import Event, SessionLimits
from mien.live.intake import Region, blanked
from mien.session import Consent, Marker, SessionConfig, SessionEnd, SessionSummary
from mien.types import AudioClip, ImageFrame, SampleKind


class RemoteBrain(Brain):
    """``mien serve``, here or on another machine."""

    def __init__(self, address: str, *, analyzers: tuple[str, ...], consent: Consent, settings: Settings) -> None:
        """Prepare a connection.

        Args:
            address: ``host:port``.
            analyzers: Those that take part; empty takes what is enabled there.
            consent: What people were told, which the server may ask for with every picture.
            settings: How the server is reached, and how long the end of an interaction may take.
        """
        self._address = address
        self._client = AsyncClient.from_config(settings, address=address)
        self._analyzers = analyzers
        self._consent = consent
        self._finish_seconds = SessionLimits.of(settings).remote_seconds
        self._seers: frozenset[str] = frozenset()
        self._hears = False

    @property
    def place(self) -> str:
        """There."""
        return f"on {self._address}"

    @property
    def seers(self) -> frozenset[str]:
        """As the server says; known from ``start`` on."""
        return self._seers

    @property
    def hears(self) -> bool:
        """As the server says; known from ``start`` on."""
        return self._hears

    @property
    def can_wait(self) -> bool:
        """A server does not tell when it has caught up."""
        return False

    async def start(self) -> None:
        """Ask the server what it runs.

        Raises:
            ServiceError: It cannot be reached.
            ConfigError: It has no analyzer for pictures.
        """
        info = await self._client.server_info()
        used = [
            entry
            for entry in info.analyzers
            if entry.enabled and (not self._analyzers or entry.name in self._analyzers)
        ]
        missing = set(self._analyzers) - {entry.name for entry in used}
        if missing:
            raise ConfigError(f"the server {self._address} does not run {', '.join(sorted(missing))}")
        self._seers = frozenset(entry.name for entry in used if SampleKind.IMAGE.value in entry.accepts)
        if not self._seers:
            raise ConfigError(f"the server {self._address} runs no analyzer that takes pictures")
        self._hears = any(SampleKind.AUDIO.value in entry.accepts for entry in used)

    async def sees_somebody(self, frame: ImageFrame) -> bool:
        """Ask the server about one picture."""
        result = await self._client.analyze(image=frame, consent=self._consent)
        return any(sees(prediction, self._seers) for prediction in result.predictions)

    async def open(self, config: SessionConfig, *, lossless: bool) -> Interaction:
        """Open a session there, with the options of here."""
        session = self._client.session(
            SessionOptions(
                session_id=config.session_id,
                site=config.site,
                analyzers=self._analyzers,
                weights=config.weights,
                consent=config.consent,
                snapshot_interval_seconds=config.snapshot_interval_seconds,
                max_snapshots=config.max_snapshots,
                half_life_seconds=config.half_life_seconds,
                customer_policy=config.customer_policy,
                new_customer=config.new_customer,
                mismatch_policy=config.mismatch_policy,
                exclude_regions=config.exclude_regions,
                redact_transcript=config.redact_transcript,
                partials=config.partials,
            )
        )
        await session.__aenter__()
        return _RemoteInteraction(session, config.exclude_regions, finish_seconds=self._finish_seconds)

    async def close(self) -> None:
        """End the connection."""
        await self._client.close()


class _RemoteInteraction(Interaction):
    def __init__(
        self, session: AsyncClientSession, exclude_regions: tuple[Region, ...], *, finish_seconds: float
    ) -> None:
        self._session = session
        self._exclude_regions = exclude_regions
        self._finish_seconds = finish_seconds
        self._end: SessionEnd | None = None
        self._over = asyncio.Event()

    @property
    def ended(self) -> bool:
        return self._over.is_set() or self._session.is_over

    async def push(self, sample: ImageFrame | AudioClip) -> None:
        if isinstance(sample, ImageFrame):
            await self._session.send_frame(blanked(sample, self._exclude_regions))  # before it leaves this machine
        else:
            await self._session.send_audio(sample)

    async def mark(self, marker: Marker) -> None:
        await self._session.mark(marker.name, at=marker.at, rating=marker.rating)

    async def finish(self, end: SessionEnd) -> None:
        self._end = end
        try:
            async with asyncio.timeout(self._finish_seconds):
                await self._session.close()
                await self._over.wait()
        except TimeoutError:
            self._session.cancel()

    async def events(self) -> AsyncIterator[Event]:
        try:
            async for event in self._session.events():
                yield self._with_reason(event)
        finally:
            self._over.set()

    async def abandon(self) -> None:
        self._session.cancel()

    def _with_reason(self, event: Event) -> Event:
        """To the server every end that comes from here is a close; why, only the kiosk knows."""
        if self._end is not None and isinstance(event, SessionSummary) and event.end is SessionEnd.CLOSED:
            return replace(event, end=self._end)
        return event
