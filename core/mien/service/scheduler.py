"""The one scheduler of compute: the samples of all callers wait here, in a lane for each analyzer, for its batches.

So no analyzer holds up another. In each lane sessions come before single requests, and callers take turns. Sound has
lanes of its own, in which it goes an utterance at a time, because recognising it takes about as long as it lasts: it is
taken in only where it is expected to be recognised in time. Who may come in at all is ``mien.service.limits``; what an
analysis means is ``mien.engine``.
"""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from mien.config import LimitSettings
from mien.engine import AnalysisRequest, Outcome
from mien.service.batching import Batcher
from mien.types import AnalysisResult, AudioClip, Prediction, Sample, StreamState, StreamStatus
from mien.wire.status import queue_full

Result = TypeVar("Result")

SOUND_BATCH: Final = 1
"""Pieces of sound that go to an analyzer at once: a recogniser works on them one after the other, and all of a batch
would wait for the last."""

FIRST_PACE: Final = 0.5
"""Seconds that a second of speech is expected to take, before any was measured."""

PACE_MEMORY: Final = 0.8
"""How much of the pace stays as it was with each measurement."""

MAX_RETRY_SECONDS: Final = 30.0

SAMPLES_A_CALL: Final = 32
"""Samples of one call that may wait in one lane: the utterances of the longest sound."""


class ComputeEngine(Protocol):
    """The part of ``mien.engine.Engine`` that the scheduler needs."""

    def plan(self, request: AnalysisRequest) -> dict[str, list[Sample]]:
        """Analyzer -> the samples that it is to be given."""

    def parallel(self, analyzer: str) -> int:
        """Pieces of sound that an analyzer works on at once."""

    def nothing(self, analyzer: str) -> Outcome:
        """What an analyzer makes of a sample in which nothing is to be analysed."""

    async def parts_async(self, analyzer: str, sample: Sample) -> tuple[Sample, ...]:
        """A sample as an analyzer can look at it piece by piece."""

    async def outcomes_async(self, analyzer: str, samples: Sequence[Sample]) -> list[Outcome]:
        """What one analyzer makes of each sample."""

    async def answer_async(self, request: AnalysisRequest, outcomes: Mapping[str, Sequence[Outcome]]) -> AnalysisResult:
        """Fuse what the analyzers made of a request."""


class Scheduler:
    """Owns the compute of a server: requests and the samples of sessions, in lanes of batches before one engine."""

    def __init__(
        self,
        engine: ComputeEngine,
        limits: LimitSettings,
        *,
        waited: Callable[[str, float], object] = lambda analyzer, seconds: None,
    ) -> None:
        """Prepare; ``start`` begins to work.

        Args:
            engine: Computes.
            limits: Of batches, and of what may wait.
            waited: Told for which analyzer a sample was taken into a batch, and how many seconds it waited.
        """
        self._engine = engine
        self._waited = waited
        self._limits = limits
        self._lanes: dict[str, Batcher[Sample, Outcome]] = {}
        self._sound: dict[str, SoundLane] = {}

    def start(self) -> None:
        """Begin to work; each lane does with its first sample."""

    def waiting(self, analyzer: str) -> int:
        """How many samples wait for an analyzer."""
        sound = self._sound.get(analyzer)
        return len(self._lanes.get(analyzer, ())) + (len(sound.batcher) if sound is not None else 0)

    async def analyze(self, request: AnalysisRequest, deadline: float, *, caller: str = "") -> AnalysisResult:
        """Have the engine analyse a request, each of its samples in a batch with others where that helps.

        Args:
            request: What to analyse.
            deadline: On the event loop's clock; work that has not begun by then is given up.
            caller: Whose it is.

        Raises:
            MienError: As ``mien.engine.Engine.analyze``, or as ``Batcher.submit``; or more sound waits than can be
                recognised in time.
        """
        plan = self._engine.plan(request)
        work = [(name, sample) for name, samples in plan.items() for sample in samples]
        found = iter(await together([self._look(name, sample, deadline, caller) for name, sample in work]))
        outcomes = {name: [next(found) for _ in samples] for name, samples in plan.items()}
        return await self._engine.answer_async(request, outcomes)

    async def predict(self, analyzer: str, sample: Sample, *, caller: str = "") -> list[Prediction] | StreamStatus:
        """Have one analyzer look at a sample of a session, in a batch with those of others.

        Raises:
            MienError: As ``mien.engine.Engine.predict``, or as ``Batcher.submit``.
        """
        # No deadline: a picture waits in a queue of the newest few, and speech is worth waiting for.
        if isinstance(sample, AudioClip):
            outcome = await self._sound_lane(analyzer).submit(sample, math.inf, caller=caller, urgent=True)
        else:
            outcome = await self._lane(analyzer).submit(sample, math.inf, caller=caller, urgent=True)
        return list(outcome.predictions) if outcome.status.state is StreamState.OK else outcome.status

    async def close(self) -> None:
        """Stop; what still waits is refused."""
        for lane in (*self._lanes.values(), *(sound.batcher for sound in self._sound.values())):
            await lane.close()

    async def _look(self, name: str, sample: Sample, deadline: float, caller: str) -> Outcome:
        if not isinstance(sample, AudioClip):
            return await self._lane(name).submit(sample, deadline, caller=caller)
        lane = self._sound_lane(name)
        lane.check(deadline, self._limits.max_wait_seconds)  # before it is cut, which takes time, too
        parts = await self._engine.parts_async(name, sample)
        if not parts:
            return self._engine.nothing(name)
        lane.check(deadline, self._limits.max_wait_seconds)
        # The first has to begin in time. The others wait between those of other callers, as long as the call does.
        deadlines = [deadline] + [math.inf] * (len(parts) - 1)
        return merged(
            await together([lane.submit(part, by, caller=caller) for part, by in zip(parts, deadlines, strict=True)])
        )

    def _lane(self, analyzer: str) -> Batcher[Sample, Outcome]:
        if analyzer not in self._lanes:
            self._lanes[analyzer] = self._started(
                analyzer, max_batch=self._limits.max_batch, delay_seconds=self._limits.batch_delay_ms / 1000, parallel=1
            )
        return self._lanes[analyzer]

    def _sound_lane(self, analyzer: str) -> SoundLane:
        if analyzer not in self._sound:
            parallel = self._engine.parallel(analyzer)
            batcher = self._started(analyzer, max_batch=SOUND_BATCH, delay_seconds=0.0, parallel=parallel)
            self._sound[analyzer] = SoundLane(batcher, parallel)
        return self._sound[analyzer]

    def _started(
        self, analyzer: str, *, max_batch: int, delay_seconds: float, parallel: int
    ) -> Batcher[Sample, Outcome]:
        batcher: Batcher[Sample, Outcome] = Batcher(
            functools.partial(self._engine.outcomes_async, analyzer),
            name=analyzer,
            max_batch=max_batch,
            delay_seconds=delay_seconds,
            # What comes here was admitted before, call by call and session by session, so this is room for all of it.
            capacity=SAMPLES_A_CALL * (self._limits.max_calls_in_flight + 4 * self._limits.max_sessions),
            parallel=parallel,
            waited=functools.partial(self._waited, analyzer),
        )
        batcher.start()
        return batcher


