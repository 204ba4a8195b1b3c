"""Ratings by customers: the digits 1 to 5 from standard input, such as from a number pad beside the camera."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from typing import Any, Final

from mien.errors import ConfigError
from mien.kiosk.feed import Feed, Item, Tap

MAX_WAITING: Final = 16
"""Taps that wait; of more, such as from a key that is held down, the newest are kept."""

_KEYS: Final = {ord("0") + rating: rating for rating in range(1, 6)}


class TapFeed(Feed):
    """Another feed, with taps among what it gives. For one event loop."""

    def __init__(self, feed: Feed, descriptor: int) -> None:
        """Take a feed and an open file, such as a terminal or a pipe; ``listen`` begins to read it."""
        self._feed = feed
        self._descriptor = descriptor
        self._taps: deque[Tap] = deque(maxlen=MAX_WAITING)
        self._terminal: list[Any] | None = None
        self._is_listening = False

    def listen(self) -> None:
        """Begin to read keys; on a terminal without the Enter key.

        Raises:
            ConfigError: It cannot be waited for, such as a file on a disk.
        """
        try:
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        except (OSError, ValueError, NotImplementedError) as error:
            raise ConfigError(
                "rating_keys under [kiosk] needs a keyboard or a pipe on standard input; there is none to wait for"
            ) from error
        self._is_listening = True
        if os.isatty(self._descriptor):
            import termios
            import tty

            self._terminal = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor)

    @property
    def waits(self) -> bool:
        """As the other feed."""
        return self._feed.waits

    def now(self) -> float:
        """As the other feed."""
        return self._feed.now()

    async def next(self, timeout: float) -> Item:
        """A tap, where there is one, or what the other feed gives."""
        if self._taps:
            return self._taps.popleft()
        return await self._feed.next(timeout)

    async def close(self) -> None:
        """Close the other feed, and give the terminal back as it was."""
        self._stop()
        await self._feed.close()

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 64)
        except OSError:
            data = b""
        if not data:
            self._stop()
        self._taps.extend(Tap(_KEYS[key]) for key in data if key in _KEYS)

    def _stop(self) -> None:
        if self._is_listening:
            self._is_listening = False
            asyncio.get_running_loop().remove_reader(self._descriptor)
        if self._terminal is not None:
            import termios

            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._terminal)
            self._terminal = None


def keyboard(feed: Feed) -> TapFeed:
    """The feed with taps from standard input.

    Raises:
        ConfigError: There is no standard input.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise ConfigError("rating_keys under [kiosk] needs a keyboard or a pipe on standard input; there is none")
    return TapFeed(feed, sys.stdin.fileno())
