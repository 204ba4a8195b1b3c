"""What keys and metrics cost a call, in processor time: ``python benchmarks/operating.py``."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mien.access import Door, add_key, load_keys
from mien.access.hashing import matches
from mien.service.metrics import PrometheusMetrics

CALLS = 20_000
HASHES = 20


def milliseconds(function: Callable[[], object], count: int) -> float:
    """Processor time of one call, the mean of ``count``."""
    function()
    started = time.process_time()
    for _ in range(count):
        function()
    return (time.process_time() - started) / count * 1000


def one_call(metrics: PrometheusMetrics) -> None:
    """All that is counted for a picture."""
    metrics.call_started("unary", "mien.v1.SentimentService", "Analyze")
    metrics.decoded("image", 0.01)
    metrics.waited("face", 0.01)
    metrics.computed("face", 0.01, batch=4)
    metrics.call_handled("unary", "mien.v1.SentimentService", "Analyze", code="OK", seconds=0.02)


async def known_key(file: Path, token: str) -> float:
    """A call with a key that was seen before."""
    door = Door(file)
    await door.let_in(token, "Analyze")
    started = time.process_time()
    for _ in range(CALLS):
        caller = await door.let_in(token, "Analyze")
        caller.charge_call()
        caller.charge_bytes(100_000)
    door.close()
    return (time.process_time() - started) / CALLS * 1000


def main() -> None:
    """Print the three."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "keys.json"
        token, _ = add_key(file, "kiosk")
        (key,) = load_keys(file)
        print(f"argon2 of a new key: {milliseconds(lambda: matches(key.hash, token), HASHES):.1f} ms")
        print(f"a key that is known: {asyncio.run(known_key(file, token)) * 1000:.1f} us")
    metrics = PrometheusMetrics()
    print(f"metrics of a call: {milliseconds(lambda: one_call(metrics), CALLS) * 1000:.1f} us")


if __name__ == "__main__":
    main()
