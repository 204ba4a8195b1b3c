"""A session for asyncio. The same calls as ``mien.client.session``, awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc

from mien.client.errors import ServiceError, service_error
from mien.client.reconnecting import RECONNECT_SECONDS, Attempts, Unsent, is_lost, resume_message
from mien.client.requests import (
    AudioSource,
    ImageSource,
    SessionOptions,
    TextSource,
    audio_message,
    image_message,
    session_config,
    text_message,
)
from mien.errors import SessionError
from mien.live import Event, Started
from mien.session import Marker, SessionSummary
from mien.v1 import sentiment_pb2 as pb
from mien.wire.sessions import event_from_wire, marker_to_wire


class AsyncClientSession:
    """One interaction. Send from one task; events may be read in another. See ``ClientSession`` for the clocks.

    Where the connection is lost, whoever reads the events has it go on over another, as ``ClientSession`` does.
    """

    def __init__(
        self, stub: Any, options: SessionOptions, *, address: str, reconnect_seconds: float = RECONNECT_SECONDS
    ) -> None:
        self._address = address
        self._stub = stub
        self._attempts = Attempts(reconnect_seconds)
        self._unsent = Unsent()
        self._writing = asyncio.Lock()
        self._token = ""
        self._over = False
        self._first = session_config(options)
        self._opened_at = time.monotonic()
        self._call = stub.StreamSession()
        self._started = False
        self._closed = False

    async def __aenter__(self) -> AsyncClientSession:
        await self._open()
        return self

    async def __aexit__(self, *raised: object) -> None:
        self.cancel()

    @property
    def is_over(self) -> bool:
        """The server has ended the session; nothing more can be sent."""
        return self._over or (bool(self._call.done()) and not self._token)

    async def send_frame(self, image: ImageSource, *, captured_at: float | None = None, sequence: int = 0) -> None:
        """Send a picture; arguments and errors as ``ClientSession.send_frame``. Reads files in a thread."""
        message = await asyncio.to_thread(image_message, image, captured_at=self._time(captured_at))
        await self._send(pb.StreamSessionRequest(frame=message, sequence=sequence))

    async def send_audio(self, audio: AudioSource, *, captured_at: float | None = None, sequence: int = 0) -> None:
        """Send a piece of sound, in the order of time."""
        message = await asyncio.to_thread(audio_message, audio, captured_at=self._time(captured_at))
        await self._send(pb.StreamSessionRequest(audio=message, sequence=sequence))

    async def send_text(self, text: TextSource, *, captured_at: float | None = None, sequence: int = 0) -> None:
        """Send words."""
        message = text_message(text, captured_at=self._time(captured_at))
        await self._send(pb.StreamSessionRequest(text=message, sequence=sequence))

    async def mark(self, name: str, *, at: float | None = None, rating: int = 0, sequence: int = 0) -> None:
        """Say that something happened; see ``ClientSession.mark``."""
        marker = Marker(name=name, at=self._time(at), rating=rating)
        await self._send(pb.StreamSessionRequest(marker=marker_to_wire(marker), sequence=sequence))

    async def close(self) -> None:
        """Nothing more is sent; the server finishes what it has, and sums up. May be called twice."""
        if not self._closed:
            self._closed = True
            async with self._writing:
                await self._half_close()

    async def events(self) -> AsyncIterator[Event]:
        """What the server tells, as it comes, up to and with the summary.

        Raises:
            ServiceError: The call failed.
        """
        try:
            while True:
                try:
                    while (message := await self._call.read()) is not grpc.aio.EOF:
                        event = self._taken(event_from_wire(message))
                        if event is not None:
                            yield event
                    return
                except grpc.aio.AioRpcError as error:
                    failure = service_error(error, address=self._address)
                    if not self._token or not is_lost(failure, trying=self._attempts.trying):
                        raise failure from error
                await self._reconnect(failure)
        finally:
            self._over = True

    async def finish(self) -> SessionSummary:
        """Close the session and wait for its summary; events that were not read are passed over.

        Raises:
            ServiceError: The call failed.
            SessionError: The summary has been read already.
        """
        await self.close()
        async for event in self.events():
            if isinstance(event, SessionSummary):
                return event
        raise SessionError("the session's summary has been read already")

    def cancel(self) -> None:
        """End the call at once; nothing happens where it has ended."""
        self._closed = True
        self._call.cancel()

    def _time(self, seconds: float | None) -> float:
        return time.monotonic() - self._opened_at if seconds is None else seconds

    async def _open(self) -> None:
        if not self._started:
            self._started = True
            await self._write(self._first)

    async def _send(self, message: pb.StreamSessionRequest) -> None:
        await self._open()
        if self._closed:
            raise SessionError("the session is over; its summary tells how it ended")
        await self._write(message)

    async def _write(self, message: pb.StreamSessionRequest) -> None:
        async with self._writing:
            if self._attempts.trying:
                self._unsent.add(message)
                return
            try:
                await self._call.write(message)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
                if not self._token or self._over:
                    # Why it ended is told to whoever reads the events.
                    raise SessionError("the session is over; its events tell how it ended") from error
                self._unsent.add(message)

    async def _half_close(self) -> None:
        if not self._call.done() and not self._attempts.trying:
            await self._call.done_writing()

    def _taken(self, event: Event | None) -> Event | None:
        """What the caller is told of an event."""
        if not isinstance(event, Started):
            return event
        goes_on = bool(self._token)
        self._token = event.resume_token
        return None if goes_on else event  # a notice tells the gap

    async def _reconnect(self, lost: ServiceError) -> None:
        """Try once more.

        Raises:
            ServiceError: The time is up, or the server has the session no more.
        """
        pause = self._attempts.next_pause()
        if pause is None:
            raise lost
        await asyncio.sleep(pause)
        self._call = self._stub.StreamSession()
        try:
            await self._call.write(resume_message(self._token))
            started = await self._call.read()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # reading the call tells why
        if started is grpc.aio.EOF:
            return
        self._taken(event_from_wire(started))
        async with self._writing:
            self._attempts.succeeded()
            try:
                while len(self._unsent):
                    await self._call.write(self._unsent.take())
                if self._closed:
                    await self._half_close()
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return  # lost again
