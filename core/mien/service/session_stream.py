"""``StreamSession``: one customer interaction over one call. Reads messages, feeds ``mien.live``, and ends it well.

Every end gives a summary: half-close, an end marker, enough snapshots, silence, the server's drain, and also a message
that breaks the protocol, which is answered by its status after the summary. It reads on only while there is room for
what it reads: beyond that gRPC's own flow control holds the caller up.
"""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import ExitStack
from typing import TypeAlias

from mien.access import calling
from mien.config import Settings
from mien.engine.requests import enabled_for
from mien.errors import InputError, SessionError
from mien.live import (
    Event,
    LiveSession,
    NoticeKind,
    Predictor,
    SessionLimits,
    open_session,
    provenance_of,
    result_of,
)
from mien.live.session import Load
from mien.plugins.host import PluginHost
from mien.plugins.sinks import Sinks
from mien.service.holdings import Holdings
from mien.service.inbox import End, Inbox
from mien.service.limits import Gate
from mien.service.measuring import SessionMeter
from mien.service.memory import Lease
from mien.service.metrics import Metrics
from mien.service.privacy import check_consent
from mien.service.scheduler import Scheduler
from mien.session import Marker, SessionConfig, SessionEnd
from mien.types import AudioClip, ImageFrame, SampleKind
from mien.v1 import sentiment_pb2 as pb
from mien.wire.bounds import check_bounds
from mien.wire.sessions import config_overrides, event_to_wire
from mien.wire.status import InvalidFieldError

Messages: TypeAlias = AsyncIterator[pb.StreamSessionRequest]
SessionInbox: TypeAlias = Inbox[pb.StreamSessionRequest]


