"""What comes in during a session: each message is charged to the server's memory, checked, and handed on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeAlias

from mien.errors import InputError, SessionError
from mien.live import LiveSession, NoticeKind
from mien.live.session import Load
from mien.service.holdings import Holdings
from mien.service.inbox import End, Inbox
from mien.service.measuring import SessionMeter
from mien.service.memory import Lease
from mien.session import Marker
from mien.types import AudioClip, ImageFrame
from mien.v1 import sentiment_pb2 as pb
from mien.wire.bounds import check_bounds

SessionInbox: TypeAlias = Inbox[pb.StreamSessionRequest]


class SessionMessages:
    """Feeds a session. For one event loop."""

    def __init__(self, live: LiveSession, *, holdings: Holdings, caller: str, meter: SessionMeter) -> None:
        """Prepare.

        Args:
            live: The session.
            holdings: Charges messages, and decodes.
            caller: Whose session it is, for its turn where the memory is full.
            meter: Is told when sound arrives.
        """
        self._live = live
        self._holdings = holdings
        self._caller = caller
        self._meter = meter

    async def take(self, message: pb.StreamSessionRequest, inbox: SessionInbox) -> bool:
        """Hand a message on, once there is room for it.

        Returns:
            False where the session's connection, or the session, ended before there was.

        Raises:
            SessionError: It breaks the protocol.
        """
        size = message.ByteSize()
        lease = await self._charge(size, inbox)
        if isinstance(lease, End):
            return False
        held = ExitStack()
        held.enter_context(lease)
        await self._hand_on(message, held, size)
        return True

    async def _charge(self, size: int, inbox: SessionInbox) -> Lease | End:
        """Room in the server's memory for a message; the next one is not read before there is."""
        messages = self._holdings.messages
        lease = messages.try_take(size)
        if lease is not None:
            return lease
        return await inbox.until(messages.take(size, caller=self._caller, urgent=True))

    async def _hand_on(self, message: pb.StreamSessionRequest, held: ExitStack, size: int) -> None:
        """Hand a message on; ``held`` is what it takes of the server's memory, given back once nobody needs it."""
        kind, sequence = message.WhichOneof("payload"), message.sequence
        samples: dict[str | None, tuple[Callable[..., None], Load]] = {
            "frame": (self._live.push_frame, functools.partial(self._picture, message.frame, held)),
            "audio": (self._live.push_sound, functools.partial(self._sound, message.audio, held)),
            "text": (self._live.push_words, functools.partial(self._holdings.text, message.text)),
        }
        try:
            if kind != "config":
                check_bounds(message)
        except InputError as error:
            held.close()
            self._live.notice(NoticeKind.BAD_INPUT, str(error), sequence=sequence)
            return
        if kind == "audio":
            self._meter.heard(message.audio.captured_at_seconds)
        if kind in samples:
            push, load = samples[kind]
            push(load, sequence=sequence, size=size, gone=held.close)
            return
        with held:
            await self._obey(message)

    async def _obey(self, message: pb.StreamSessionRequest) -> None:
        """A message that is nothing to look at or listen to."""
        kind, sequence = message.WhichOneof("payload"), message.sequence
        if kind == "marker":
            await self._mark(message.marker, sequence)
        elif kind == "config":
            raise SessionError("the config came a second time; a session is configured once, by its first message")
        else:
            self._live.notice(NoticeKind.BAD_INPUT, "a message held nothing that this server knows", sequence=sequence)

    async def _picture(self, message: pb.Image, held: ExitStack) -> ImageFrame:
        frame, lease = await self._holdings.image(message, field="frame")
        held.enter_context(lease)
        return frame

    async def _sound(self, message: pb.Audio, held: ExitStack) -> AudioClip:
        clip, lease = await self._holdings.audio(message)
        held.enter_context(lease)
        return clip

    async def _mark(self, message: pb.Marker, sequence: int) -> None:
        try:
            marker = Marker(name=message.name, at=message.at_seconds, rating=message.rating)
        except ValueError as error:
            self._live.notice(NoticeKind.BAD_INPUT, f"marker: {error}", sequence=sequence)
        else:
            await self._live.mark(marker, sequence=sequence)
