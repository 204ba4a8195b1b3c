"""The long run of bad input against a server in a process of its own; ``make soak`` runs it.

How many is told by the environment: ``MIEN_SOAK_MESSAGES`` (200,000), ``MIEN_SOAK_FILES`` (50,000),
``MIEN_SOAK_BATCHES`` (1,000) and ``MIEN_SOAK_SEED`` (1). What was found is printed; run with ``-s`` to see it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest
from core.bombs import COSTLY, REFUSED
from service.attacking import CALLS, Attacker

from mien.v1 import sentiment_pb2 as pb

pytestmark = [pytest.mark.soak, pytest.mark.timeout(6 * 3_600)]

MESSAGES = int(os.environ.get("MIEN_SOAK_MESSAGES", "200000"))
FILES = int(os.environ.get("MIEN_SOAK_FILES", "50000"))
BATCHES = int(os.environ.get("MIEN_SOAK_BATCHES", "1000"))
SEED = int(os.environ.get("MIEN_SOAK_SEED", "1"))
WARMING = 300
"""Messages and files before memory is first looked at: the first of each kind loads what the others use."""

LONGEST_SECONDS = 1.0
MOST_GROWN = 64 << 20
SETTLING_SECONDS = 120.0


class Served:
    """A server and the processes that it started."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address

    def resident(self) -> int:
        """Bytes, of all of them."""
        parent = psutil.Process(self.process.pid)
        return sum(each.memory_info().rss for each in (parent, *parent.children(recursive=True)))

    async def settled(self) -> int:
        """The same once the processes that decode have had nothing to do for long, and are gone."""
        async with asyncio.timeout(SETTLING_SECONDS):
            while psutil.Process(self.process.pid).children():
                await asyncio.sleep(0.5)
        return self.resident()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    log = tmp_path / "log"
    command = [sys.executable, str(Path(__file__).with_name("victim.py"))]
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        yield Served(process, process.stdout.readline().strip())
        assert process.poll() is None, f"the server is gone: {log.read_text()[-2_000:]}"
        process.communicate("", timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in log.read_text()
    assert "unexpected" not in log.read_text()


@pytest.mark.parametrize(("what", "count"), [("messages", MESSAGES), ("files", FILES)])
async def test_nothing_that_is_sent_harms_the_server(what: str, count: int, served: Served) -> None:
    async with grpc.aio.insecure_channel(served.address) as channel:
        warming = Attacker(channel, seed=SEED - 1)
        await getattr(warming, what)(WARMING)
        before = await served.settled()
        attacker = Attacker(channel, seed=SEED)
        await getattr(attacker, what)(count)
        grown = await served.settled() - before
    found = attacker.found
    print(f"\n{count} {what}: {dict(found.statuses)}, slowest {found.slowest:.2f} s, {grown / 2**20:+.1f} MiB")
    assert not found.wrong
    assert found.slowest < LONGEST_SECONDS
    assert grown < MOST_GROWN


async def test_bombs_leave_memory_where_it_was(served: Served) -> None:
    async with grpc.aio.insecure_channel(served.address) as channel:
        analyze = channel.unary_unary(CALLS + "Analyze")

        async def throw() -> None:
            for data in (*REFUSED.values(), *COSTLY.values()):
                request = pb.AnalyzeRequest(image=pb.Image(encoded=data))
                call = analyze(request.SerializeToString(), timeout=10.0)
                assert await call.code() in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT), await call.details()

        await throw()
        before = await served.settled()
        for _ in range(10):
            await throw()
        grown = await served.settled() - before
    print(f"\nbombs: {grown / 2**20:+.1f} MiB")
    assert grown < MOST_GROWN


def test_a_face_is_told_alike_alone_and_beside_others() -> None:
    inference = pytest.importorskip("mien_face.inference")
    chance = np.random.default_rng(SEED)
    network = inference.ExpressionNetwork.load(Path(inference.__file__).parent / "weights" / "expression.json")
    crops = chance.integers(0, 256, (200, 48, 48), dtype=np.uint8)
    crops[::2] = (crops[::2] // 8) + np.linspace(20, 200, 48, dtype=np.uint8)
    alone = np.concatenate([network.classify(crop[np.newaxis]) for crop in crops])
    most = 0.0
    for _ in range(BATCHES):
        chosen = chance.choice(len(crops), chance.integers(2, 33), replace=False)
        most = max(most, float(np.abs(network.classify(crops[chosen]) - alone[chosen]).max()))
    print(f"\n{BATCHES} batches: probabilities differ by {most:.1e} at most")
    assert most <= 1e-5