class SoundLane:
    """A lane of sound, and how fast it is recognised. For one event loop."""

    def __init__(self, batcher: Batcher[Sample, Outcome], parallel: int) -> None:
        """Start with nothing measured.

        Args:
            batcher: The lane.
            parallel: Pieces that are worked on at once.
        """
        self.batcher = batcher
        self._parallel = parallel
        self._pace = FIRST_PACE
        self._seconds = 0.0  # of sound that waits or is worked on

    @property
    def expected_wait(self) -> float:
        """Seconds until what is in is expected to be recognised."""
        return self._seconds * self._pace / self._parallel

    def check(self, deadline: float, longest: float) -> None:
        """Refuse sound that would wait too long.

        Args:
            deadline: On the event loop's clock.
            longest: Seconds that anybody may wait.

        Raises:
            RefusedError: What is in takes longer than that.
        """
        allowed = min(deadline - asyncio.get_running_loop().time(), longest)
        over = self.expected_wait - allowed
        if self._seconds and over > 0:
            raise queue_full(
                f"{self._seconds:.0f} s of speech wait for recognition, which takes longer than this call can wait; try"
                " again later",
                retry_seconds=min(max(over, 1.0), MAX_RETRY_SECONDS),
            )

    async def submit(self, sample: Sample, deadline: float, *, caller: str, urgent: bool = False) -> Outcome:
        """As ``Batcher.submit``; measures how long it takes."""
        seconds = sample.duration_seconds if isinstance(sample, AudioClip) else 0.0
        self._seconds += seconds
        try:
            outcome = await self.batcher.submit(sample, deadline, caller=caller, urgent=urgent)
        finally:
            self._seconds -= seconds
        if seconds and outcome.status.state is StreamState.OK:
            self._pace = PACE_MEMORY * self._pace + (1 - PACE_MEMORY) * outcome.status.seconds / seconds
        return outcome


def merged(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of the parts of a sample: as good as its worst part, with the time of all."""
    seconds = math.fsum(outcome.status.seconds for outcome in outcomes)
    worst = next((outcome for outcome in outcomes if outcome.status.state is not StreamState.OK), None)
    if worst is not None:
        return replace(worst, status=replace(worst.status, seconds=seconds))
    predictions = tuple(prediction for outcome in outcomes for prediction in outcome.predictions)
    remark = next((outcome.status.remark for outcome in outcomes if outcome.status.remark), "")
    status = replace(outcomes[0].status, seconds=seconds, remark=remark)
    return replace(outcomes[0], status=status, predictions=predictions)


async def together(work: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results of all; where one raises, the others are cancelled, and it is raised."""
    if len(work) == 1:
        return [await work[0]]
    tasks = [asyncio.create_task(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
