"""A session for ordinary, blocking code: send what happens, read what the server makes of it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc

from mien.client.errors import ServiceError, service_error
from mien.client.outgoing import Outgoing
from mien.client.reconnecting import RECONNECT_SECONDS, Attempts, is_lost, resume_message
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
from mien.errors import MienError, SessionError
from mien.live import Event, Started
from mien.session import Marker, SessionSummary
from mien.v1 import sentiment_pb2 as pb
from mien.wire.sessions import event_from_wire, marker_to_wire


class ClientSession:
    """One interaction. Send from one thread; events may be read in another.

    Whatever does not say itself when it was captured is taken to be captured when it is sent, in seconds since the
    session was opened; use the one clock or the other throughout.

    Where the connection is lost, the session goes on over another by itself, and a notice of kind ``RESUMED`` says how
    long the gap was. Meanwhile the newest picture and some minutes of sound wait to be sent.
    """

    def __init__(
        self, stub: Any, options: SessionOptions, *, address: str, reconnect_seconds: float = RECONNECT_SECONDS
    ) -> None:
        self._address = address
        self._stub = stub
        self._outgoing = Outgoing()
        self._events: queue.SimpleQueue[Event | MienError | None] = queue.SimpleQueue()
        self._attempts = Attempts(reconnect_seconds)
        self._token = ""
        self._opened_at = time.monotonic()
        self._closed = False
        self._over = threading.Event()
        self._cancelled = threading.Event()
        self._call = stub.StreamSession(self._outgoing.messages(session_config(options)))
        self._reader = threading.Thread(target=self._read, name="mien-session-reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> ClientSession:
        return self

    def __exit__(self, *raised: object) -> None:
        self.cancel()

    @property
    def is_over(self) -> bool:
        """The server has ended the session; nothing more can be sent."""
        return self._over.is_set()

    def send_frame(self, image: ImageSource, *, captured_at: float | None = None, sequence: int = 0) -> None:
        """Send a picture; its update carries the number.

        Raises:
            InputError: It cannot be read, or is not a picture.
            SessionError: The session is over.
        """
        message = image_message(image, captured_at=self._time(captured_at))
        self._send(pb.StreamSessionRequest(frame=message, sequence=sequence))

    def send_audio(self, audio: AudioSource, *, captured_at: float | None = None, sequence: int = 0) -> None:
        """Send a piece of sound, in the order of time; raises as ``send_frame`` does."""
        message = audio_message(audio, captured_at=self._time(captured_at))
        self._send(pb.StreamSessionRequest(audio=message, sequence=sequence))

    def send_text(self, text: TextSource, *, captured_at: float | None = None, sequence: int = 0) -> None:
        """Send words; raises as ``send_frame`` does."""
        message = text_message(text, captured_at=self._time(captured_at))
        self._send(pb.StreamSessionRequest(text=message, sequence=sequence))

    def mark(self, name: str, *, at: float | None = None, rating: int = 0, sequence: int = 0) -> None:
        """Say that something happened; ``end`` ends the session.

        Raises:
            ValueError: The name is empty or too long, or the rating is not 1 to 5 (0 for none).
            SessionError: The session is over.
        """
        marker = Marker(name=name, at=self._time(at), rating=rating)
        self._send(pb.StreamSessionRequest(marker=marker_to_wire(marker), sequence=sequence))

    def close(self) -> None:
        """Nothing more is sent; the server finishes what it has, and sums up. May be called twice."""
        if not self._closed:
            self._closed = True
            self._outgoing.close()

    def events(self) -> Iterator[Event]:
        """What the server tells, as it comes, up to and with the summary; each event is given once.

        Raises:
            ServiceError: The call failed.
        """
        while (event := self._events.get()) is not None:
            if isinstance(event, MienError):
                self._events.put(None)
                raise event
            yield event
        self._events.put(None)  # for whoever asks again

    def finish(self) -> SessionSummary:
        """Close the session and wait for its summary; events that were not read are passed over.

        Raises:
            ServiceError: The call failed.
            SessionError: The summary has been read already.
        """
        self.close()
        for event in self.events():
            if isinstance(event, SessionSummary):
                return event
        raise SessionError("the session's summary has been read already")

    def cancel(self) -> None:
        """End the call at once; nothing happens where it has ended."""
        self._closed = True
        self._cancelled.set()
        self._call.cancel()
        self._reader.join()

    def _time(self, seconds: float | None) -> float:
        return time.monotonic() - self._opened_at if seconds is None else seconds

    def _send(self, message: pb.StreamSessionRequest) -> None:
        if self._closed or not self._outgoing.put(message):
            raise SessionError("the session is over; its summary tells how it ended")

    def _read(self) -> None:
        try:
            while (lost := self._read_call()) is not None:
                self._reconnect(lost)
        except MienError as error:
            self._events.put(error)
        finally:
            self._over.set()
            self._events.put(None)
            self._outgoing.end()

    def _read_call(self) -> ServiceError | None:
        """Read one connection to its end; why, where it was lost and the session may go on.

        Raises:
            ServiceError: The call failed for good.
        """
        try:
            for message in self._call:
                self._take(event_from_wire(message))
        except grpc.RpcError as error:
            failure = service_error(error, address=self._address)
            if self._token and not self._cancelled.is_set() and is_lost(failure, trying=self._attempts.trying):
                return failure
            raise failure from error
        return None

    def _take(self, event: Event | None) -> None:
        if isinstance(event, Started):
            goes_on = bool(self._token)
            self._token = event.resume_token
            self._attempts.succeeded()
            if goes_on:
                return  # the caller knows; a notice tells the gap
        if event is not None:
            self._events.put(event)

    def _reconnect(self, lost: ServiceError) -> None:
        self._outgoing.lose()
        pause = self._attempts.next_pause()
        if pause is None or self._cancelled.wait(pause):
            raise lost
        self._call = self._stub.StreamSession(self._outgoing.messages(resume_message(self._token)))
        if self._cancelled.is_set():  # it came between
            self._call.cancel()
