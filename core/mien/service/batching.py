"""The one scheduler of compute: work of all callers waits here, and goes to the engine in batches.

The engine hands each batch straight to the analyzer's own threads and answers on the event loop. Sound has a lane of
its own, because recognising speech takes about as long as the speech lasts, and pictures must not wait for it. Who may
come in at all is ``mien.service.limits``; what a batch means is ``mien.engine``.
"""

from __future__ import annotations

import asyncio
import functools
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from mien.config import LimitSettings
from mien.engine import AnalysisRequest
from mien.errors import MienError
from mien.types import AnalysisResult, AudioClip, Prediction, Sample, StreamStatus
from mien.wire.status import not_serving, queue_full, waited_too_long

Item = TypeVar("Item")
Result = TypeVar("Result")

SOUND_BATCH: Final = 1
"""Requests with sound that go to the engine at once: a recogniser works on them one after the other, and all of a batch
would wait for the last."""


class ComputeEngine(Protocol):
    """The part of ``mien.engine.Engine`` that the scheduler needs."""

    async def analyze_batch_async(self, batch: Sequence[AnalysisRequest]) -> list[AnalysisResult | MienError]:
        """Answer each request with its result or its error."""

    async def predict_async(self, analyzer: str, samples: Sequence[Sample]) -> list[list[Prediction] | StreamStatus]:
        """Answer each sample with what one analyzer says of it, or how that failed."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result]
    expiry: asyncio.TimerHandle | None


class Batcher(Generic[Item, Result]):
    """A bounded queue before a function that takes batches. One batch runs at a time; for one event loop.

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
    ) -> None:
        """Prepare; ``start`` begins to work.

        Args:
            run: Called with 1 to ``max_batch`` items; answers each, in order, and never blocks the event loop.
            name: For the task and the log.
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
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        expiry = loop.call_at(deadline, _expire, answer) if math.isfinite(deadline) else None
        self._queue.append(_Waiting(item, answer, expiry))
        self._arrived.set()
        return await answer

    async def close(self) -> None:
        """Stop; what still waits is refused. A batch that runs is not waited for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        for waiting in self._queue:
            if not waiting.answer.done():
                waiting.answer.set_exception(not_serving("the server is shutting down", reason="DRAINING"))
        self._queue.clear()

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
        batch: list[_Waiting[Item, Result]] = []
        while self._queue and len(batch) < self._max_batch:
            waiting = self._queue.popleft()
            if waiting.expiry is not None:
                waiting.expiry.cancel()
            if waiting.answer.done():
                continue  # its caller is gone, or was told that it came too late
            batch.append(waiting)
        if not self._queue:
            self._arrived.clear()
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


def _expire(answer: asyncio.Future[Result]) -> None:
    if not answer.done():
        answer.set_exception(waited_too_long("the call's time ran out while it waited for the processor"))


def _fail(batch: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
    if isinstance(error, StopIteration):  # which no future takes
        error = _UnexpectedError(error)
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


class Scheduler:
    """Owns the compute of a server: requests and the samples of sessions, in lanes of batches before one engine."""

    def __init__(self, engine: ComputeEngine, limits: LimitSettings) -> None:
        """Prepare; ``start`` begins to work."""
        self._engine = engine
        self._limits = limits
        # What comes here was admitted before, call by call and session by session, so this is room for all of it.
        self._capacity = limits.max_calls_in_flight + 4 * limits.max_sessions
        self._requests: dict[bool, Batcher[AnalysisRequest, AnalysisResult]] = {
            has_sound: self._batcher(
                engine.analyze_batch_async, name="sound" if has_sound else "quick", has_sound=has_sound
            )
            for has_sound in (False, True)
        }
        self._samples: dict[tuple[str, bool], Batcher[Sample, list[Prediction] | StreamStatus]] = {}

    def start(self) -> None:
        """Begin to work."""
        for batcher in self._requests.values():
            batcher.start()

    async def analyze(self, request: AnalysisRequest, deadline: float, *, caller: str = "") -> AnalysisResult:
        """Have the engine analyse a request, in a batch with others where that helps.

        Args:
            request: What to analyse.
            deadline: On the event loop's clock; work that has not begun by then is given up.
            caller: Whose it is.

        Raises:
            MienError: As ``mien.engine.Engine.analyze``, or as ``Batcher.submit``.
        """
        has_sound = any(isinstance(sample, AudioClip) for sample in request.samples)
        return await self._requests[has_sound].submit(request, deadline)

    async def predict(self, analyzer: str, sample: Sample, *, caller: str = "") -> list[Prediction] | StreamStatus:
        """Have one analyzer look at a sample of a session, in a batch with those of other sessions.

        Raises:
            MienError: As ``mien.engine.Engine.predict``, or as ``Batcher.submit``.
        """
        key = (analyzer, isinstance(sample, AudioClip))
        if key not in self._samples:
            self._samples[key] = self._batcher(
                functools.partial(self._engine.predict_async, analyzer), name=f"session-{analyzer}", has_sound=key[1]
            )
            self._samples[key].start()
        # No deadline: a picture waits in a queue of the newest few, and speech is worth waiting for.
        return await self._samples[key].submit(sample, math.inf)

    async def close(self) -> None:
        """Stop; what still waits is refused."""
        for lane in self._requests.values():
            await lane.close()
        for session_lane in self._samples.values():
            await session_lane.close()

    def _batcher(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result | MienError]]],
        *,
        name: str,
        has_sound: bool,
    ) -> Batcher[Item, Result]:
        return Batcher(
            run,
            name=name,
            max_batch=SOUND_BATCH if has_sound else self._limits.max_batch,
            delay_seconds=0.0 if has_sound else self._limits.batch_delay_ms / 1000,
            capacity=self._capacity,
        )
