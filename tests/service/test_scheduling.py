"""Batching over callers, bounded waiting, cancellation: what happens when more comes than one can do at once."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import pytest
from service.support import (
    TIMEOUT,
    BlockingAnalyzer,
    details_of,
    fake_host,
    picture_request,
    raw_image,
    running,
    settings,
    stub_of,
)

from mien import UNKNOWN_SATISFACTION, AnalysisResult, Sample, SampleKind, StreamState, StreamStatus
from mien.engine import AnalysisRequest, Engine, Outcome
from mien.plugins.workers import Lane
from mien.service.batching import Batcher
from mien.service.scheduler import Scheduler
from mien.testing import FakeAnalyzer, FakePlugin, analyzer_info, make_clip, make_image
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import RefusedError


async def entered(analyzer: BlockingAnalyzer) -> None:
    """Wait until the analyzer has a batch in its hands."""
    assert await asyncio.to_thread(analyzer.entered.acquire, timeout=TIMEOUT)


async def test_requests_of_many_callers_become_one_batch() -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"batch_delay_ms": 0})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as one, stub_of(server) as two:
        first = asyncio.create_task(call(one))
        await entered(face)  # the others have to wait, and are then taken together
        others = [asyncio.create_task(call(stub)) for stub in (one, two) * 6]
        await waiting_calls(server, 12)
        face.release.set()
        await asyncio.gather(first, *others)
    assert face.batches == [1, 12]


async def waiting_calls(server: Any, count: int) -> None:
    """Until so many requests wait in the scheduler's lane for pictures."""
    async with asyncio.timeout(TIMEOUT):
        while server._scheduler.waiting("face") != count:  # no event tells it
            await asyncio.sleep(0.005)


async def call(stub: Any, **options: Any) -> pb.AnalyzeResponse:
    return await stub.Analyze(picture_request(), timeout=options.pop("timeout", TIMEOUT), **options)


async def test_a_batch_is_never_larger_than_its_limit() -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"batch_delay_ms": 0, "max_batch": 4})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        first = asyncio.create_task(call(stub))
        await entered(face)
        others = [asyncio.create_task(call(stub)) for _ in range(10)]
        await waiting_calls(server, 10)
        face.release.set()
        await asyncio.gather(first, *others)
    assert face.batches == [1, 4, 4, 2]


async def test_sound_that_takes_long_does_not_hold_up_pictures() -> None:
    voice = BlockingAnalyzer("voice")
    plugin = FakePlugin(analyzers={"voice": (analyzer_info("voice", SampleKind.AUDIO), lambda: voice)})
    chosen = settings()
    async with running(chosen, fake_host(chosen, voice=plugin)) as server, stub_of(server) as stub:
        raw = pb.RawAudio(data=bytes(3200), format=pb.SAMPLE_FORMAT_PCM16, sample_rate_hz=16_000)
        spoken = asyncio.ensure_future(stub.Analyze(pb.AnalyzeRequest(audio=pb.Audio(raw=raw)), timeout=TIMEOUT))
        await entered(voice)
        assert (await call(stub)).predictions
        assert not spoken.done()
        voice.release.set()
        await spoken


async def test_a_full_queue_refuses_with_a_time_to_try_again() -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"max_calls_in_flight": 1, "max_calls_queued": 2})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        accepted = [asyncio.create_task(call(stub))]
        await entered(face)
        accepted += [asyncio.create_task(call(stub)) for _ in range(2)]
        async with asyncio.timeout(TIMEOUT):
            while server._gate._waiting < 2:  # no event tells it
                await asyncio.sleep(0.005)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(stub)
        face.release.set()
        await asyncio.gather(*accepted)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = details_of(caught.value)
    assert details["ErrorInfo"].reason == "QUEUE_FULL"
    assert details["RetryInfo"].retry_delay.ToNanoseconds() > 0


@pytest.mark.parametrize("in_flight", [1, 8])
async def test_a_call_that_waited_too_long_is_told_so(in_flight: int) -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"max_calls_in_flight": in_flight, "max_wait_seconds": 0.5, "batch_delay_ms": 0})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        first = asyncio.create_task(call(stub))
        await entered(face)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(stub)
        face.release.set()
        await first
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert details_of(caught.value)["ErrorInfo"].reason == "EXPIRED_IN_QUEUE"
    assert face.batches == [1]


