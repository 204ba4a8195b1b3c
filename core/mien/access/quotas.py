"""What a key has used: a bucket that fills up evenly for each quota of a minute, and a count of open sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mien.access.errors import AccessError, AccessReason
from mien.access.keys import KeyLimits

MINUTE: Final = 60.0


class Bucket:
    """So much a minute: a token bucket that holds one minute's share (RFC 2697's, with one rate). May go below 0."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.per_minute: Final = per_minute
        self._clock = clock
        self._level = float(per_minute)
        self._at = clock()

    def take(self, amount: int) -> float | None:
        """Take it out where at least one is in; else say after how many seconds there will be."""
        now = self._clock()
        self._level = min(float(self.per_minute), self._level + (now - self._at) * self.per_minute / MINUTE)
        self._at = now
        if self._level < 1.0:
            return (1.0 - self._level) * MINUTE / self.per_minute
        self._level -= amount
        return None


class Usage:
    """What one key has used. For one event loop."""

    def __init__(self, limits: KeyLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._calls = self._bucket(limits.calls_per_minute)
        self._bytes = self._bucket(limits.bytes_per_minute)
        self.sessions = 0

    def adopt(self, limits: KeyLimits) -> None:
        """Go on under other limits; what is used of a limit that stays is not forgotten."""
        if limits.calls_per_minute != self._limits.calls_per_minute:
            self._calls = self._bucket(limits.calls_per_minute)
        if limits.bytes_per_minute != self._limits.bytes_per_minute:
            self._bytes = self._bucket(limits.bytes_per_minute)
        self._limits = limits

    def charge_call(self) -> None:
        """Count a call.

        Raises:
            AccessError: The minute's calls are used up.
        """
        wait = None if self._calls is None else self._calls.take(1)
        if wait is not None:
            raise AccessError(
                f"this key may make {self._limits.calls_per_minute} calls a minute, and has",
                reason=AccessReason.CALL_QUOTA,
                retry_seconds=wait,
            )

    def charge_bytes(self, count: int) -> None:
        """Count a message's bytes; the one that goes over the limit is still taken.

        Raises:
            AccessError: The minute's bytes are used up.
        """
        wait = None if self._bytes is None else self._bytes.take(count)
        if wait is not None:
            raise AccessError(
                f"this key may send {self._limits.bytes_per_minute} bytes a minute, and has",
                reason=AccessReason.BYTE_QUOTA,
                retry_seconds=wait,
            )

    def open_session(self) -> None:
        """Count a session or stream; ``sessions`` is lowered at its end. Raises as ``check_session`` does."""
        self.check_session()
        self.sessions += 1

    def check_session(self) -> None:
        """Refuse a session or stream that would find no place.

        Raises:
            AccessError: So many are open.
        """
        if self._limits.sessions is not None and self.sessions >= self._limits.sessions:
            raise AccessError(
                f"this key may have {self._limits.sessions} sessions and streams open, and has",
                reason=AccessReason.SESSION_QUOTA,
                retry_seconds=1.0,
            )

    def _bucket(self, per_minute: int | None) -> Bucket | None:
        return None if per_minute is None else Bucket(per_minute, self._clock)
