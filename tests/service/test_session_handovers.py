"""How often a picture goes from thread to thread: counted by the benchmark, held here."""

from __future__ import annotations

import importlib.util
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "session_handovers.py"


async def test_a_picture_changes_hands_eight_times_at_most() -> None:
    spec = importlib.util.spec_from_file_location("session_handovers", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    trace = benchmark.Trace()
    with trace.installed():
        await benchmark.follow(trace)
    assert 0 < len(trace.rows) <= benchmark.MOST == 8, trace.rows