async def test_a_call_that_was_cancelled_while_it_waited_is_not_analysed() -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"batch_delay_ms": 0})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        first = asyncio.create_task(call(stub))
        await entered(face)
        given_up = stub.Analyze(picture_request(), timeout=TIMEOUT)
        kept = asyncio.create_task(call(stub))
        await waiting_calls(server, 2)
        given_up.cancel()
        await waiting_calls(server, 1)
        face.release.set()
        await asyncio.gather(first, kept)
    assert face.batches == [1, 1]


async def test_a_bad_request_costs_the_others_of_its_batch_nothing() -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"batch_delay_ms": 0})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        first = asyncio.create_task(call(stub))
        await entered(face)
        bad = asyncio.ensure_future(stub.Analyze(pb.AnalyzeRequest(image=raw_image(), fuser="nose"), timeout=TIMEOUT))
        good = asyncio.create_task(call(stub))
        await waiting_calls(server, 1)
        face.release.set()
        assert (await good).predictions
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await bad
        await first
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_an_analyzer_that_hangs_costs_its_stream_and_not_the_server() -> None:
    face = BlockingAnalyzer()
    chosen = settings(engine={"deadline_seconds": 0.1})
    async with (
        running(chosen, fake_host(chosen, face=face, text=FakeAnalyzer("text"))) as server,
        stub_of(server) as stub,
    ):
        request = pb.AnalyzeRequest(image=raw_image(), text=pb.Text(content="yes"))
        answer = await stub.Analyze(request, timeout=TIMEOUT)
        face.release.set()
    states = {status.analyzer: status.state for status in answer.streams}
    assert states == {"face": pb.STREAM_STATE_TIMED_OUT, "words": pb.STREAM_STATE_OK}


BROKEN: list[tuple[Callable[[Sequence[int]], Any], str]] = [
    (lambda items: [], "0 answers to a batch of 1"),
    (lambda items: [1, 2], "2 answers to a batch of 1"),
    (lambda items: None, "not iterable"),
    (lambda items: items.pop(0), "no attribute 'pop'"),  # type: ignore[attr-defined]
    (lambda items: 1 / 0, "division by zero"),
    (lambda items: raising(SystemExit(1)), "a batch raised SystemExit"),
    (lambda items: raising(KeyboardInterrupt()), "a batch raised KeyboardInterrupt"),
    (lambda items: raising(GeneratorExit()), "a batch raised GeneratorExit"),
    (lambda items: raising(StopIteration()), "StopIteration"),
    (lambda items: raising(asyncio.CancelledError()), "a batch raised CancelledError"),
    (lambda items: raising(BaseException()), "a batch raised BaseException"),
]


def raising(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("broken", "reason"), BROKEN)
async def test_whatever_a_batch_function_does_its_callers_are_told_and_the_next_batch_runs(
    broken: Callable[[Sequence[int]], Any], reason: str, at_once: bool
) -> None:
    bad = True

    async def later(items: Sequence[int]) -> Sequence[int]:
        await asyncio.sleep(0)
        return broken(items) if bad else items  # type: ignore[no-any-return]

    def run(items: Sequence[int]) -> Awaitable[Sequence[int]]:
        return broken(items) if bad and at_once else later(items)  # type: ignore[no-any-return]

    batcher: Batcher[int, int] = Batcher(run, name="test", max_batch=4, delay_seconds=0, capacity=4)
    batcher.start()
    deadline = asyncio.get_running_loop().time() + TIMEOUT
    with pytest.raises(Exception, match=".*" if at_once else reason):
        await batcher.submit(1, deadline)
    bad = False
    assert await batcher.submit(2, deadline) == 2
    await batcher.close()


