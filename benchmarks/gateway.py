"""What the HTTP gateway costs over gRPC: the same pictures to the same server, by turns, at saturation.

    python benchmarks/gateway.py [--seconds 5] [--rounds 6] [--callers 16] [--analyzer null|face] [--output FILE]

The server runs in a process of its own, as ``mien serve --web`` runs it, with the gateway over a Unix socket in the
same process. ``null`` is an analyzer that does nothing, which shows what a call itself costs; ``face`` is the real one.
The picture is a photograph of one person that scikit-image brings. A round asks over gRPC and over HTTP for some
seconds each; the table gives the median of the rounds' rates, and the processor time that the server's process took for
an answer, which other programs on the machine change little.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import psutil
from PIL import Image

from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc


def picture() -> bytes:
    """A JPEG of 512 x 512 pixels with one face."""
    from skimage import data

    buffer = io.BytesIO()
    Image.fromarray(data.astronaut()).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


async def serve(analyzer: str, ready: Path) -> None:
    """The server's process."""
    from mien.cli.web import gateway_beside
    from mien.config import parse_settings
    from mien.plugins.host import PluginHost
    from mien.service.server import serve as serve_until_signal
    from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info

    tables = {"server": {"address": "127.0.0.1:0"}, "web": {"address": "127.0.0.1:0"}}
    if analyzer == "null":
        settings = parse_settings({**tables, "fusion": {"fuser": "fake"}})
        info = analyzer_info("face")
        plugin = FakePlugin(analyzers={"face": (info, lambda: FakeAnalyzer("face"))}, fusers={"fake": FakeFuser})
        host = PluginHost.from_plugins({"face": plugin}, settings)
    else:
        settings = parse_settings({**tables, "engine": {"analyzers": [analyzer]}})
        host = PluginHost.discover(settings)
    with gateway_beside(settings, wanted=True) as (gateway, also_at):
        assert gateway is not None

        def told(address: str) -> None:
            part = ready.with_suffix(".part")
            part.write_text(f"{address} {gateway.address}")
            part.rename(ready)

        await serve_until_signal(settings, host, on_serving=told, companion=gateway, also_at=also_at)
    host.close()


async def over_grpc(address: str, jpeg: bytes, *, callers: int, seconds: float) -> tuple[float, int]:
    """Answers a second, and how many."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = sentiment_pb2_grpc.SentimentServiceStub(channel)
        request = pb.AnalyzeRequest(image=pb.Image(encoded=jpeg))

        async def caller(until: float) -> int:
            count = 0
            while time.perf_counter() < until:
                await stub.Analyze(request)
                count += 1
            return count

        return await _rate(caller, callers, seconds)


async def over_http(address: str, jpeg: bytes, *, callers: int, seconds: float) -> tuple[float, int]:
    """The same by bare HTTP/1.1 on kept connections, so that no client library is measured."""
    host, _, port = address.rpartition(":")
    lines = (
        "POST /v1/analyze HTTP/1.1",
        f"Host: {address}",
        "Content-Type: image/jpeg",
        f"Content-Length: {len(jpeg)}",
    )
    request = "\r\n".join((*lines, "", "")).encode() + jpeg

    async def caller(until: float) -> int:
        reader, writer = await asyncio.open_connection(host, int(port))
        count = 0
        while time.perf_counter() < until:
            writer.write(request)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            assert answer.startswith("http/1.1 200"), answer
            await reader.readexactly(int(answer.split("content-length: ")[1].split("\r\n")[0]))
            count += 1
        writer.close()
        return count

    return await _rate(caller, callers, seconds)


async def _rate(caller: Callable[[float], Awaitable[int]], callers: int, seconds: float) -> tuple[float, int]:
    began = time.perf_counter()
    count = sum(await asyncio.gather(*(caller(began + seconds) for _ in range(callers))))
    return count / (time.perf_counter() - began), count


async def measure(
    arguments: argparse.Namespace, server: psutil.Process, addresses: dict[str, str]
) -> dict[str, object]:
    """Rounds by turns; each begins with the other road."""
    jpeg = picture()
    roads = {"grpc": over_grpc, "http": over_http}
    for name, road in roads.items():
        await road(addresses[name], jpeg, callers=arguments.callers, seconds=1.0)
    rounds: list[dict[str, float]] = []
    for number in range(arguments.rounds):
        found: dict[str, float] = {}
        for name in sorted(roads, reverse=number % 2 == 1):
            before = sum(server.cpu_times()[:2])
            rate, count = await roads[name](addresses[name], jpeg, callers=arguments.callers, seconds=arguments.seconds)
            found[f"{name}_per_second"] = rate
            found[f"{name}_processor_ms"] = 1000 * (sum(server.cpu_times()[:2]) - before) / count
        rounds.append({key: round(value, 2) for key, value in found.items()})
    middle = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
    return {
        "analyzer": arguments.analyzer,
        "callers": arguments.callers,
        "picture_bytes": len(jpeg),
        **{key: round(value, 2) for key, value in middle.items()},
        "overhead": round(middle["http_processor_ms"] / middle["grpc_processor_ms"] - 1, 3),
        "rounds": rounds,
    }


def main() -> None:
    """Serve, or ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--analyzer", default="face")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        asyncio.run(serve(arguments.analyzer, arguments.serve))
        return
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        command = [sys.executable, __file__, "--serve", str(ready), "--analyzer", arguments.analyzer]
        server = subprocess.Popen(command)
        try:
            while not ready.exists():
                assert server.poll() is None, "the server ended"
                time.sleep(0.1)
            addresses = dict(zip(("grpc", "http"), ready.read_text().split(), strict=True))
            found = asyncio.run(measure(arguments, psutil.Process(server.pid), addresses))
        finally:
            server.terminate()
            server.wait()
    print(f"| {found['analyzer']}, {found['callers']} callers | answers a second | the server's processor time each |")
    print("|---|---|---|")
    print(f"| gRPC | {found['grpc_per_second']} | {found['grpc_processor_ms']} ms |")
    print(f"| HTTP gateway | {found['http_per_second']} | {found['http_processor_ms']} ms ({found['overhead']:+.1%}) |")
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
