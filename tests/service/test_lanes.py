"""A lane for each analyzer, in which callers take turns, sessions come first, and sound goes an utterance at a time."""

from __future__ import annotations

import asyncio
import math
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
    running,
    settings,
    stub_of,
    voice_plugin,
)
from service.test_scheduling import RecordingEngine, call, entered, waiting_calls

from mien import AudioClip, Prediction, Sample, StreamState, StreamStatus
from mien.config import LimitSettings
from mien.engine import AnalysisRequest, Outcome
from mien.service.batching import Batcher
from mien.service.fairness import BULK_EVERY, FairQueue, Turns
from mien.service.limits import Gate
from mien.service.scheduler import FIRST_PACE, Scheduler, SoundLane
from mien.testing import make_clip, make_image, make_prediction
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import RefusedError


def audio_request(seconds: float) -> pb.AnalyzeRequest:
    """A request with silence."""
    data = bytes(2 * int(16_000 * seconds))
    raw = pb.RawAudio(data=data, format=pb.SAMPLE_FORMAT_PCM16, sample_rate_hz=16_000)
    return pb.AnalyzeRequest(audio=pb.Audio(raw=raw))


async def test_words_that_take_long_do_not_hold_up_pictures() -> None:
    words = BlockingAnalyzer("text")
    chosen = settings()
    async with running(chosen, fake_host(chosen, text=words)) as server, stub_of(server) as stub:
        spoken = asyncio.ensure_future(stub.Analyze(pb.AnalyzeRequest(text=pb.Text(content="hm")), timeout=TIMEOUT))
        await entered(words)
        assert (await call(stub)).predictions
        assert not spoken.done()
        words.release.set()
        await spoken


class Cutting(BlockingAnalyzer):
    """Cuts sound into seconds, and notes which it was given; says of each when it was heard."""

    def __init__(self) -> None:
        super().__init__("voice")
        self.given: list[float] = []

    def parts(self, sample: Sample) -> Sequence[Sample]:
        assert isinstance(sample, AudioClip)
        return [make_clip(captured_at=sample.captured_at + second) for second in range(int(sample.duration_seconds))]

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        self.given += [sample.captured_at for sample in samples]
        super().analyze(samples)
        return [[make_prediction("voice", at=sample.captured_at)] for sample in samples]


async def test_long_sound_lets_the_shorter_of_others_pass_between_its_utterances() -> None:
    voice = Cutting()
    chosen = settings()
    async with (
        running(chosen, fake_host(chosen, voice=voice_plugin(voice))) as server,
        stub_of(server) as one,
        grpc.aio.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)]) as other,
    ):
        long = asyncio.ensure_future(one.Analyze(audio_request(4.0), timeout=TIMEOUT))
        await entered(voice)
        short_request = audio_request(1.0)
        short_request.audio.captured_at_seconds = 100.0
        short = asyncio.ensure_future(type(one)(other).Analyze(short_request, timeout=TIMEOUT))
        async with asyncio.timeout(TIMEOUT):
            while server._scheduler.waiting("voice") < 4:  # no event tells it
                await asyncio.sleep(0.005)
        voice.release.set()
        answers = await asyncio.gather(long, short)
    assert voice.given == [0.0, 1.0, 100.0, 2.0, 3.0]
    assert [prediction.interval.start_seconds for prediction in answers[0].predictions] == [0.0, 1.0, 2.0, 3.0]
    assert len(answers[1].predictions) == 1


async def test_sound_in_which_nothing_is_said_is_answered_without_being_analysed() -> None:
    voice = Cutting()
    chosen = settings()
    async with running(chosen, fake_host(chosen, voice=voice_plugin(voice))) as server, stub_of(server) as stub:
        answer = await stub.Analyze(audio_request(0.5), timeout=TIMEOUT)
    assert not answer.predictions
    assert [status.state for status in answer.streams] == [pb.STREAM_STATE_OK]
    assert voice.given == []


async def test_more_sound_than_can_be_recognised_in_time_is_refused_with_a_time_to_try_again() -> None:
    voice = BlockingAnalyzer("voice")
    chosen = settings(limits={"max_wait_seconds": 1.0})
    async with running(chosen, fake_host(chosen, voice=voice_plugin(voice))) as server, stub_of(server) as stub:
        first = asyncio.ensure_future(stub.Analyze(audio_request(20.0), timeout=TIMEOUT))
        await entered(voice)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(audio_request(1.0), timeout=TIMEOUT)
        voice.release.set()
        await first
        assert (await stub.Analyze(audio_request(1.0), timeout=TIMEOUT)).predictions
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = details_of(caught.value)
    assert details["ErrorInfo"].reason == "QUEUE_FULL"
    assert details["RetryInfo"].retry_delay.ToNanoseconds() > 1e9


async def test_a_caller_with_little_to_say_waits_for_one_utterance_of_others_and_not_for_all() -> None:
    async def nobody(samples: Sequence[Sample]) -> list[Outcome]:
        raise AssertionError

    batcher: Batcher[Sample, Outcome] = Batcher(
        nobody, name="voice", max_batch=1, delay_seconds=0, capacity=99
    )  # never started
    lane = SoundLane(batcher, parallel=1)
    waiting = [asyncio.create_task(lane.submit(make_clip(seconds=10.0), math.inf, caller="greedy")) for _ in range(4)]
    await asyncio.sleep(0)
    assert lane.expected_wait("kiosk") == pytest.approx(10.0 * FIRST_PACE)
    assert lane.expected_wait("greedy") == pytest.approx(40.0 * FIRST_PACE)
    lane.check(math.inf, 6.0, caller="kiosk")
    with pytest.raises(RefusedError, match="20 s"):
        lane.check(math.inf, 6.0, caller="greedy")
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert lane.expected_wait("greedy") == 0.0


