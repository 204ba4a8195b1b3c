"""The one scheduler of compute: work of all callers waits here, and goes to the engine in batches, off the event loop.

Sound has a lane of its own, because recognising speech takes about as long as the speech lasts, and pictures must not
wait for it. Who may come in at all is ``mien.service.limits``; what a batch means is ``mien.engine``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from mien.config import LimitSettings
from mien.engine import AnalysisRequest
from mien.errors import MienError
from mien.service.errors import not_serving, queue_full, waited_too_long
from mien.types import AnalysisResult, AudioClip

Item = TypeVar("Item")
Result = TypeVar("Result")

SOUND_BATCH: Final = 1
"""Requests with sound that go to the engine at once: a recogniser works on them one after the other, and all of a batch
would wait for the last."""

_log = logging.getLogger("mien.service")


class BatchAnalyzer(Protocol):
    """The part of ``mien.engine.Engine`` that the scheduler needs."""

    def analyze_batch(self, requests: Sequence[AnalysisRequest]) -> list[AnalysisResult | MienError]:
        """Answer each request with its result or its error."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    deadline: float  # on the event loop's clock
    answer: asyncio.Future[Result]


class Batcher(Generic[Item, Result]):
    """A bounded queue before a function that takes batches. One batch runs at a time; for one event loop."""

    def __init__(
        self,
        run: Callable[[list[Item]], Sequence[Result | MienError]],
        *,
        name: str,
        max_batch: int,
        delay_seconds: float,
        capacity: int,
    ) -> None:
        """Prepare; ``start`` begins to work.

        Args:
            run: Called in a worker thread with 1 to ``max_batch`` items; answers each, in order.
            name: For the thread and the log.
            max_batch: Items in one batch at most.
            delay_seconds: How long the first item of a batch waits for others.
            capacity: Items that may wait; one more is refused.
        """
        self._run = run
        self._name = name
        self._max_batch = max_batch
        self._delay = delay_seconds
        self._capacity = capacity
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"mien-batch-{name}")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to take batches from the queue."""
        self._task = asyncio.create_task(self._work(), name=f"mien-batch-{self._name}")

    async def submit(self, item: Item, deadline: float) -> Result:
        """Wait for the answer to one item; a caller that is cancelled takes its item out of the queue.

        Args:
            item: The work.
            deadline: On the event loop's clock; work that has not begun by then is given up.

        Raises:
            MienError: What ``run`` answered, the queue is full, or the deadline passed.
        """
        if len(self._queue) >= self._capacity:
            raise queue_full(f"{len(self._queue)} requests wait for the processor; try again later")
        waiting: _Waiting[Item, Result] = _Waiting(item, deadline, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._arrived.set()
        return await waiting.answer

    async def close(self) -> None:
        """Stop; what still waits is refused. A batch that runs is not waited for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for waiting in self._queue:
            if not waiting.answer.done():
                waiting.answer.set_exception(not_serving("the server is shutting down", reason="DRAINING"))
        self._queue.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            if len(self._queue) < self._max_batch and self._delay > 0:
                await asyncio.sleep(self._delay)
            batch = self._take()
            if batch:
                await self._answer(batch)

    def _take(self) -> list[_Waiting[Item, Result]]:
        """The next batch, without what was cancelled or came too late."""
        now = asyncio.get_running_loop().time()
        batch: list[_Waiting[Item, Result]] = []
        while self._queue and len(batch) < self._max_batch:
            waiting = self._queue.popleft()
            if waiting.answer.done():
                continue  # its caller is gone
            if waiting.deadline <= now:
                waiting.answer.set_exception(
                    waited_too_long("the call's time ran out while it waited for the processor")
                )
                continue
            batch.append(waiting)
        if not self._queue:
            self._arrived.clear()
        return batch

    async def _answer(self, batch: list[_Waiting[Item, Result]]) -> None:
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._thread, self._run, [waiting.item for waiting in batch])
        try:
            answers = await running
            if len(answers) != len(batch):
                raise RuntimeError(f"{len(answers)} answers to a batch of {len(batch)}")
        except asyncio.CancelledError:
            _fail(batch, not_serving("the server is shutting down", reason="DRAINING"))
            raise
        except Exception as error:  # a bug: each caller's interceptor logs it and answers INTERNAL
            _fail(batch, error)
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(answer, MienError):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)


def _fail(batch: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


class Scheduler:
    """Owns the compute of a server: two lanes of batches before one engine."""

    def __init__(self, engine: BatchAnalyzer, limits: LimitSettings) -> None:
        """Prepare; ``start`` begins to work."""
        # Sessions and stream items are bounded before they come here, so this is room for all of them.
        capacity = limits.max_calls_in_flight + limits.max_stream_items + 2 * limits.max_sessions
        self._pictures_and_text: Batcher[AnalysisRequest, AnalysisResult] = Batcher(
            engine.analyze_batch,
            name="quick",
            max_batch=limits.max_batch,
            delay_seconds=limits.batch_delay_ms / 1000,
            capacity=capacity,
        )
        self._sound: Batcher[AnalysisRequest, AnalysisResult] = Batcher(
            engine.analyze_batch, name="sound", max_batch=SOUND_BATCH, delay_seconds=0.0, capacity=capacity
        )

    def start(self) -> None:
        """Begin to work."""
        self._pictures_and_text.start()
        self._sound.start()

    async def analyze(self, request: AnalysisRequest, deadline: float) -> AnalysisResult:
        """Have the engine analyse a request, in a batch with others where that helps.

        Args:
            request: What to analyse.
            deadline: On the event loop's clock; work that has not begun by then is given up.

        Raises:
            MienError: As ``mien.engine.Engine.analyze``, or as ``Batcher.submit``.
        """
        has_sound = any(isinstance(sample, AudioClip) for sample in request.samples)
        lane = self._sound if has_sound else self._pictures_and_text
        return await lane.submit(request, deadline)

    async def close(self) -> None:
        """Stop; what still waits is refused."""
        await self._pictures_and_text.close()
        await self._sound.close()
