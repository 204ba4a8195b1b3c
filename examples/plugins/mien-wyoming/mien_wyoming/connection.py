"""One connection to a Wyoming server: events out, events in, and every way in which that goes wrong in one sentence.

The library's ``read_event`` and ``write_event`` know the format; this knows sockets, deadlines and bounds.
"""

from __future__ import annotations

import contextlib
import io
import select
import socket
import time
import warnings
from collections.abc import Callable
from typing import Any, Final

from mien import PluginError
from mien_wyoming.settings import WyomingSettings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the library imports audioop where Python still has it
    from wyoming.event import Event, Eventable, read_event, write_event

MOST_BYTES: Final = 1 << 20
"""Of one line or payload from the server; an answer has a few hundred."""

_CHUNK: Final = 1 << 16
_LOOK_MS: Final = 100  # how often it is looked whether to give up


class Connection:
    """Sends from one thread, receives on one."""

    def __init__(self, settings: WyomingSettings) -> None:
        """Connect.

        Raises:
            PluginError: Nobody answers there.
        """
        self._name = settings.name
        self._timeout = settings.timeout_seconds
        self._socket = self._connected(settings.address)
        self._reader = _Reader(self._socket)

    def send(self, *events: Eventable) -> None:
        """Send events.

        Raises:
            PluginError: The server has gone, or takes nothing in.
        """
        buffer = io.BytesIO()
        for each in events:
            write_event(each.event(), buffer)
        try:
            self._socket.sendall(buffer.getvalue())
        except TimeoutError:
            raise self._error(f"takes no sound in for {self._timeout:g} s") from None
        except OSError as error:
            raise self._error(f"has closed the connection ({_reason(error)}); is it still running?") from None

    def receive(self, *, give_up: Callable[[], bool] | None = None) -> Event:
        """Wait for the next event.

        Args:
            give_up: Asked now and then whether to wait no longer; None waits for the timeout.

        Raises:
            PluginError: It did not come, or is none.
        """
        deadline = time.monotonic() + self._timeout
        self._reader.give_up = give_up or (lambda: time.monotonic() >= deadline)
        try:
            event = read_event(self._reader)  # type: ignore[arg-type]  # all that it needs of a file
        except TimeoutError:
            raise self._error(f"did not answer for {self._timeout:g} s") from None
        except OSError as error:
            raise self._error(f"broke the connection off ({_reason(error)}); is it still running?") from None
        except (AttributeError, KeyError, TypeError, _TooLargeError):
            event = None
        if event is not None and isinstance(event.type, str) and isinstance(event.data, dict):
            return event
        if event is None and self._reader.has_ended:
            raise self._error("closed the connection before it had answered; is it still running?")
        raise self._error("answered something that is not the Wyoming protocol; is it a Wyoming server?")

    def end(self) -> None:
        """End the connection, which wakes who waits for it. For any thread; may be called twice."""
        with contextlib.suppress(OSError):  # it had gone before
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """The same, and give its number back to the system; for whoever receives, when they have done with it."""
        self.end()
        self._socket.close()

    def unusable(self, what: str) -> PluginError:
        """The error of an answer that cannot be used."""
        return self._error(f"answered {what}")

    def _connected(self, address: tuple[str, int] | str) -> socket.socket:
        try:
            if isinstance(address, str):
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                connection.settimeout(self._timeout)
                connection.connect(address)
                return connection
            connection = socket.create_connection(address, self._timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise self._error(
                f"cannot be reached ({_reason(error)}); start it, or name another one under [plugins.wyoming]"
            ) from None
        return connection

    def _error(self, problem: str) -> PluginError:
        return PluginError(f"the Wyoming server at {self._name} {problem}")


class _TooLargeError(Exception):
    """An event is larger than any that a speech server has to send."""


class _Reader:
    """What ``read_event`` needs of a file, over a socket, with a deadline and bounds."""

    def __init__(self, source: socket.socket) -> None:
        self.give_up: Callable[[], bool] = lambda: True
        self.has_ended = False
        self._socket = source
        self._poll = select.poll()
        self._poll.register(source, select.POLLIN)
        self._buffer = bytearray()

    def readline(self) -> bytes:
        """Up to the next line's end; less only where the connection ends."""
        while (end := self._buffer.find(b"\n")) < 0 and self._fill():
            if len(self._buffer) > MOST_BYTES:
                raise _TooLargeError
        return self._take(len(self._buffer) if end < 0 else end + 1)

    def read(self, size: Any) -> bytes:
        """So many bytes; less only where the connection ends."""
        if not 0 <= size <= MOST_BYTES:
            raise _TooLargeError
        while len(self._buffer) < size and self._fill():
            pass
        return self._take(size)

    def _fill(self) -> bool:
        while not self._poll.poll(_LOOK_MS):
            if self.give_up():
                raise TimeoutError
        received = self._socket.recv(_CHUNK)
        self._buffer += received
        self.has_ended = not received
        return bool(received)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
