"""The queues of a session, one for each kind of work, each worked off by a task of its own and in order."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

_log = logging.getLogger("mien.live")


class Room:
    """Counts the bytes that wait in several queues together, for whoever fills them. For one event loop."""

    def __init__(self, limit: float) -> None:
        """Start empty.

        Args:
            limit: Bytes from which there is no room; what is put nevertheless is kept.
        """
        self._limit = limit
        self._held = 0
        self._free = asyncio.Event()
        self._free.set()

    @property
    def is_free(self) -> bool:
        """Whether more may be put."""
        return self._free.is_set()

    async def wait(self) -> None:
        """Return when more may be put."""
        await self._free.wait()

    def add(self, size: int) -> None:
        """Bytes came in (or, where negative, are gone)."""
        self._held += size
        if self._held < self._limit:
            self._free.set()
        else:
            self._free.clear()


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[Item]):
    item: Item
    size: int
    gone: Callable[[], None]


def nothing() -> None:
    """For whoever need not know that an item is gone."""


class Queue(Generic[Item]):
    """Items that wait, and the task that works them off. For one event loop."""

    def __init__(
        self,
        work: Callable[[Item], Awaitable[None]],
        *,
        name: str,
        newest: int | None = None,
        room: Room | None = None,
    ) -> None:
        """Begin to work.

        Args:
            work: Called with one item at a time; what it raises is logged, and the item is lost.
            name: For the task.
            newest: Keep only so many waiting items, the newest; None keeps all.
            room: Counts what waits and what is worked on.
        """
        self._work = work
        self._newest = newest
        self._room = room
        self._items: deque[_Waiting[Item]] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = asyncio.create_task(self._run(), name=name)

    def put(self, item: Item, *, size: int = 0, gone: Callable[[], None] = nothing) -> int:
        """Add an item; tells how many older ones were dropped for it.

        Args:
            item: What is to be worked on.
            size: Bytes that it holds.
            gone: Called once, when the item was worked off, dropped, or left at the end.
        """
        self._items.append(_Waiting(item, size, gone))
        if self._room is not None:
            self._room.add(size)
        dropped = 0
        while self._newest is not None and len(self._items) > self._newest:
            self._let_go(self._items.popleft())
            dropped += 1
        self._idle.clear()
        self._arrived.set()
        return dropped

    def __len__(self) -> int:
        """How many items wait, without the one that is worked on."""
        return len(self._items)

    async def wait_idle(self) -> None:
        """Return when everything was worked off."""
        await self._idle.wait()

    async def close(self) -> None:
        """Stop at once; what waits is left. Nothing of it is left to the next collection of cycles."""
        task, self._task = self._task, None  # whose frames hold what was worked on
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        while self._items:
            self._let_go(self._items.popleft())

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            while self._items:
                await self._work_off(self._items.popleft())
            self._arrived.clear()
            self._idle.set()

    async def _work_off(self, waiting: _Waiting[Item]) -> None:
        try:
            await self._work(waiting.item)
        except Exception as error:  # a bug of ours must not end the queue; the message may hold a caller's words
            where = "".join(traceback.format_tb(error.__traceback__))
            _log.error("unexpected %s in a session\n%s", type(error).__name__, where)
        finally:
            self._let_go(waiting)

    def _let_go(self, waiting: _Waiting[Item]) -> None:
        if self._room is not None:
            self._room.add(-waiting.size)
        waiting.gone()
