"""Tells the service manager how the server fares: the protocol of sd_notify(3), datagrams to ``NOTIFY_SOCKET``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from typing import Final

SOCKET_VARIABLE: Final = "NOTIFY_SOCKET"
WATCHDOG_VARIABLE: Final = "WATCHDOG_USEC"
WATCHDOG_PID_VARIABLE: Final = "WATCHDOG_PID"


class ServiceManager:
    """Sends nothing where nobody asked for it. The watchdog is told from the event loop: who hangs is silent."""

    def __init__(self) -> None:
        self._address = os.environ.get(SOCKET_VARIABLE, "")
        self._watching: asyncio.Task[None] | None = None

    def ready(self) -> None:
        """Calls are answered; from now on the watchdog is told so, where there is one."""
        self._send("READY=1")
        seconds = watchdog_seconds()
        if seconds is not None and self._address and self._watching is None:
            self._watching = asyncio.create_task(self._watch(seconds / 2), name="mien-watchdog")

    def reloading(self) -> None:
        """Files are read again; ``ready`` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The drain has begun. The watchdog is told on, until ``close``."""
        self._send("STOPPING=1")

    async def close(self) -> None:
        """Tell no more."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self, seconds: float) -> None:
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(seconds)

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.setblocking(False)
            to.sendto(message.encode(), address)


def watchdog_seconds() -> float | None:
    """After how long a silence the service manager takes the process for hung; None where it does not."""
    microseconds = os.environ.get(WATCHDOG_VARIABLE, "")
    process = os.environ.get(WATCHDOG_PID_VARIABLE, "")
    if not microseconds.isdigit() or int(microseconds) == 0 or (process and process != str(os.getpid())):
        return None
    return int(microseconds) / 1e6
