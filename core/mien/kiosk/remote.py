"""A server in the place of the engine in this process: pictures and sound go to its ``StreamSession``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from mien.client import AsyncClient, AsyncClientSession, SessionOptions
from mien.errors import ConfigError
from mien.kiosk.brain import Brain, Interaction, shows_a_face
from mien.live import Event
from mien.session import Consent, SessionConfig, SessionEnd, SessionSummary
from mien.types import AudioClip, ImageFrame, SampleKind

FINISH_SECONDS: Final = 25.0
"""How long the end of an interaction waits for the server's summary: a little longer than a server takes for it."""


class RemoteBrain(Brain):
    """``mien serve``, here or on another machine."""

    def __init__(self, address: str, *, analyzers: tuple[str, ...], consent: Consent) -> None:
        """Prepare a connection.

        Args:
            address: ``host:port``.
            analyzers: Those that take part; empty takes what is enabled there.
            consent: What people were told, which the server may ask for with every picture.
        """
        self._address = address
        self._client = AsyncClient(address)
        self._analyzers = analyzers
        self._consent = consent
        self._hears = False

    @property
    def place(self) -> str:
        """There."""
        return f"on {self._address}"

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
        if not any(SampleKind.IMAGE.value in entry.accepts for entry in used):
            raise ConfigError(f"the server {self._address} runs no analyzer that takes pictures")
        self._hears = any(SampleKind.AUDIO.value in entry.accepts for entry in used)

    async def sees_somebody(self, frame: ImageFrame) -> bool:
        """Ask the server about one picture."""
        return shows_a_face(await self._client.analyze(image=frame, consent=self._consent))

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
                mismatch_policy=config.mismatch_policy,
                exclude_regions=config.exclude_regions,
                redact_transcript=config.redact_transcript,
            )
        )
        await session.__aenter__()
        return _RemoteInteraction(session)

    async def close(self) -> None:
        """End the connection."""
        await self._client.close()


class _RemoteInteraction(Interaction):
    def __init__(self, session: AsyncClientSession) -> None:
        self._session = session
        self._end: SessionEnd | None = None
        self._over = asyncio.Event()

    @property
    def ended(self) -> bool:
        return self._over.is_set() or self._session.is_over

    async def push(self, sample: ImageFrame | AudioClip) -> None:
        if isinstance(sample, ImageFrame):
            await self._session.send_frame(sample)
        else:
            await self._session.send_audio(sample)

    async def settle(self) -> None:
        raise ConfigError("a server does not tell when it has caught up; leave --fast out")

    async def finish(self, end: SessionEnd) -> None:
        self._end = end
        try:
            async with asyncio.timeout(FINISH_SECONDS):
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
