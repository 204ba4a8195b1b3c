"""Asks the analyzers of one session about its samples, through their streams; a failing one costs only itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from mien.engine.requests import kind_of
from mien.errors import MienError
from mien.live.events import NoticeKind
from mien.live.parts import Part
from mien.plugins import workers
from mien.types import AudioClip, ImageFrame, Prediction, Sample, SampleKind, StreamState, StreamStatus, Utterance

Result = TypeVar("Result")

PLUGIN_SECONDS: Final = 10.0
"""How long an analyzer's stream, or a fuser, may take over one sample."""

_log = logging.getLogger("mien.live")


class Predictor(Protocol):
    """Has one analyzer look at one sample, in a batch with others where that helps."""

    def __call__(self, analyzer: str, sample: Sample) -> Awaitable[list[Prediction] | StreamStatus]:
        """Its predictions, or how it failed; may raise ``MienError`` where it was not asked at all."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A sample that streams gave back, and the parts whose analyzers are to look at it."""

    sample: Sample
    parts: tuple[Part, ...]

    @property
    def seconds(self) -> float:
        """How long the sample lasts; 0 for a picture."""
        return self.sample.duration_seconds if isinstance(self.sample, AudioClip | Utterance) else 0.0

    @property
    def ends_at(self) -> float:
        """When it was over, seconds on the caller's clock."""
        return self.sample.captured_at + self.seconds

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """Width and height of a picture, pixels."""
        if not isinstance(self.sample, ImageFrame):
            return None
        height, width = self.sample.pixels.shape[:2]
        return width, height


@dataclass(frozen=True, slots=True)
class Answer:
    """What the analyzers said of one sample, and how each fared."""

    predictions: tuple[Prediction, ...]
    statuses: tuple[StreamStatus, ...]

    @property
    def is_missing(self) -> bool:
        """No analyzer could look at the sample."""
        return all(status.state is not StreamState.OK for status in self.statuses)


class Runner:
    """Runs the parts of one session. For one event loop."""

    def __init__(self, parts: Sequence[Part], predict: Predictor, tell: Callable[[NoticeKind, str], None]) -> None:
        """Prepare.

        Args:
            parts: The analyzers that take part.
            predict: Runs them.
            tell: Told what the caller of the session should know.
        """
        self._parts = tuple(parts)
        self._predict = predict
        self._tell = tell

    def takes(self, kind: SampleKind) -> bool:
        """Whether any part takes samples of this kind."""
        return any(kind in part.accepts for part in self._parts)

    async def push(self, sample: Sample) -> list[Ready]:
        """Push a sample through the streams of those that take it; what is now ready to be analysed."""
        kind, ready = kind_of(sample), dict[int, tuple[Sample, list[Part]]]()
        for part in self._parts:
            if kind in part.accepts:
                for given in await self._in_stream(part, _pushing(part, sample)):
                    ready.setdefault(id(given), (given, []))[1].append(part)
        return [Ready(given, tuple(parts)) for given, parts in ready.values()]

    async def flush(self) -> list[Ready]:
        """What the streams still held."""
        return [
            Ready(sample, (part,)) for part in self._parts for sample in await self._in_stream(part, part.stream.flush)
        ]

    async def analyze(self, ready: Ready) -> Answer:
        """Have the analyzers look at one sample, all at once."""
        answers = await asyncio.gather(*(self._ask(part, ready.sample) for part in ready.parts))
        for part, (_, status) in zip(ready.parts, answers, strict=True):
            self._fared(part, status)
        return Answer(
            tuple(prediction for predictions, _ in answers for prediction in predictions),
            tuple(status for _, status in answers),
        )

    def close(self) -> None:
        """Let the parts' threads end."""
        for part in self._parts:
            part.worker.close()

    async def _ask(self, part: Part, sample: Sample) -> tuple[list[Prediction], StreamStatus]:
        began = asyncio.get_running_loop().time()
        try:
            answer = await self._predict(part.name, sample)
        except MienError as error:
            return [], _status(part, StreamState.FAILED, str(error))
        if isinstance(answer, StreamStatus):
            return [], answer
        observed = await self._in_stream(part, lambda: part.stream.observe(sample, answer))
        seconds = asyncio.get_running_loop().time() - began
        return observed, StreamStatus(part.name, part.modality, StreamState.OK, seconds=seconds)

    async def _in_stream(self, part: Part, function: Callable[[], list[Result]]) -> list[Result]:
        """Use a part's stream; nothing comes of it where it fails, and the caller is told."""
        try:
            async with part.lock:
                return await off_loop(part.worker, function)
        except MienError as error:
            self._tell(NoticeKind.BAD_INPUT, f"{part.name}: {error}")
        except TimeoutError:
            reason = f"its stream did not answer for {PLUGIN_SECONDS:g} s"
            self._fared(part, _status(part, StreamState.TIMED_OUT, reason))
        except Exception as error:  # a plugin's bug costs its own stream
            _log.warning("the stream of analyzer %r raised %s", part.name, type(error).__name__)
            self._fared(part, _status(part, StreamState.FAILED, f"its stream raised {type(error).__name__}"))
        return []

    def _fared(self, part: Part, status: StreamStatus) -> None:
        """Tell where a stream fails or comes back, once."""
        failing = status.state is not StreamState.OK
        if failing and not part.failing:
            self._tell(NoticeKind.STREAM, f"{part.name} is missing: {status.reason}")
        elif part.failing and not failing:
            self._tell(NoticeKind.STREAM, f"{part.name} is back")
        part.failing = failing


async def off_loop(worker: workers.Lane, function: Callable[[], Result]) -> Result:
    """Run a plugin's code where it holds up neither the event loop nor, if it hangs, other sessions or the exit.

    Args:
        worker: Its thread.
        function: What to run.

    Raises:
        TimeoutError: It takes too long, and is left to itself; or an earlier call has not come back.
    """
    loop, returned = asyncio.get_running_loop(), asyncio.Event()

    def run() -> Result:
        try:
            return function()
        finally:
            loop.call_soon_threadsafe(returned.set)

    try:
        call = worker.submit(run)
    except workers.LaneBusyError:
        raise TimeoutError from None
    try:
        await asyncio.wait_for(returned.wait(), PLUGIN_SECONDS)
        return call.wait(None)  # it is just coming back
    except TimeoutError:
        return _given_up(call)


def _given_up(call: workers.Call[Result]) -> Result:
    """Leave a call to itself; or give what it gave, if that came at the last moment."""
    try:
        return call.wait(0.0)
    except workers.CallTimeoutError:
        raise TimeoutError from None


def _pushing(part: Part, sample: Sample) -> Callable[[], list[Sample]]:
    return lambda: part.stream.push(sample)


def _status(part: Part, state: StreamState, reason: str) -> StreamStatus:
    return StreamStatus(part.name, part.modality, state, reason)
