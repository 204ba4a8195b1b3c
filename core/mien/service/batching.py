"""A queue before a function that takes batches: of many callers, who take turns.

What the batches are of is ``mien.service.scheduler``'s business.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mien.errors import MienError
from mien.service.fairness import FairQueue
from mien.wire.status import not_serving, queue_full, waited_too_long

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result]
    since: float


class Batcher(Generic[Item, Result]):
    """A bounded queue before a function that takes batches. So many batches run at a time; for one event loop.

    Whatever the function does, each caller is answered, and the next batch runs.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result | MienError]]],
        *,
        name: str,
        max_batch: int,
        delay_seconds: float,
        capacity: int,
        parallel: int = 1,
        waited: Callable[[float], object] = lambda seconds: None,
    ) -> None:
        """Prepare; ``start`` begins to work.

        Args:
            run: Called with 1 to ``max_batch`` items; answers each, in order, and never blocks the event loop.
            name: For the task and the log.
            max_batch: Items in one batch at most.
            delay_seconds: How long the first item of a batch waits for others.
            capacity: Items that may wait; one more is refused.
            parallel: Batches that run at a time.
            waited: Told, of each item that is taken into a batch, how many seconds it waited.
        """
        self._run = run
        self._name = name
        self._max_batch = max_batch
        self._delay = delay_seconds
        self._capacity = capacity
        self._parallel = parallel
        self._waited = waited
        self._queue: FairQueue[_Waiting[Item, Result]] = FairQueue()
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._queue)

    def start(self) -> None:
        """Begin to take batches from the queue."""
        name = f"mien-batch-{self._name}"
        self._tasks = [asyncio.create_task(self._work(), name=name) for _ in range(self._parallel)]

    async def submit(self, item: Item, deadline: float, *, caller: str = "", urgent: bool = False) -> Result:
        """Wait for the answer to one item; given up, or its caller cancelled, it leaves the queue at once.

        Args:
            item: The work.
            deadline: On the event loop's clock; work that has not begun by then is given up.
            caller: Whose it is; callers take turns.
            urgent: Before what is not.

        Raises:
            MienError: What ``run`` answered, the queue is full, or the deadline passed.
        """
        if len(self._queue) >= self._capacity:
            raise queue_full(f"{len(self._queue)} requests wait for the processor; try again later")
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Item, Result] = _Waiting(item, loop.create_future(), loop.time())
        expiry = loop.call_at(deadline, self._expire, waiting, caller, urgent) if math.isfinite(deadline) else None
        self._queue.put(waiting, caller=caller, urgent=urgent)
        self._arrived.set()
        try:
            return await waiting.answer
        except asyncio.CancelledError:
            self._queue.remove(waiting, caller=caller, urgent=urgent)
            raise
        finally:
            if expiry is not None:
                expiry.cancel()

    async def close(self) -> None:
        """Stop; what still waits is refused. A batch that runs is not waited for."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for waiting in self._queue.clear():
            if not waiting.answer.done():
                waiting.answer.set_exception(not_serving("the server is shutting down", reason="DRAINING"))

    def _expire(self, waiting: _Waiting[Item, Result], caller: str, urgent: bool) -> None:
        """Give up what has not begun."""
        if self._queue.remove(waiting, caller=caller, urgent=urgent) and not waiting.answer.done():
            waiting.answer.set_exception(waited_too_long("the call's time ran out while it waited for the processor"))

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            if len(self._queue) < self._max_batch and self._delay > 0:
                await asyncio.sleep(self._delay)
            batch = self._take()
            if batch:
                await self._answer(batch)
            del batch  # pictures must not stay in memory until the next one

    def _take(self) -> list[_Waiting[Item, Result]]:
        """The next batch."""
        batch = [self._queue.take() for _ in range(min(len(self._queue), self._max_batch))]
        if not self._queue:
            self._arrived.clear()
        now = asyncio.get_running_loop().time()
        for waiting in batch:
            self._waited(now - waiting.since)
        return batch

    async def _answer(self, batch: list[_Waiting[Item, Result]]) -> None:
        try:
            answers = list(await self._run(tuple(waiting.item for waiting in batch)))
            if len(answers) != len(batch):
                raise RuntimeError(f"{len(answers)} answers to a batch of {len(batch)}")
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                _fail(batch, not_serving("the server is shutting down", reason="DRAINING"))
                raise
            # Refused as a whole, or a bug, which each caller's interceptor logs.
            _fail(batch, error if isinstance(error, Exception) else _UnexpectedError(error))
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(answer, MienError):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)


class _UnexpectedError(RuntimeError):
    """Stands for something that is no ``Exception``, which must not end the event loop of whoever waits."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"a batch raised {type(error).__name__}")


def _is_cancelled() -> bool:
    """Whether somebody wants the current task to end; else what was raised in it came from elsewhere."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _fail(batch: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
    if isinstance(error, StopIteration):  # which no future takes
        error = _UnexpectedError(error)
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
