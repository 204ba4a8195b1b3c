"""Queues that one greedy caller cannot fill for all the others: whoever waits is served in turn, caller by caller."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

BULK_EVERY: Final = 8
"""Of so many items that are taken while both kinds wait, one is not urgent: so that nothing waits for ever."""


class FairQueue(Generic[Item]):
    """Items of many callers, urgent ones first; within each kind the callers take turns, each in its own order.

    For one thread. Bounding it is its owner's business.
    """

    def __init__(self) -> None:
        self._rounds: dict[bool, OrderedDict[str, deque[Item]]] = {True: OrderedDict(), False: OrderedDict()}
        self._length = 0
        self._since_bulk = 0

    def __len__(self) -> int:
        """How many items wait."""
        return self._length

    def put(self, item: Item, *, caller: str, urgent: bool = False) -> None:
        """Add an item, behind the others of its caller."""
        self._rounds[urgent].setdefault(caller, deque()).append(item)
        self._length += 1

    def take(self) -> Item:
        """Remove the item whose turn it is.

        Raises:
            IndexError: None waits.
        """
        turns = self._next_round()
        if not turns:
            raise IndexError("nothing waits")
        caller, items = turns.popitem(last=False)
        item = items.popleft()
        if items:
            turns[caller] = items  # behind all others
        self._length -= 1
        return item

    def remove(self, item: Item, *, caller: str, urgent: bool = False) -> bool:
        """Remove an item of a caller; tells whether it was there."""
        turns = self._rounds[urgent]
        items = turns.get(caller)
        if items is None or item not in items:
            return False
        items.remove(item)
        if not items:
            del turns[caller]
        self._length -= 1
        return True

    def waiting_of(self, caller: str) -> int:
        """How many items of a caller wait that are not urgent."""
        return len(self._rounds[False].get(caller, ()))

    def crowd_out(self, caller: str) -> Item | None:
        """Make room for one more of a caller: removes the newest item of whoever has the most waiting.

        Returns:
            What was removed; None where nobody has more waiting than this caller would have. Urgent items stay.
        """
        turns = self._rounds[False]
        if not turns:
            return None
        greediest = max(turns, key=lambda each: len(turns[each]))
        if len(turns[greediest]) <= self.waiting_of(caller) + 1:
            return None
        self._length -= 1
        return turns[greediest].pop()

    def clear(self) -> list[Item]:
        """Remove all."""
        left = [item for turns in self._rounds.values() for items in turns.values() for item in items]
        for turns in self._rounds.values():
            turns.clear()
        self._length = 0
        return left

    def _next_round(self) -> OrderedDict[str, deque[Item]]:
        urgent, bulk = self._rounds[True], self._rounds[False]
        if not urgent or not bulk:
            return urgent or bulk
        self._since_bulk = (self._since_bulk + 1) % BULK_EVERY
        return urgent if self._since_bulk else bulk


class Turns:
    """So many places, given to whoever waits in the order of a ``FairQueue``. For one event loop."""

    def __init__(self, places: int) -> None:
        """Start with all places free."""
        self._free = places
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    @property
    def all_taken(self) -> bool:
        """Whether whoever comes now has to wait."""
        return self._free == 0

    async def take(self, caller: str, *, urgent: bool = False) -> None:
        """Wait for a place; ``give_back`` it.

        Raises:
            Exception: What ``crowd_out`` was given for whoever waited.
        """
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(turn, caller=caller, urgent=urgent)
        try:
            await turn
        except asyncio.CancelledError:
            if not self._waiting.remove(turn, caller=caller, urgent=urgent) and _was_given(turn):
                self.give_back()
            raise

    def give_back(self) -> None:
        """A place is free again."""
        while self._waiting:
            turn = self._waiting.take()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def crowd_out(self, caller: str, error: Exception) -> bool:
        """Have whoever has the most waiting give up its newest for one of this caller, where that is fair."""
        turn = self._waiting.crowd_out(caller)
        if turn is not None and not turn.done():
            turn.set_exception(error)
        return turn is not None


def _was_given(turn: asyncio.Future[None]) -> bool:
    return turn.done() and not turn.cancelled() and turn.exception() is None
