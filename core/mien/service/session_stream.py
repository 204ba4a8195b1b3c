"""``StreamSession``: one customer interaction over one call. Reads messages, feeds ``mien.live``, and ends it well.

Every end gives a summary: half-close, an end marker, enough snapshots, silence, the server's drain, and also a message
that breaks the protocol, which is answered by its status after the summary.
"""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import TypeAlias

from mien.config import Settings
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
from mien.plugins.host import PluginHost
from mien.plugins.sinks import Sinks
from mien.service.decoding import Decoder
from mien.service.inbox import End, Inbox
from mien.service.limits import Gate
from mien.service.privacy import check_consent
from mien.session import Marker, SessionConfig, SessionEnd
from mien.v1 import sentiment_pb2 as pb
from mien.wire.bounds import check_bounds
from mien.wire.sessions import config_overrides, event_to_wire
from mien.wire.status import InvalidFieldError

Messages: TypeAlias = AsyncIterator[pb.StreamSessionRequest]
SessionInbox: TypeAlias = Inbox[pb.StreamSessionRequest]


class SessionStream:
    """One ``StreamSession`` call."""

    def __init__(
        self, settings: Settings, *, host: PluginHost, gate: Gate, decoder: Decoder, predict: Predictor, sinks: Sinks
    ) -> None:
        self._settings = settings
        self._limits = SessionLimits.of(settings)
        self._host = host
        self._gate = gate
        self._decoder = decoder
        self._predict = predict
        self._sinks = sinks

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

    async def _read(
        self, inbox: Inbox[pb.StreamSessionRequest], live: LiveSession, config: SessionConfig
    ) -> SessionEnd:
        while True:
            message = await inbox.next(idle_seconds=config.idle_timeout_seconds)
            if isinstance(message, End):
                return SessionEnd.IDLE if message is End.IDLE else SessionEnd.CLOSED
            await self._take(message, live)

    async def _take(self, message: pb.StreamSessionRequest, live: LiveSession) -> None:
        kind, sequence = message.WhichOneof("payload"), message.sequence
        if kind != "config":
            try:
                check_bounds(message)
            except InputError as error:
                live.notice(NoticeKind.BAD_INPUT, str(error), sequence=sequence)
                return
        if kind == "frame":
            live.push_frame(functools.partial(self._decoder.image, message.frame, field="frame"), sequence=sequence)
        elif kind == "audio":
            live.push_sound(functools.partial(self._decoder.audio, message.audio), sequence=sequence)
        elif kind == "text":
            live.push_words(functools.partial(self._decoder.text, message.text), sequence=sequence)
        elif kind == "marker":
            await self._mark(message.marker, live, sequence)
        elif kind == "config":
            raise SessionError("the config came a second time; a session is configured once, by its first message")
        else:
            live.notice(NoticeKind.BAD_INPUT, "a message held nothing that this server knows", sequence=sequence)

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
