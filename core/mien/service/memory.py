"""How much of what came in may be in memory at once, over all callers; and memory given back after a burst."""

from __future__ import annotations

import asyncio
import ctypes
import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from mien.service.fairness import FairQueue

TRIM_AFTER_BYTES: Final = 32 << 20
"""So much must have been freed before the C library is asked to give pages back."""

TRIM_DELAY_SECONDS: Final = 1.0
"""After the last of it was freed; while more comes and goes, the pages are better kept."""


class Lease:
    """Bytes of a budget; ``release`` them, or use it in a ``with``."""

    __slots__ = ("_budget", "_size")

    def __init__(self, budget: Budget, size: int) -> None:
        self._budget = budget
        self._size = size

    def release(self) -> None:
        """Give the bytes back. May be called twice."""
        size, self._size = self._size, 0
        if size:
            self._budget._release(size)

    def __enter__(self) -> Lease:
        """Nothing more than itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Release it."""
        self.release()


class Budget:
    """So many bytes, shared by all callers. For one event loop."""

    def __init__(self, limit: int, *, on_freed: Callable[[int], None] = lambda size: None) -> None:
        """Start with nothing taken.

        Args:
            limit: Bytes. More than that is given to one holder only where nobody else holds any.
            on_freed: Called with the bytes that were given back.
        """
        self._limit = limit
        self._used = 0
        self._on_freed = on_freed
        self._waiting: FairQueue[_Turn] = FairQueue()
        self._next: _Turn | None = None  # whose turn it is, once there is room

    @property
    def used(self) -> int:
        """Bytes that are held."""
        return self._used

    @property
    def limit(self) -> int:
        """Bytes that may be held."""
        return self._limit

    def try_take(self, size: int) -> Lease | None:
        """Take bytes if there is room for them now."""
        if self._next is not None or not self._fits(size):
            return None
        self._charge(size)
        return Lease(self, size)

    def charge(self, size: int) -> Lease:
        """Take bytes that are in memory already, whatever is left."""
        self._charge(size)
        return Lease(self, size)

    async def take(self, size: int, *, caller: str, urgent: bool = False) -> Lease:
        """Wait for room.

        Args:
            size: Bytes; 0 waits until less than the limit is held.
            caller: Who waits; callers take turns.
            urgent: Before those that are not.
        """
        lease = self.try_take(size)
        if lease is not None:
            return lease
        turn = _Turn(size, asyncio.get_running_loop().create_future())
        self._waiting.put(turn, caller=caller, urgent=urgent)
        self._let_in()
        try:
            await turn.come
        except asyncio.CancelledError:
            if not turn.come.cancelled():  # it had come just now
                self._release(size)
            elif not self._waiting.remove(turn, caller=caller, urgent=urgent):
                self._let_in()
            raise
        return Lease(self, size)

    def _fits(self, size: int) -> bool:
        return self._used == 0 or (self._used + size <= self._limit if size else self._used < self._limit)

    def _charge(self, size: int) -> None:
        self._used += size

    def _release(self, size: int) -> None:
        self._used -= size
        self._on_freed(size)
        self._let_in()

    def _let_in(self) -> None:
        while self._next is not None or self._waiting:
            turn = self._next = self._next or self._waiting.take()
            if not turn.come.done():
                if not self._fits(turn.size):
                    return
                self._charge(turn.size)
                turn.come.set_result(None)
            self._next = None


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    size: int
    come: asyncio.Future[None]


class Trimmer:
    """Gives memory back to the system after a burst, where the C library can (glibc). For one event loop."""

    def __init__(self) -> None:
        self._freed = 0
        self._timer: asyncio.TimerHandle | None = None

    def freed(self, size: int) -> None:
        """Note that bytes were freed."""
        self._freed += size
        if self._freed < TRIM_AFTER_BYTES:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(TRIM_DELAY_SECONDS, self._trim)

    def close(self) -> None:
        """Trim no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _trim(self) -> None:
        self._freed, self._timer = 0, None
        trim = _malloc_trim()
        if trim is not None:  # takes milliseconds, in which Python's lock is free
            asyncio.get_running_loop().run_in_executor(None, trim, 0)


@functools.cache
def _malloc_trim() -> Callable[[int], Any] | None:
    try:
        found: Any = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
    found.argtypes, found.restype = (ctypes.c_size_t,), ctypes.c_int
    return found  # type: ignore[no-any-return]
