"""A server in a process of its own, and many things done to it at a time; for the long runs of load.

``MIEN_SOAK_SHARE`` (1.0) scales how many of each.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil

from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc

SHARE = float(os.environ.get("MIEN_SOAK_SHARE", "1"))
WARMING = 2_000
"""Calls before anything is measured."""


def many(count: int, *, least: int = 10) -> int:
    """So many, or the share of it that is asked for."""
    return max(least, round(count * SHARE))


class Loaded:
    """A server of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.address = process.stdout.readline().strip()
        self.seen = psutil.Process(process.pid)

    def held(self) -> tuple[int, int, int]:
        """Resident bytes, descriptors and threads."""
        return self.seen.memory_info().rss, self.seen.num_fds(), self.seen.num_threads()

    def end(self) -> float:
        """Seconds from SIGTERM to the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0
        return time.monotonic() - began


@contextlib.contextmanager
def loaded(seconds: float = 0.0, **tables: dict[str, Any]) -> Iterator[Loaded]:
    """A server whose pictures take so long."""
    command = [sys.executable, str(Path(__file__).with_name("loaded.py")), json.dumps(tables), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield Loaded(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Any]:
    """A stub on a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        yield sentiment_pb2_grpc.SentimentServiceStub(channel)


def tagged(number: int = 0) -> pb.AnalyzeRequest:
    """A picture that carries a number, which the answer's satisfaction tells."""
    data = bytes((number >> 8 & 255, number & 255, 0)) * (32 * 24)
    raw = pb.RawImage(data=data, width=32, height=24, format=pb.PIXEL_FORMAT_RGB)
    return pb.AnalyzeRequest(image=pb.Image(raw=raw))


async def in_parallel(count: int, workers: int, work: Any) -> None:
    """Do work with each number below ``count``, so many at a time."""
    numbers = iter(range(count))

    async def some(worker: int) -> None:
        for number in numbers:
            await work(worker, number)

    await asyncio.gather(*(some(worker) for worker in range(workers)))