class SessionStream:
    """One ``StreamSession`` call."""

    def __init__(
        self,
        settings: Settings,
        *,
        host: PluginHost,
        gate: Gate,
        holdings: Holdings,
        scheduler: Scheduler,
        sinks: Sinks,
        caller: str,
        metrics: Metrics | None = None,
    ) -> None:
        self._settings = settings
        self._limits = SessionLimits.of(settings)
        self._host = host
        self._gate = gate
        self._holdings = holdings
        self._predict: Predictor = functools.partial(scheduler.predict, caller=caller)
        self._sinks = sinks
        self._caller = caller
        self._meter = SessionMeter(metrics or Metrics())

    async def run(self, requests: Messages) -> AsyncGenerator[pb.StreamSessionResponse, None]:
        """Follow one interaction.

        Raises:
            MienError: It could not be opened, or a message broke the protocol.
        """
        config = await self._configured(requests)
        live = await open_session(self._host, config, self._settings, self._predict, limits=self._limits)
        reading = asyncio.create_task(self._read_all(requests, live, config))
        try:
            async for event in live.events():
                self._notify(config, event)
                self._meter.told(event)
                yield event_to_wire(event)
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await live.abandon()

    # Opening

    async def _configured(self, requests: Messages) -> SessionConfig:
        inbox: SessionInbox = Inbox(requests, self._gate.draining)
        try:
            first = await inbox.next(idle_seconds=self._settings.limits.idle_seconds)
        finally:
            await inbox.close()
        if isinstance(first, End) or first.WhichOneof("payload") != "config":
            raise SessionError("a session begins with its config, and none came; send it as the first message")
        check_bounds(first)
        check_consent(first.config.consent, self._settings.privacy)
        return self._config_of(first.config)

    def _config_of(self, message: pb.SessionConfig) -> SessionConfig:
        given = config_overrides(message)
        check_modalities(self._host, message.weights, field="config.weights")
        check_modalities(self._host, message.expected_modalities, field="config.expected_modalities")
        allowed = calling.get().allowed(tuple(message.analyzers), enabled_for(self._host, tuple(SampleKind)))
        if allowed:
            given["analyzers"] = tuple(dict.fromkeys(allowed))
        given["session_id"] = message.session_id or uuid.uuid4().hex
        try:
            config = SessionConfig.from_settings(self._settings, **given)
        except ValueError as error:
            named = next((f"config.{name}" for name in given if str(error).startswith(name)), "config")
            raise InvalidFieldError(named, str(error)) from error
        longest = max(self._settings.limits.idle_seconds, self._settings.session.idle_timeout_seconds)
        if config.idle_timeout_seconds > longest:
            raise InvalidFieldError(
                "config.idle_timeout_seconds",
                f"at most {longest:g} on this server, got {config.idle_timeout_seconds:g}",
            )
        return config

    # Reading

    async def _read_all(self, requests: Messages, live: LiveSession, config: SessionConfig) -> None:
        """Read to the end, whatever it is, and have the session finish."""
        inbox: SessionInbox = Inbox(requests, self._gate.draining, live.ended)
        end, within = SessionEnd.CLOSED, self._limits.finish_seconds
        broken: Exception | None = None
        try:
            end = await self._read(inbox, live, config)
        except Exception as error:  # told after the summary; what nobody expected is logged by the interceptor
            broken = error
        finally:
            await inbox.close()
        if self._gate.draining.is_set() and not live.ended.is_set():
            end, within = SessionEnd.DRAINING, self._limits.drain_seconds
            live.notice(NoticeKind.DRAINING, "the server is shutting down; the session ends here")
        await live.finish(end, within=within)
        if broken is not None:
            raise broken

    async def _read(self, inbox: SessionInbox, live: LiveSession, config: SessionConfig) -> SessionEnd:
        while True:
            if not live.has_room:
                await inbox.until(live.wait_for_room())
            message = await inbox.next(idle_seconds=config.idle_timeout_seconds)
            if isinstance(message, End):
                return SessionEnd.IDLE if message is End.IDLE else SessionEnd.CLOSED
            size = message.ByteSize()
            lease = await self._charge(size, inbox)
            if isinstance(lease, End):
                return SessionEnd.CLOSED
            held = ExitStack()
            held.enter_context(lease)
            await self._take(message, live, held, size)

    async def _charge(self, size: int, inbox: SessionInbox) -> Lease | End:
        """Room in the server's memory for a message; the next one is not read before there is."""
        messages = self._holdings.messages
        lease = messages.try_take(size)
        if lease is not None:
            return lease
        return await inbox.until(messages.take(size, caller=self._caller, urgent=True))

    async def _take(self, message: pb.StreamSessionRequest, live: LiveSession, held: ExitStack, size: int) -> None:
        """Hand a message on; ``held`` is what it takes of the server's memory, given back once nobody needs it."""
        kind, sequence = message.WhichOneof("payload"), message.sequence
        samples: dict[str | None, tuple[Callable[..., None], Load]] = {
            "frame": (live.push_frame, functools.partial(self._picture, message.frame, held)),
            "audio": (live.push_sound, functools.partial(self._sound, message.audio, held)),
            "text": (live.push_words, functools.partial(self._holdings.text, message.text)),
        }
        try:
            if kind != "config":
                check_bounds(message)
        except InputError as error:
            held.close()
            live.notice(NoticeKind.BAD_INPUT, str(error), sequence=sequence)
            return
        if kind == "audio":
            self._meter.heard(message.audio.captured_at_seconds)
        if kind in samples:
            push, load = samples[kind]
            push(load, sequence=sequence, size=size, gone=held.close)
            return
        with held:
            await self._obey(message, live)

    async def _obey(self, message: pb.StreamSessionRequest, live: LiveSession) -> None:
        """A message that is nothing to look at or listen to."""
        kind, sequence = message.WhichOneof("payload"), message.sequence
        if kind == "marker":
            await self._mark(message.marker, live, sequence)
        elif kind == "config":
            raise SessionError("the config came a second time; a session is configured once, by its first message")
        else:
            live.notice(NoticeKind.BAD_INPUT, "a message held nothing that this server knows", sequence=sequence)

    async def _picture(self, message: pb.Image, held: ExitStack) -> ImageFrame:
        frame, lease = await self._holdings.image(message, field="frame")
        held.enter_context(lease)
        return frame

    async def _sound(self, message: pb.Audio, held: ExitStack) -> AudioClip:
        clip, lease = await self._holdings.audio(message)
        held.enter_context(lease)
        return clip

    async def _mark(self, message: pb.Marker, live: LiveSession, sequence: int) -> None:
        try:
            marker = Marker(name=message.name, at=message.at_seconds, rating=message.rating)
        except ValueError as error:
            live.notice(NoticeKind.BAD_INPUT, f"marker: {error}", sequence=sequence)
        else:
            await live.mark(marker, sequence=sequence)

    def _notify(self, config: SessionConfig, event: Event) -> None:
        """Have the sinks see what is new of the results, and the summary."""
        result = result_of(event)
        if result is not None:
            self._sinks.notify(result, provenance_of(event, session_id=config.session_id, site=config.site))


def check_modalities(host: PluginHost, names: Iterable[str], *, field: str) -> None:
    """Refuse the name of a modality that neither mien nor an analyzer here knows: it would be of no use.

    Raises:
        InvalidFieldError: There is no such modality.
    """
    for name in names:
        if name not in host.modalities:
            known = ", ".join(sorted(host.modalities))
            raise InvalidFieldError(f"{field}[{name!r}]", f"there is no such modality; known are: {known}")
