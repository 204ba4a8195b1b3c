"""Room in memory: reading stops where too much waits, nothing is lost for it, and what was held is given back."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator

import grpc
import pytest
from live.support import Ears, Opening, live
from service.support import (
    TIMEOUT,
    BlockingAnalyzer,
    details_of,
    fake_host,
    picture_request,
    running,
    settings,
    stub_of,
    voice_plugin,
)

from mien import AudioClip, Sample, Stream
from mien.service.memory import Budget
from mien.service.server import Server
from mien.session import SessionEnd
from mien.testing import make_clip
from mien.v1 import sentiment_pb2 as pb

SECOND = pb.RawAudio(data=bytes(32_000), format=pb.SAMPLE_FORMAT_PCM16, sample_rate_hz=16_000)


class Held(Stream):
    """Takes no piece of sound before it is released, and counts them."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.pieces = 0

    def push(self, sample: Sample) -> list[Sample]:
        assert self.release.wait(TIMEOUT)
        self.pieces += 1
        return []


async def until(server: Server, *, at_least: int) -> None:
    """Until so many bytes of messages are held."""
    async with asyncio.timeout(TIMEOUT):
        while server._holdings.messages.used < at_least:  # no event tells it
            await asyncio.sleep(0.005)


async def sound(pieces: int) -> AsyncIterator[pb.StreamSessionRequest]:
    """A session's messages: its config, and so many seconds of silence."""
    yield pb.StreamSessionRequest(config=pb.SessionConfig(analyzers=["voice"]))
    for number in range(pieces):
        yield pb.StreamSessionRequest(audio=pb.Audio(raw=SECOND, captured_at_seconds=float(number)))


@pytest.mark.parametrize("limit", ["max_session_queued_bytes", "max_queued_bytes"])
async def test_a_session_is_read_on_only_when_there_is_room_and_nothing_is_lost(limit: str) -> None:
    held, room = Held(), 100_000
    chosen = settings(limits={limit: room}, engine={"deadline_seconds": TIMEOUT})
    host = fake_host(chosen, voice=voice_plugin(Opening(lambda: held, "voice")))
    async with running(chosen, host) as server, stub_of(server) as stub:
        call = stub.StreamSession(sound(300), timeout=4 * TIMEOUT)
        await until(server, at_least=room - 40_000)
        await asyncio.sleep(0.1)  # time to read more than it should
        assert server._holdings.messages.used <= room + 40_000
        held.release.set()
        answers = [answer async for answer in call]
        assert server._holdings.messages.used == 0
    assert held.pieces == 300
    assert answers[-1].HasField("summary")


async def test_a_call_that_finds_no_room_is_refused_with_a_time_to_try_again() -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"max_queued_bytes": 100})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        first = asyncio.ensure_future(stub.Analyze(picture_request(fuser="fake"), timeout=TIMEOUT))
        await until(server, at_least=1)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(picture_request(analyzers=["face"] * 20))
        face.release.set()
        await first
        assert server._holdings.messages.used == 0
        assert server._holdings.decoded.used == 0
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert {"ErrorInfo", "RetryInfo"} <= details_of(caught.value).keys()


async def test_decoding_waits_for_room_for_what_comes_out() -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"max_decoded_bytes": 1, "batch_delay_ms": 0, "decode_threads": 1})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        calls = [asyncio.ensure_future(stub.Analyze(picture_request(), timeout=TIMEOUT)) for _ in range(3)]
        assert await asyncio.to_thread(face.entered.acquire, timeout=TIMEOUT)
        face.release.set()
        await asyncio.gather(*calls)
        assert server._holdings.decoded.used == 0
    assert face.batches == [1, 1, 1]  # at most one decoded picture at a time


async def test_a_session_that_is_given_up_frees_what_waited_at_once() -> None:
    class Load:
        async def __call__(self) -> AudioClip:
            return make_clip()

    gone: list[int] = []
    ears = Ears(held="voice")
    session = await live(ears, bytes_queued=10.0)
    gc.disable()
    try:
        loads = [Load() for _ in range(3)]
        watched = [weakref.ref(load) for load in loads]
        for number, load in enumerate(loads):
            session.push_sound(load, size=10, gone=lambda number=number: gone.append(number))  # type: ignore[misc]
        del load, loads
        assert not session.has_room
        await session.abandon()
        assert [each() for each in watched] == [None] * 3
    finally:
        gc.enable()
    assert sorted(gone) == [0, 1, 2]
    assert session.has_room


async def test_what_nobody_takes_is_gone_at_once() -> None:
    session = await live(Ears())
    gone: list[str] = []

    async def load() -> Sample:
        raise AssertionError

    session.push_words(load, size=5, gone=lambda: gone.append("words"))
    assert gone == ["words"]
    await session.finish(SessionEnd.CLOSED, within=TIMEOUT)


async def test_a_budget_lets_whoever_waits_in_turn_and_a_cancelled_one_costs_nothing() -> None:
    budget, order = Budget(10), []

    async def take(name: str, size: int) -> None:
        with await budget.take(size, caller=name[0]):
            order.append(name)

    first = await budget.take(10, caller="a")
    waiting = [asyncio.create_task(take(name, 6)) for name in ("a1", "a2", "b1", "a3")]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.sleep(0)
    first.release()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert order == ["a1", "a3", "b1"]
    assert budget.used == 0


async def test_more_than_the_whole_budget_is_given_to_one_who_is_alone() -> None:
    budget = Budget(10)
    alone = budget.try_take(100)
    assert alone is not None
    assert budget.try_take(1) is None
    alone.release()
    alone.release()
    assert budget.used == 0