class VirtualTime(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while there is work, and jumps to the next timer when there is none."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: VirtualTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout < 0:
            return super().select(timeout)
        self._loop.now += timeout
        return super().select(0)


class RecordingEngine:
    """Notes when it was given which batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, int]] = []

    def plan(self, request: AnalysisRequest) -> dict[str, list[Sample]]:
        return {"all": list(request.samples)}

    def parallel(self, analyzer: str) -> int:
        return 1

    def nothing(self, analyzer: str) -> Outcome:
        return Outcome(StreamStatus(analyzer, "face", StreamState.OK))

    async def parts_async(self, analyzer: str, sample: Sample) -> tuple[Sample, ...]:
        return (sample,)

    async def outcomes_async(self, analyzer: str, samples: Sequence[Sample]) -> list[Outcome]:
        self.batches.append((round(asyncio.get_running_loop().time() - 1000.0, 6), len(samples)))
        return [self.nothing(analyzer)] * len(samples)

    async def answer_async(self, request: AnalysisRequest, outcomes: object) -> AnalysisResult:
        return AnalysisResult(predictions=(), satisfaction=UNKNOWN_SATISFACTION)


Submit = Callable[[Scheduler], Awaitable[object]]

QUICK: dict[str, Submit] = {
    "requests": lambda scheduler: scheduler.analyze(AnalysisRequest(samples=(make_image(),)), math.inf),
    "samples": lambda scheduler: scheduler.predict("face", make_image()),
}
SOUND: dict[str, Submit] = {
    "requests": lambda scheduler: scheduler.analyze(AnalysisRequest(samples=(make_clip(),)), math.inf),
    "samples": lambda scheduler: scheduler.predict("voice", make_clip()),
}


def batches(submit: Submit, *moments: float, **limits: float) -> list[tuple[float, int]]:
    """When which batches begin, seconds, where items come at these moments."""

    async def run() -> list[tuple[float, int]]:
        engine = RecordingEngine()
        scheduler = Scheduler(engine, settings(limits=limits).limits)
        scheduler.start()

        async def come(moment: float) -> None:
            await asyncio.sleep(moment)
            await submit(scheduler)

        await asyncio.gather(*(come(moment) for moment in moments))
        await scheduler.close()
        return engine.batches

    with asyncio.Runner(loop_factory=VirtualTime) as runner:
        return runner.run(run())


@pytest.mark.parametrize("kind", QUICK)
def test_a_batch_waits_its_delay_for_others(kind: str) -> None:
    found = batches(QUICK[kind], 0.0, 0.039, 0.041, 0.5, batch_delay_ms=40)
    assert found == [(0.04, 2), (0.081, 1), (0.54, 1)]
    assert batches(QUICK[kind], 0.0, 0.039, batch_delay_ms=0) == [(0.0, 1), (0.039, 1)]


@pytest.mark.parametrize("kind", QUICK)
def test_a_full_batch_does_not_wait(kind: str) -> None:
    assert batches(QUICK[kind], 0.0, 0.0, 0.0, batch_delay_ms=40, max_batch=2) == [(0.0, 2), (0.04, 1)]


async def test_a_sample_goes_to_the_analyzers_thread_and_back_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = settings(limits={"batch_delay_ms": 0})
    host, loop = fake_host(chosen), asyncio.get_running_loop()
    engine = Engine(host, chosen)
    scheduler = Scheduler(engine, chosen.limits)
    scheduler.start()
    await scheduler.predict("face", make_image())  # loads it
    handed_over: list[str] = []
    submit, back = Lane.submit, loop.call_soon_threadsafe

    def to_lane(self: Lane, function: Callable[[], Any]) -> Any:
        handed_over.append("to " + self.name)
        return submit(self, function)

    def to_loop(callback: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        handed_over.append("back")
        return back(callback, *arguments, **options)

    monkeypatch.setattr(Lane, "submit", to_lane)
    monkeypatch.setattr(loop, "call_soon_threadsafe", to_loop)
    for _ in range(3):
        assert isinstance(await scheduler.predict("face", make_image()), list)
    assert handed_over == ["to analyzer-face", "back"] * 3
    await scheduler.close()
    host.close()


@pytest.mark.parametrize("kind", SOUND)
def test_sound_waits_for_nobody(kind: str) -> None:
    assert batches(SOUND[kind], 0.0, 0.0, batch_delay_ms=40) == [(0.0, 1), (0.0, 1)]


async def test_a_closed_scheduler_refuses_what_still_waits() -> None:
    async def run(items: Sequence[int]) -> Sequence[int]:
        return items

    batcher: Batcher[int, int] = Batcher(run, name="test", max_batch=4, delay_seconds=0, capacity=1)
    deadline = asyncio.get_running_loop().time() + TIMEOUT
    waiting = asyncio.create_task(batcher.submit(1, deadline))  # never started
    await asyncio.sleep(0)
    with pytest.raises(RefusedError, match="wait for the processor"):
        await batcher.submit(2, deadline)
    await batcher.close()
    with pytest.raises(RefusedError, match="shutting down"):
        await waiting
