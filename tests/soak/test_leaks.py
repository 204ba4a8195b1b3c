"""The long run of load: what a server keeps of those that are gone, and how it ends; ``make soak`` runs it.

``MIEN_SOAK_SHARE`` (1.0) scales how many of each. Figures are printed; run with ``-s``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from typing import Any

import grpc
import pytest
from soak.support import WARMING, connected, in_parallel, loaded, many, tagged

from mien.v1 import sentiment_pb2 as pb

pytestmark = [pytest.mark.soak, pytest.mark.timeout(4 * 3_600)]

MOST_GROWN = 32 << 20
LATEST_END_SECONDS = 25.0


async def test_calls_streams_and_killed_connections_leave_nothing_behind() -> None:
    with loaded() as server:
        async with connected(server.address) as stub:

            async def ask(worker: int, number: int) -> None:
                await stub.Analyze(tagged(), timeout=60)

            async def cancel(worker: int, number: int) -> None:
                call = stub.StreamSession(timeout=60)
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await call.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
                    await call.write(pb.StreamSessionRequest(frame=tagged().image))
                    await call.read()
                call.cancel()

            async def kill(worker: int, number: int) -> None:
                await asyncio.to_thread(reset, server.address)

            await in_parallel(WARMING, 32, ask)
            await in_parallel(200, 8, cancel)
            before = server.held()
            for work, count, workers in ((ask, 200_000, 32), (cancel, 20_000, 8), (kill, 5_000, 8)):
                began = time.monotonic()
                await in_parallel(many(count), workers, work)
                took = time.monotonic() - began
                what = f"{many(count)} x {work.__name__} in {took:.0f} s"
                print(f"\n{what}: {describe(before)} -> {describe(server.held())}")
        async with connected(server.address) as stub:
            await stub.Analyze(tagged(), timeout=60)
            await asyncio.sleep(3)
        after = server.held()
        print(f"at the end: {describe(after)}")
        assert after[0] - before[0] < MOST_GROWN
        assert after[1] <= before[1] + 4
        assert after[2] <= before[2] + 8
        assert server.end() < LATEST_END_SECONDS


def describe(held: tuple[int, int, int]) -> str:
    """For a person."""
    return f"{held[0] / 1e6:.0f} MB, {held[1]} descriptors, {held[2]} threads"


def reset(address: str) -> None:
    """Connect, begin to speak HTTP/2, and break the connection off."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


CLIENT = """
import sys, grpc
from mien.v1 import sentiment_pb2 as pb, sentiment_pb2_grpc
stub = sentiment_pb2_grpc.SentimentServiceStub(grpc.insecure_channel(sys.argv[1]))
def talk():
    yield pb.StreamSessionRequest(config=pb.SessionConfig())
    import time; time.sleep(600)
for answer in stub.StreamSession(talk()):
    print("open", flush=True)
"""


async def test_the_place_of_a_killed_client_is_free_within_two_seconds() -> None:
    slowest = 0.0
    with loaded(limits={"max_sessions": 1}) as server:
        for _ in range(many(20, least=3)):
            client = subprocess.Popen([sys.executable, "-c", CLIENT, server.address], stdout=subprocess.PIPE, text=True)
            assert client.stdout is not None
            assert client.stdout.readline() == "open\n"
            client.kill()
            began = time.monotonic()
            async with connected(server.address) as stub:
                while not await opens(stub):
                    assert time.monotonic() - began < 2.0
                    await asyncio.sleep(0.02)
            slowest = max(slowest, time.monotonic() - began)
            client.communicate()
    print(f"\na killed client's place is free after {slowest:.2f} s at most")


async def opens(stub: Any) -> bool:
    """Whether there is room for a session; it is closed again."""
    call = stub.StreamSession(timeout=30)
    try:
        await call.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
        await call.read()
        await call.done_writing()
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
            raise
        return False
    return True


async def test_an_end_under_load_loses_no_call_and_no_summary() -> None:
    slowest = 0.0
    for _ in range(many(50, least=2)):
        with loaded(0.01) as server:
            async with connected(server.address) as stub, connected(server.address) as other:
                sessions = [asyncio.create_task(session(other)) for _ in range(8)]
                callers = [asyncio.create_task(until_refused(stub)) for _ in range(16)]
                await asyncio.sleep(1.0)
                slowest = max(slowest, await asyncio.to_thread(server.end))
                assert await asyncio.gather(*sessions) == [True] * 8
                assert set(await asyncio.gather(*callers)) <= {"UNAVAILABLE"}
    print(
        f"\n{many(50, least=2)} ends under load: every call answered, every session summed up, {slowest:.1f} s at most"
    )
    assert slowest < LATEST_END_SECONDS


async def session(stub: Any) -> bool:
    """A session of pictures until it is ended; whether it was summed up."""
    call, answer = stub.StreamSession(timeout=120), None
    await call.write(pb.StreamSessionRequest(config=pb.SessionConfig()))

    async def send() -> None:
        number = 0
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                picture = tagged().image
                picture.captured_at_seconds = number * 1.0
                await call.write(pb.StreamSessionRequest(frame=picture))
                number += 1
                await asyncio.sleep(0.1)

    sending = asyncio.create_task(send())
    last = None
    with contextlib.suppress(grpc.aio.AioRpcError):
        while (answer := await call.read()) is not grpc.aio.EOF:
            last = answer
    sending.cancel()
    return last is not None and last.HasField("summary")


async def until_refused(stub: Any) -> str:
    """Calls, one after the other, until one is not taken; how it was refused."""
    while True:
        try:
            await stub.Analyze(tagged(), timeout=60)
        except grpc.aio.AioRpcError as error:
            return error.code().name
