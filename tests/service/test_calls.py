"""Callers that do not send, or do not read: they end in time, and nobody else waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from service.support import TIMEOUT, details_of, picture_request, running, settings, stub_of

from mien.service.callers import address_of, is_local
from mien.service.calls import MAX_CALLER_WATCHES, CallLimits, Counts, Patience
from mien.service.limits import Gate
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import RefusedError

ANALYZE = "/mien.v1.SentimentService/Analyze"
CHECK = health_pb2.HealthCheckRequest()
CROWD = 300


@asynccontextmanager
async def channel_of(server: Any) -> AsyncIterator[grpc.aio.Channel]:
    """A connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(server.address, options=options) as channel:
        yield channel


async def test_calls_that_never_send_their_body_shut_nobody_out() -> None:
    async with running() as server, channel_of(server) as silent, channel_of(server) as honest, stub_of(server) as stub:
        calls = [silent.stream_unary(ANALYZE)() for _ in range(CROWD)]
        await arriving(server, 256)
        assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        health = health_pb2_grpc.HealthStub(honest)
        assert (await health.Check(CHECK, timeout=TIMEOUT)).status == health_pb2.HealthCheckResponse.SERVING
        for call in calls:
            call.cancel()


async def arriving(server: Any, count: int) -> None:
    """Until so many calls have begun to arrive."""
    async with asyncio.timeout(TIMEOUT):
        while len(server._calls._arriving[False]) < count:  # no event tells it
            await asyncio.sleep(0.005)


async def test_health_watches_shut_nobody_out() -> None:
    async with running() as server, channel_of(server) as greedy, channel_of(server) as honest, stub_of(server) as stub:
        watches = [health_pb2_grpc.HealthStub(greedy).Watch(CHECK) for _ in range(CROWD)]
        codes = await asyncio.gather(*(first_of(watch) for watch in watches))
        assert codes.count(grpc.StatusCode.OK) == MAX_CALLER_WATCHES
        assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) == CROWD - MAX_CALLER_WATCHES
        health = health_pb2_grpc.HealthStub(honest)
        assert (await health.Check(CHECK, timeout=TIMEOUT)).status == health_pb2.HealthCheckResponse.SERVING
        assert await first_of(health.Watch(CHECK)) is grpc.StatusCode.OK
        assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions
        for watch in watches:
            watch.cancel()


async def first_of(watch: Any) -> grpc.StatusCode:
    """OK where a watch has told something, or how it was refused."""
    try:
        async with asyncio.timeout(TIMEOUT):
            await watch.read()
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_a_request_that_does_not_arrive_in_time_is_ended() -> None:
    chosen = settings(limits={"max_receive_seconds": 0.2})
    async with running(chosen) as server, channel_of(server) as channel, stub_of(server) as stub:
        calls = [channel.stream_unary(ANALYZE)(), stub.StreamSession(), stub.AnalyzeStream()]
        for call in calls:
            async with asyncio.timeout(TIMEOUT):
                assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert server._gate.streams == 0
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await calls[1].read()
    assert details_of(caught.value)["ErrorInfo"].reason == "NOT_RECEIVED"


async def test_a_call_without_a_request_is_told_so() -> None:
    async with running() as server, channel_of(server) as channel:
        call = channel.stream_unary(ANALYZE)()
        await call.done_writing()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
    assert details_of(caught.value)["ErrorInfo"].reason == "NO_REQUEST"


async def test_of_too_many_that_are_waited_for_the_oldest_is_given_up() -> None:
    patience, arrived = Patience(TIMEOUT, most=2), asyncio.Event()

    async def wait() -> bool:
        try:
            async with patience.wait():
                await arrived.wait()
        except TimeoutError:
            return False
        return True

    waiting = [asyncio.create_task(wait()) for _ in range(3)]
    assert not await waiting[0]
    arrived.set()
    assert await asyncio.gather(*waiting[1:]) == [True, True]
    assert len(patience) == 0


class Talking(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc is untyped
    """Answers one message with as many as anybody reads, and tells when it was ended."""

    def __init__(self) -> None:
        self.written = 0
        self.ended = asyncio.Event()

    def service(self, details: Any) -> grpc.RpcMethodHandler:
        return grpc.stream_stream_rpc_method_handler(self.talk)

    async def talk(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(1 << 20)
                self.written += 1
        finally:
            self.ended.set()


@pytest.mark.parametrize("draining", [False, True])
async def test_a_caller_that_does_not_read_is_ended(draining: bool) -> None:
    chosen = settings(limits={"max_write_seconds": 600.0 if draining else 0.3}, server={"drain_seconds": 0.5})
    calls = CallLimits(chosen.limits, Gate(chosen.limits), drain_seconds=chosen.server.drain_seconds)
    server, talking = grpc.aio.server(interceptors=[calls]), Talking()
    server.add_generic_rpc_handlers((talking,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_stream("/any/Talk")()
        await call.write(b"go on")
        if draining:
            async with asyncio.timeout(TIMEOUT):
                while not len(calls._writing):  # no event tells it
                    await asyncio.sleep(0.005)
            calls.drain()
        await asyncio.wait_for(talking.ended.wait(), TIMEOUT)
        await asyncio.wait_for(server.stop(0.1), TIMEOUT)
        call.cancel()


def test_a_count_is_of_one_caller_and_of_all() -> None:
    counts = Counts(1, "calls are open", total=2)
    with counts.hold("a"), counts.hold("b"), pytest.raises(RefusedError, match="over all callers"):
        counts.hold("c").__enter__()
    with counts.hold("a"), pytest.raises(RefusedError, match="of one"):
        counts.hold("a").__enter__()
    with counts.hold("a"), counts.hold("c"):
        pass
    free = Counts(1, "calls are open")
    with free.hold(""), free.hold(""):
        pass


@pytest.mark.parametrize(
    ("peer", "host", "local"),
    [
        ("ipv4:127.0.0.1:40000", "127.0.0.1", True),
        ("ipv4:192.0.2.7:40000", "192.0.2.7", False),
        ("ipv6:[::1]:40000", "::1", True),
        ("ipv6:%5B::1%5D:40000", "::1", True),
        ("ipv6:[2001:db8::1]:40000", "2001:db8::1", False),
        ("ipv6:[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", True),
        ("unix:/run/mien.sock", "unix:/run/mien.sock", True),
    ],
)
def test_a_peer_is_known_by_its_address(peer: str, host: str, local: bool) -> None:
    assert (address_of(peer), is_local(peer)) == (host, local)


async def test_one_address_has_no_more_sessions_than_its_limit() -> None:
    chosen = settings(limits={"max_peer_sessions": 1})
    gate = Gate(chosen.limits)
    gate.open()
    async with gate.stream(peer="192.0.2.7"), gate.stream(peer="192.0.2.8"), gate.stream(), gate.stream():
        with pytest.raises(RefusedError, match=r"1 streams of 192\.0\.2\.7"):
            gate.check_stream("192.0.2.7")
    gate.check_stream("192.0.2.7")


async def test_a_session_holds_no_place_before_its_first_message() -> None:
    chosen = settings(limits={"max_sessions": 1})
    async with running(chosen) as server, stub_of(server) as stub:
        silent = [stub.StreamSession() for _ in range(5)]
        await arriving(server, 5)
        call = stub.StreamSession(timeout=TIMEOUT)
        await call.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        assert (await call.read()).HasField("started")
        for each in (*silent, call):
            each.cancel()