async def test_an_analyzer_that_is_stuck_is_busy_and_no_bug() -> None:
    face = BlockingAnalyzer()
    chosen = settings(engine={"deadline_seconds": 0.1})
    async with running(chosen, fake_host(chosen, face=face)) as server, stub_of(server) as stub:
        for _ in range(2):  # it does not answer in time, and then has not returned
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(stub)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert details_of(caught.value)["ErrorInfo"].reason == "ANALYZER_BUSY"
            assert "RetryInfo" in details_of(caught.value)
        face.release.set()


async def test_several_recognisers_work_at_once() -> None:
    class Two(RecordingEngine):
        def __init__(self) -> None:
            super().__init__()
            self.both = asyncio.Barrier(2)

        def parallel(self, analyzer: str) -> int:
            return 2

        async def outcomes_async(self, analyzer: str, samples: Sequence[Sample]) -> list[Outcome]:
            await asyncio.wait_for(self.both.wait(), TIMEOUT)
            return [Outcome(StreamStatus(analyzer, "voice", StreamState.OK))] * len(samples)

    scheduler = Scheduler(Two(), LimitSettings())
    request = AnalysisRequest(samples=(make_clip(),))
    await asyncio.gather(*(scheduler.analyze(request, math.inf) for _ in range(2)))
    await scheduler.close()


async def test_sessions_come_before_what_is_analysed_in_bulk() -> None:
    class Held(RecordingEngine):
        def __init__(self) -> None:
            super().__init__()
            self.order: list[float] = []
            self.go_on = asyncio.Event()

        async def outcomes_async(self, analyzer: str, samples: Sequence[Sample]) -> list[Outcome]:
            self.order += [sample.captured_at for sample in samples]
            await self.go_on.wait()
            return [self.nothing(analyzer)] * len(samples)

    engine = Held()
    scheduler = Scheduler(engine, LimitSettings(max_batch=1, batch_delay_ms=0.0))

    def bulk(at: float) -> Any:
        return scheduler.analyze(AnalysisRequest(samples=(make_image(captured_at=at),)), math.inf)

    work = [asyncio.create_task(bulk(float(number))) for number in range(3)]
    await asyncio.sleep(0.01)  # the first is with the engine
    work.append(asyncio.create_task(scheduler.predict("all", make_image(captured_at=9.0))))
    await asyncio.sleep(0)
    engine.go_on.set()
    await asyncio.gather(*work)
    await scheduler.close()
    assert engine.order == [0.0, 9.0, 1.0, 2.0]


def test_callers_take_turns_and_the_urgent_come_first_but_not_for_ever() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        queue.put(item, caller=item[0])
    assert [queue.take() for _ in range(len(queue))] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    for number in range(3 * BULK_EVERY):
        queue.put(f"u{number}", caller="u", urgent=True)
        queue.put(f"k{number}", caller="k")
    taken = [queue.take() for _ in range(2 * BULK_EVERY)]
    assert sum(item.startswith("k") for item in taken) == 2
    with pytest.raises(IndexError):
        FairQueue[str]().take()


def test_the_greediest_makes_room() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3", "b1"):
        queue.put(item, caller=item[0])
    assert queue.crowd_out("c") == "a3"
    assert queue.crowd_out("b") is None
    assert queue.crowd_out("a") is None
    assert queue.remove("a1", caller="a")
    assert not queue.remove("a1", caller="a")
    assert queue.clear() == ["a2", "b1"]
    assert len(queue) == 0


async def test_a_place_that_came_as_its_caller_gave_up_is_not_lost() -> None:
    turns = Turns(1)
    await turns.take("a")
    waiting = asyncio.create_task(turns.take("b"))
    await asyncio.sleep(0)
    turns.give_back()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not turns.all_taken


async def test_one_greedy_caller_does_not_keep_others_out_of_the_queue() -> None:
    chosen = settings(limits={"max_calls_in_flight": 1, "max_calls_queued": 4})
    gate = Gate(chosen.limits)
    gate.open()
    go_on, answered = asyncio.Event(), []

    async def call_of(caller: str) -> str:
        try:
            async with gate.call(math.inf, caller=caller):
                answered.append(caller)
                await go_on.wait()
        except RefusedError as error:
            return error.reason
        return "OK"

    greedy = [asyncio.create_task(call_of("greedy")) for _ in range(7)]
    await asyncio.sleep(0)
    kiosk = asyncio.create_task(call_of("kiosk"))
    await asyncio.sleep(0)
    go_on.set()
    assert await kiosk == "OK"
    assert sorted(await asyncio.gather(*greedy)) == ["OK"] * 4 + ["QUEUE_FULL"] * 3
    assert answered[:3] == ["greedy", "greedy", "kiosk"]


async def test_the_answer_of_a_fake_is_the_same_alone_and_among_others() -> None:
    face = BlockingAnalyzer()
    chosen = settings(limits={"batch_delay_ms": 0})
    host = fake_host(chosen, face=face)
    async with running(chosen, host) as server, stub_of(server) as stub:
        first = asyncio.create_task(call(stub))
        await entered(face)
        others = [asyncio.ensure_future(stub.Analyze(picture_request(), timeout=TIMEOUT)) for _ in range(5)]
        await waiting_calls(server, 5)
        face.release.set()
        alone = await first
        for answer in await asyncio.gather(*others):
            assert answer.predictions == alone.predictions
            assert answer.satisfaction == alone.satisfaction
