"""How often one picture of a session goes from thread to thread on a server, and where.

    python benchmarks/session_handovers.py [--json FILE]

A server's own parts (decoder, scheduler, engine, session) follow a few pictures without a network; analyzer and fuser
are fakes, which changes nothing about who hands what to whom. Every way from one thread to another is noted while a
single picture is on its way: work put before a lane or a pool of threads, a thread that waits for it, and what comes
back to the event loop. Nothing here is timed, and nothing is a test.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

from rich.console import Console
from rich.table import Table

from mien.config import parse_settings
from mien.engine import Engine
from mien.plugins.host import PluginHost
from mien.plugins.sinks import Sinks
from mien.plugins.workers import Call, Lane
from mien.service.holdings import Holdings
from mien.service.kept import Kept
from mien.service.limits import Gate
from mien.service.scheduler import Scheduler
from mien.service.session_stream import SessionStream
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info
from mien.v1 import sentiment_pb2 as pb

PICTURES: Final = 4
"""The last is the one that is looked at: by then every thread has started."""

MOST: Final = 8
"""Hand-overs that a picture may take."""


class Trace:
    """What went from thread to thread while it was on."""

    def __init__(self) -> None:
        self.on = False
        self.rows: list[dict[str, str]] = []

    def note(self, to: str, what: Any) -> None:
        """One hand-over, from the thread that calls."""
        if self.on:
            self.rows.append({"from": threading.current_thread().name, "to": to, "what": _name(what)})

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Note what passes the ways between threads."""
        submit, pool_submit, join = Lane.submit, ThreadPoolExecutor.submit, Call.join
        back = asyncio.BaseEventLoop.call_soon_threadsafe

        def lane_submit(lane: Lane, function: Callable[[], Any]) -> Any:
            self.note(f"lane {lane.name}", function)
            return submit(lane, function)

        def to_pool(pool: ThreadPoolExecutor, function: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
            self.note("a pool of threads", function)
            return pool_submit(pool, function, *given, **named)

        def wait(call: Call[Any], seconds: float | None) -> None:
            self.note("the thread that waits", "what was waited for")
            join(call, seconds)

        def to_loop(loop: asyncio.BaseEventLoop, callback: Any, *given: Any, **named: Any) -> Any:
            self.note("event loop", callback)
            return back(loop, callback, *given, **named)

        with (
            mock.patch.object(Lane, "submit", lane_submit),
            mock.patch.object(ThreadPoolExecutor, "submit", to_pool),
            mock.patch.object(Call, "join", wait),
            mock.patch.object(asyncio.BaseEventLoop, "call_soon_threadsafe", to_loop),
        ):
            yield


async def follow(trace: Trace) -> None:
    """Send pictures through a session, one after the other, and watch the last."""
    settings = parse_settings({"fusion": {"fuser": "fake"}, "session": {"snapshot_interval_seconds": 0.0}})
    plugin = FakePlugin(
        analyzers={"face": (analyzer_info("face"), lambda: FakeAnalyzer("face"))}, fusers={"fake": FakeFuser}
    )
    host = PluginHost.from_plugins({"fakes": plugin}, settings)
    engine, gate, sinks = Engine(host, settings), Gate(settings.limits), Sinks(host)
    scheduler = Scheduler(engine, settings.limits)
    scheduler.start()
    answered = asyncio.Event()

    async def messages() -> AsyncIterator[pb.StreamSessionRequest]:
        yield pb.StreamSessionRequest(config=pb.SessionConfig())
        for number in range(PICTURES):
            answered.clear()
            trace.on = number == PICTURES - 1
            raw = pb.RawImage(data=bytes(64 * 48 * 3), width=64, height=48, format=pb.PIXEL_FORMAT_RGB)
            yield pb.StreamSessionRequest(frame=pb.Image(raw=raw, captured_at_seconds=float(number)))
            await answered.wait()
        trace.on = False

    holdings = Holdings(settings.limits)
    session = SessionStream(
        settings,
        host=host,
        gate=gate,
        holdings=holdings,
        scheduler=scheduler,
        sinks=sinks,
        caller="benchmark",
        kept=Kept(gate, seconds=0, most=1),
    )
    async for response in session.run(messages()):
        if response.WhichOneof("payload") == "update":
            trace.on = False
            answered.set()
    await scheduler.close()
    holdings.close()
    sinks.close()
    engine.close()
    host.close()


def _name(what: Any) -> str:
    while isinstance(what, functools.partial):
        what = what.func
    return what if isinstance(what, str) else getattr(what, "__qualname__", type(what).__name__)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    trace = Trace()
    with trace.installed():
        asyncio.run(follow(trace))
    table = Table(title=f"One picture: {len(trace.rows)} hand-overs (at most {MOST})")
    for column in ("", "from", "to", "what"):
        table.add_column(column)
    for number, row in enumerate(trace.rows, start=1):
        table.add_row(str(number), row["from"], row["to"], row["what"])
    Console().print(table)
    if options.json is not None:
        options.json.write_text(json.dumps({"handovers": trace.rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
