"""How much memory a server takes: at its start, of open sessions, of many large pictures at once, of a flood of sound.

    python benchmarks/sizing.py [--json FILE] [--config mien.toml]

``mien serve`` runs in a process of its own with the installed plugins and the default limits. Resident memory is read
while each of these is done to it, and again a few seconds afterwards. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
import psutil
from PIL import Image
from rich.console import Console
from rich.table import Table

from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc

SESSIONS: Final = 32
CALLERS: Final = 96
PIXELS: Final = (2_000, 2_000)
ROUNDS: Final = 2
FLOOD_MESSAGES: Final = 150
FLOOD_BYTES: Final = 4_000_000
LOOK_SECONDS: Final = 0.05
SETTLE_SECONDS: Final = 5.0

Row = dict[str, float | str]


class Served:
    """A server of its own."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.address = address
        self._seen = psutil.Process(process.pid)

    def megabytes(self) -> float:
        """Resident, of it and of what it started."""
        processes = (self._seen, *self._seen.children(recursive=True))
        return sum(each.memory_info().rss for each in processes) / 1e6

    async def measured(self, what: str, work: Callable[[], Awaitable[object]]) -> Row:
        """Memory before, at its most, and a while after some work."""
        before = peak = self.megabytes()
        doing = asyncio.ensure_future(work())
        while not doing.done():
            peak = max(peak, self.megabytes())
            await asyncio.wait([doing], timeout=LOOK_SECONDS)
        doing.result()
        await asyncio.sleep(SETTLE_SECONDS)
        return {"what": what, "before": before, "most": peak, "after": self.megabytes()}


@contextmanager
def served(config: Path | None) -> Iterator[Served]:
    """A server that serves."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        chosen = ["--config", str(config)] if config else []
        where = ["--address", "127.0.0.1:0", "--ready-file", str(ready)]
        command = [str(Path(sys.executable).with_name("mien")), *chosen, "serve", *where]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise SystemExit("the server did not start; run `mien serve` to see why")
                time.sleep(0.1)
            time.sleep(1.0)
            yield Served(process, ready.read_text().strip())
        finally:
            process.terminate()
            process.wait()


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Any]:
    """A stub on a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        yield sentiment_pb2_grpc.SentimentServiceStub(channel)


def large_picture() -> pb.AnalyzeRequest:
    """Four megapixels as a JPEG."""
    shade = np.linspace(0, 255, PIXELS[0] * PIXELS[1] * 3).reshape(*PIXELS, 3).astype(np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(shade).save(encoded, "JPEG", quality=80)
    return pb.AnalyzeRequest(image=pb.Image(encoded=encoded.getvalue()))


async def sessions(server: Served) -> None:
    """Open sessions of which each sends a picture."""
    frame = large_picture().image
    frame.encoded = _small()
    async with connected(server.address) as stub:
        calls = [stub.StreamSession() for _ in range(SESSIONS)]
        for call in calls:
            await call.write(pb.StreamSessionRequest(config=pb.SessionConfig()))
            await call.write(pb.StreamSessionRequest(frame=frame))
        for call in calls:
            with contextlib.suppress(grpc.aio.AioRpcError):
                await call.read()
                await call.read()
        await asyncio.sleep(1.0)
        for call in calls:
            call.cancel()


def _small() -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(np.zeros((480, 640, 3), np.uint8)).save(encoded, "JPEG")
    return encoded.getvalue()


async def pictures(server: Served) -> None:
    """Callers who all send large pictures at once."""
    request = large_picture()
    async with connected(server.address) as stub:
        for _ in range(ROUNDS):
            answers = [stub.Analyze(request, timeout=30) for _ in range(CALLERS)]
            await asyncio.gather(*answers, return_exceptions=True)


async def flood(server: Served) -> None:
    """A session whose caller sends sound as fast as it is taken, for a few seconds."""
    raw = pb.RawAudio(data=bytes(FLOOD_BYTES), format=pb.SAMPLE_FORMAT_FLOAT32, sample_rate_hz=48_000, channels=2)
    message = pb.StreamSessionRequest(audio=pb.Audio(raw=raw))
    async with connected(server.address) as stub:
        call = stub.StreamSession()
        await call.write(pb.StreamSessionRequest(config=pb.SessionConfig()))

        async def read() -> None:
            async for _ in call:
                pass

        async def send() -> None:
            for _ in range(FLOOD_MESSAGES):
                await call.write(message)

        reading, sending = asyncio.ensure_future(read()), asyncio.ensure_future(send())
        await asyncio.wait([sending], timeout=10.0)
        for task in (reading, sending):
            task.cancel()
        await asyncio.gather(reading, sending, return_exceptions=True)
        call.cancel()


async def measure(config: Path | None) -> list[Row]:
    """All of it."""
    with served(config) as server:
        start = server.megabytes()
        rows: list[Row] = [{"what": "after the start", "before": start, "most": start, "after": start}]
        rows.append(await server.measured(f"{SESSIONS} open sessions", lambda: sessions(server)))
        rows.append(await server.measured(f"{CALLERS} callers with 4-megapixel pictures", lambda: pictures(server)))
        rows.append(await server.measured("150 x 4 MB of sound in a session", lambda: flood(server)))
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--config", type=Path, metavar="FILE")
    options = parser.parse_args()
    rows = asyncio.run(measure(options.config))
    table = Table("what", "before, MB", "at most, MB", f"{SETTLE_SECONDS:.0f} s after, MB")
    for row in rows:
        table.add_row(str(row["what"]), *(f"{row[key]:.0f}" for key in ("before", "most", "after")))
    Console().print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
