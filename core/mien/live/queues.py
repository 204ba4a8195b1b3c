"""The queues of a session, one for each kind of work, each worked off by a task of its own and in order."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

_log = logging.getLogger("mien.live")


class Queue(Generic[Item]):
    """Items that wait, and the task that works them off. For one event loop."""

    def __init__(self, work: Callable[[Item], Awaitable[None]], *, name: str, newest: int | None = None) -> None:
        """Begin to work.

        Args:
            work: Called with one item at a time; what it raises is logged, and the item is lost.
            name: For the task.
            newest: Keep only so many waiting items, the newest; None keeps all.
        """
        self._work = work
        self._newest = newest
        self._items: deque[Item] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.create_task(self._run(), name=name)

    def put(self, item: Item) -> int:
        """Add an item; tells how many older ones were dropped for it."""
        self._items.append(item)
        dropped = 0
        while self._newest is not None and len(self._items) > self._newest:
            self._items.popleft()
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
        """Stop at once; what waits is left."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            while self._items:
                try:
                    await self._work(self._items.popleft())
                except (
                    Exception
                ) as error:  # a bug of ours must not end the queue; the message may hold a caller's words
                    where = "".join(traceback.format_tb(error.__traceback__))
                    _log.error("unexpected %s in a session\n%s", type(error).__name__, where)
            self._arrived.clear()
            self._idle.set()
