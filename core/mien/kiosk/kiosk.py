"""The kiosk itself: waits for a customer, follows them, sums up, and waits for the next."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from mien.errors import ConfigError, InputError, MienError, SessionError
from mien.interfaces import KioskView
from mien.kiosk.brain import Brain, Interaction, sees
from mien.kiosk.feed import Feed, Item, Pause, Tap, Trouble
from mien.live import Event, Notice, NoticeKind, Update
from mien.live.intake import blanked
from mien.session import Marker, SessionConfig, SessionEnd, SessionSummary
from mien.types import AudioClip, ImageFrame

TICK_SECONDS: Final = 0.25
"""How often the kiosk looks at the clock where nothing comes."""

RATED: Final = "rated"
"""Name of the marker that holds a rating."""

Record = Callable[[str, Event], None]
"""Is handed a session's name and each of its events, those that hold a result among them; returns at once."""


@dataclass(slots=True, eq=False)
class _Current:
    """The interaction that is going on."""

    session_id: str
    interaction: Interaction
    listening: asyncio.Task[None]
    seen_at: float
    newest: ImageFrame
    end: SessionEnd | None = None


class Kiosk:
    """Follows one customer after the other. For one event loop, and one run."""

    def __init__(
        self, *, feed: Feed, brain: Brain, view: KioskView, record: Record, config: SessionConfig, once: bool = False
    ) -> None:
        """Put the parts together.

        Args:
            feed: What is seen and heard.
            brain: Who analyses it.
            view: Who is shown what happens.
            record: Called with every event.
            config: The options of each session; each gets a name of its own.
            once: End after the first interaction.

        Raises:
            SessionError: A consent is required and was not given.
            ConfigError: The feed waits for each sample to be analysed, and the brain does not tell when it was.
        """
        if feed.waits and not brain.can_wait:
            raise ConfigError(f"{brain.place}, nobody tells when pictures were analysed; leave --fast out")
        if config.require_consent and config.consent == "unspecified":
            raise SessionError("a kiosk's customers must be told before they are followed, and no consent is given")
        self._feed = feed
        self._brain = brain
        self._view = view
        self._record = record
        self._config = config
        self._once = once
        self._current: _Current | None = None
        self._interactions = 0
        self._unable = ""

    async def run(self, stop: asyncio.Event) -> int:
        """Go on until ``stop`` is set, the files end, or after one interaction with ``once``.

        Returns:
            How many interactions there were.

        Raises:
            InputError: A file cannot be read.
        """
        self._view.waiting(self._feed.now())
        try:
            while not stop.is_set() and not (self._once and self._interactions and self._current is None):
                item = await self._feed.next(TICK_SECONDS)
                if item is Pause.END:
                    break
                await self._take(item)
                await self._end_if_due()
                self._view.tick(self._feed.now())
            await self._end(SessionEnd.CLOSED)
        finally:
            if self._current is not None:
                await self._current.interaction.abandon()
                self._current.listening.cancel()
                await asyncio.gather(self._current.listening, return_exceptions=True)
        return self._interactions

    async def _take(self, item: Item) -> None:
        if isinstance(item, Trouble):
            self._tell(item.message)
        elif isinstance(item, Tap):
            await self._rate(item.rating)
        elif isinstance(item, ImageFrame):
            await self._see(item)
        elif isinstance(item, AudioClip) and self._current is not None:  # else nobody is there who was told
            await self._push(self._current, item)

    async def _rate(self, rating: int) -> None:
        """Put a tap down to the customer who is there, or has just left."""
        if self._current is None:
            self._tell("a rating was tapped and nobody is there")
            return
        try:
            await self._current.interaction.mark(Marker(name=RATED, at=self._feed.now(), rating=rating))
        except SessionError:
            self._tell("a rating was tapped when the visit had just ended")

    async def _see(self, frame: ImageFrame) -> None:
        if self._current is None:
            self._current = await self._begin(frame)
        if self._current is not None:
            self._current.newest = frame
            await self._push(self._current, frame)

    async def _begin(self, frame: ImageFrame) -> _Current | None:
        """Open a session if somebody is there."""
        try:
            if not await self._brain.sees_somebody(blanked(frame, self._config.exclude_regions)):
                self._able()
                return None
            config = replace(self._config, session_id=_session_name())
            interaction = await self._brain.open(config, lossless=self._feed.waits)
        except MienError as error:
            self._tell_once(str(error))
            return None
        self._able()
        self._interactions += 1
        listening = asyncio.create_task(self._listen(config.session_id, interaction), name="kiosk-events")
        return _Current(config.session_id, interaction, listening, frame.captured_at, frame)

    async def _push(self, current: _Current, sample: ImageFrame | AudioClip) -> None:
        try:
            await current.interaction.push(sample)
        except SessionError:
            return  # it has just ended; why, its events tell
        except InputError as error:
            self._tell(str(error))
            return
        if self._feed.waits:
            settling = asyncio.ensure_future(current.interaction.settle())
            await asyncio.wait({settling, current.listening}, return_when=asyncio.FIRST_COMPLETED)
            settling.cancel()

    async def _end_if_due(self) -> None:
        if self._current is None:
            return
        if self._current.interaction.ended or self._current.listening.done():
            ended = self._current
            await self._end(SessionEnd.CLOSED)
            if ended.end is SessionEnd.NEXT_CUSTOMER and not self._once:
                await self._see(ended.newest)  # it shows the one who stands there now
        elif self._feed.now() - self._current.seen_at > self._config.idle_timeout_seconds:
            await self._end(SessionEnd.IDLE)
        if self._current is None and not self._once:
            self._view.waiting(self._feed.now())

    async def _end(self, end: SessionEnd) -> None:
        """Sum up. ``end`` is the reason where the session has none of its own."""
        current = self._current
        if current is None:
            return
        await current.interaction.finish(end)
        await current.listening
        await current.interaction.abandon()
        self._current = None

    async def _listen(self, session_id: str, interaction: Interaction) -> None:
        try:
            async for event in interaction.events():
                self._note(session_id, event)
                self._view.show(event, self._feed.now())
        except MienError as error:
            self._tell(f"the interaction broke off: {error}")

    def _note(self, session_id: str, event: Event) -> None:
        self._record(session_id, event)
        if isinstance(event, SessionSummary) and self._current is not None:
            self._current.end = event.end
        if isinstance(event, Update) and self._current is not None:
            seers = self._brain.seers
            if any(sees(prediction, seers) for prediction in event.predictions):
                self._current.seen_at = max(self._current.seen_at, event.state.at)

    def _tell(self, message: str) -> None:
        now = self._feed.now()
        self._view.show(Notice(kind=NoticeKind.STREAM, message=message, at=now), now)

    def _tell_once(self, message: str) -> None:
        """Tell what keeps the kiosk from seeing, but not again with every picture."""
        if message != self._unable:
            self._tell(message)
        self._unable = message

    def _able(self) -> None:
        if self._unable:
            self._tell("pictures are analysed again")
        self._unable = ""


def _session_name() -> str:
    """Tells when it began, and is unique; says nothing of the customer."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
