"""A session for ordinary, blocking code: send what happens, read what the server makes of it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import grpc

from mien.client.errors import service_error
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
from mien.live import Event
from mien.session import Marker, SessionSummary
from mien.v1 import sentiment_pb2 as pb
from mien.wire.sessions import event_from_wire, marker_to_wire

MESSAGES_QUEUED: Final = 16
"""Messages that wait to be sent; the next ``send_...`` waits until there is room."""

POLL_SECONDS: Final = 0.1
"""How often a ``send_...`` that waits looks whether the session has ended."""


class ClientSession:
    """One interaction. Send from one thread; events may be read in another.

    Whatever does not say itself when it was captured is taken to be captured when it is sent, in seconds since the
    session was opened; use the one clock or the other throughout.
    """

    def __init__(self, stub: Any, options: SessionOptions, *, address: str) -> None:
        self._address = address
        self._outgoing: queue.Queue[pb.StreamSessionRequest | None] = queue.Queue(MESSAGES_QUEUED)
        self._events: queue.SimpleQueue[Event | MienError | None] = queue.SimpleQueue()
        self._outgoing.put(session_config(options))
        self._opened_at = time.monotonic()
        self._closed = False
        self._over = threading.Event()
        self._call = stub.StreamSession(iter(self._outgoing.get, None))
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
            self._put(None)

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
        self._call.cancel()
        self._reader.join()

    def _time(self, seconds: float | None) -> float:
        return time.monotonic() - self._opened_at if seconds is None else seconds

    def _send(self, message: pb.StreamSessionRequest) -> None:
        if self._closed or not self._put(message):
            raise SessionError("the session is over; its summary tells how it ended")

    def _put(self, message: pb.StreamSessionRequest | None) -> bool:
        """Queue a message; False where the session is over."""
        while not self._over.is_set():
            try:
                self._outgoing.put(message, timeout=POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def _read(self) -> None:
        try:
            for message in self._call:
                event = event_from_wire(message)
                if event is not None:
                    self._events.put(event)
        except grpc.RpcError as error:
            self._events.put(service_error(error, address=self._address))
        except MienError as error:
            self._events.put(error)
        finally:
            self._over.set()
            self._events.put(None)
            self._release_sender()

    def _release_sender(self) -> None:
        """Let gRPC's own thread, which waits for the next message, end."""
        while True:
            try:
                self._outgoing.put_nowait(None)
            except queue.Full:
                self._outgoing.get_nowait()
            else:
                return
