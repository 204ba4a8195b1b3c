"""Batching over callers, bounded waiting, cancellation: what happens when more comes than one can do at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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

from mien import SampleKind
from mien.service.batching import Batcher
from mien.testing import FakeAnalyzer, FakePlugin, analyzer_info
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
    queue = server._scheduler._requests[False]._queue
    async with asyncio.timeout(TIMEOUT):
        while len(queue) < count:  # no event tells it
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
        queue = server._scheduler._requests[False]._queue
        async with asyncio.timeout(TIMEOUT):
            while not any(waiting.answer.done() for waiting in queue):  # no event tells it
                await asyncio.sleep(0.005)
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
        await waiting_calls(server, 2)
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


async def test_a_batch_function_that_breaks_its_contract_fails_each_caller_and_goes_on() -> None:
    answers: list[Sequence[int]] = [[], [7]]
    batcher: Batcher[int, int] = Batcher(
        lambda items: answers.pop(0), name="test", max_batch=4, delay_seconds=0, capacity=4
    )
    batcher.start()
    deadline = asyncio.get_running_loop().time() + TIMEOUT
    with pytest.raises(RuntimeError, match="0 answers to a batch of 1"):
        await batcher.submit(1, deadline)
    assert await batcher.submit(2, deadline) == 7
    await batcher.close()


async def test_a_closed_scheduler_refuses_what_still_waits() -> None:
    batcher: Batcher[int, int] = Batcher(lambda items: items, name="test", max_batch=4, delay_seconds=0, capacity=1)
    deadline = asyncio.get_running_loop().time() + TIMEOUT
    waiting = asyncio.create_task(batcher.submit(1, deadline))  # never started
    await asyncio.sleep(0)
    with pytest.raises(RefusedError, match="wait for the processor"):
        await batcher.submit(2, deadline)
    await batcher.close()
    with pytest.raises(RefusedError, match="shutting down"):
        await waiting
