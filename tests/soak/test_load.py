"""The long run of load: no answer is another's, and how much a server does when more comes than it can; ``make soak``.

``MIEN_SOAK_SHARE`` (1.0) scales how many of each. Figures are printed; run with ``-s``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import time

import grpc
import numpy as np
import pytest
from service.support import details_of
from soak.support import SHARE, WARMING, Loaded, connected, in_parallel, loaded, many, tagged

from mien.config import parse_settings
from mien.engine import AnalysisRequest, Engine
from mien.plugins.host import PluginHost
from mien.types import AnalysisResult, ImageFrame

pytestmark = [pytest.mark.soak, pytest.mark.timeout(4 * 3_600)]


async def test_tagged_requests_over_many_connections_are_never_mixed_up() -> None:
    count = many(20_000)
    with loaded() as server:
        async with contextlib.AsyncExitStack() as stack:
            stubs = [await stack.enter_async_context(connected(server.address)) for _ in range(64)]

            async def ask(worker: int, number: int) -> None:
                answer = await stubs[worker].Analyze(tagged(number % 65_536), timeout=60, wait_for_ready=True)
                assert round(answer.predictions[0].satisfaction * 65_535) == number % 65_536

            await in_parallel(count, 64, ask)
    print(f"\n{count} tagged requests over 64 connections: none mixed up")


async def test_a_null_plugin_is_asked_often() -> None:
    count = many(30_000, least=3_000)
    with loaded() as server:
        async with connected(server.address) as stub:

            async def ask(worker: int, number: int) -> None:
                await stub.Analyze(request, timeout=60)

            request = tagged()
            await in_parallel(WARMING, 32, ask)
            cpu, began = server.seen.cpu_times(), time.monotonic()
            await in_parallel(count, 32, ask)
            took = time.monotonic() - began
            spent = sum(server.seen.cpu_times()[:2]) - sum(cpu[:2])
    print(
        f"\nnull plugin: {count / took:.0f} calls a second, {spent / count * 1e6:.0f} us of the server's processor each"
    )


async def test_overload_costs_little_of_what_is_answered() -> None:
    async def answers(server: Loaded, workers: int, seconds: float) -> tuple[float, list[float], list[float]]:
        until, good, bad = time.monotonic() + seconds, [], []
        async with contextlib.AsyncExitStack() as stack:
            stubs = [await stack.enter_async_context(connected(server.address)) for _ in range(8)]

            async def ask(worker: int) -> None:
                began = time.monotonic()
                try:
                    await stubs[worker % 8].Analyze(tagged(), timeout=30)
                    good.append(time.monotonic() - began)
                except grpc.aio.AioRpcError as error:
                    if "RetryInfo" not in details_of(error):
                        raise
                    bad.append(time.monotonic() - began)
                    await asyncio.sleep(0.05)

            async def repeat(worker: int) -> None:
                while time.monotonic() < until:
                    await ask(worker)

            await asyncio.gather(*(repeat(worker) for worker in range(workers)))
        return len(good) / seconds, good, bad

    seconds = max(5.0, 60.0 * SHARE)
    with loaded(0.02, limits={"max_batch": 1, "max_calls_in_flight": 8, "max_calls_queued": 8}) as server:
        peak, calm, _ = await answers(server, 8, seconds)
        goodput, good, bad = await answers(server, 160, seconds)
    print(
        f"\noverload: {peak:.1f} answers a second of 8 callers, {goodput:.1f} of 160; p99 {p99(calm):.2f} and"
        f" {p99(good):.2f} s; {len(bad)} refused, median {statistics.median(bad) * 1000:.0f} ms"
    )
    assert goodput >= 0.85 * peak


def p99(seconds: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(seconds, n=100)[98]


async def test_a_batch_of_any_mix_is_analysed_as_its_pictures_alone() -> None:
    chosen = parse_settings({"engine": {"analyzers": ["face"]}})
    host = PluginHost.discover(chosen)
    engine, dice, worst = Engine(host, chosen), random.Random(1), 0.0
    pictures = [picture(dice) for _ in range(12)]
    alone = [await answer_of(engine, [frame]) for frame in pictures]
    assert sum(bool(answers[0].predictions) for answers in alone) > 6
    for _ in range(many(1_000)):
        mix = [dice.randrange(len(pictures)) for _ in range(dice.randint(2, 16))]
        together = await answer_of(engine, [pictures[each] for each in mix])
        for answers, number in zip(together, mix, strict=True):
            worst = max(worst, apart(answers, alone[number][0]))
    host.close()
    print(f"\n{many(1_000)} mixes of 2 to 16 pictures: {worst:.1e} apart at most")
    assert worst <= 1e-5


def picture(dice: random.Random) -> ImageFrame:
    """Noise of some size, with a face in most."""
    from skimage.data import astronaut

    height, width = dice.choice([(240, 320), (480, 640), (360, 480)])
    shade = np.random.default_rng(dice.randrange(1_000)).integers(0, 80, (height, width, 3), np.uint8)
    if dice.random() < 0.8:
        shade[:200, :200] = astronaut()[0:200, 120:320]
    return ImageFrame(shade)


async def answer_of(engine: Engine, frames: list[ImageFrame]) -> list[AnalysisResult]:
    """What is seen in pictures that are analysed at once."""
    answers = await engine.analyze_batch_async([AnalysisRequest(samples=(frame,)) for frame in frames])
    assert all(isinstance(answer, AnalysisResult) for answer in answers), answers
    return answers  # type: ignore[return-value]


def apart(one: AnalysisResult, other: AnalysisResult) -> float:
    """The largest difference of any score."""
    assert len(one.predictions) == len(other.predictions)
    pairs = zip(one.predictions, other.predictions, strict=True)
    return max((abs(a.satisfaction - b.satisfaction) for a, b in pairs if a.satisfaction is not None), default=0.0)
