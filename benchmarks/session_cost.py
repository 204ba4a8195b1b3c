"""What a session costs: microseconds a push and bytes a session, by its length; and ten thousand sessions at once.

    python benchmarks/session_cost.py [--json FILE]

A push is a snapshot with one face, and every tenth an utterance, into a session with the default fuser. Time is CPU
time, median and 95th percentile over blocks of pushes, which other work on the machine disturbs little; bytes are those
of all objects that only the session holds, and for the ten thousand what the process holds (resident). Nothing here is
a test.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
import time
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from mien import Box, FaceRegion, Prediction, SampleKind, TimeInterval
from mien.session import Observation, Session, SessionConfig
from mien_fusion.weighted_sum import WeightedSum

LENGTHS: Final = (10, 1_000, 100_000)
SESSIONS: Final = 10_000
PUSHES_EACH: Final = 5
BLOCK: Final = 100
LABELS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

FUSER: Final = WeightedSum()
SHARED_TYPES: Final = (type, ModuleType, FunctionType, BuiltinFunctionType, str, Enum, WeightedSum)

Row = dict[str, Any]


def observation(number: int) -> Observation:
    """The number-th thing that happens: a snapshot a second, every tenth an utterance."""
    at = float(number)
    is_utterance = number % 10 == 9
    top = LABELS[number % len(LABELS)]
    prediction = Prediction(
        modality="voice" if is_utterance else "face",
        emotions={label: 0.4 if label == top else 0.1 for label in LABELS},
        valence=0.0,
        satisfaction=0.5 + 0.4 * ((number * 37) % 100 - 50) / 50,
        confidence=0.8,
        interval=TimeInterval(at, at),
        subject_id="" if is_utterance else "track-1",
        evidence=None if is_utterance else FaceRegion(box=Box(270, 190, 100, 100), quality=0.9),
    )
    kind = SampleKind.AUDIO if is_utterance else SampleKind.IMAGE
    return Observation(kind=kind, at=at, predictions=(prediction,), frame_size=(640, 480))


def new_session() -> Session:
    """A session that does not end by itself."""
    config = SessionConfig(max_snapshots=10**9, expected_modalities=frozenset({"face", "voice"}))
    return Session(config, FUSER)


def cost(length: int) -> Row:
    """Time of the pushes into one session of this length, and the memory that it holds after them."""
    followed = new_session()
    taken = []
    for start in range(0, length, BLOCK):
        block = [observation(number) for number in range(start, min(start + BLOCK, length))]
        began = time.process_time()
        for each in block:
            followed.push(each, now=each.at)
        taken.append((time.process_time() - began) * 1e6 / len(block))
    return {
        "pushes": length,
        "microseconds_median": float(np.median(taken)),
        "microseconds_p95": float(np.percentile(taken, 95)),
        "bytes": held_by(followed, shared=(followed.config,)),
    }


def held_by(root: object, *, shared: tuple[object, ...]) -> int:
    """Bytes of an object and all that only it holds on to; classes, functions, modules and ``shared`` do not count."""
    seen = {id(each) for each in shared}
    waiting, total = [root], 0
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, SHARED_TYPES):
            continue
        seen.add(id(each))
        total += sys.getsizeof(each)
        waiting.extend(gc.get_referents(each))
    return total


def many() -> Row:
    """Ten thousand sessions in this process, pushed to in turn."""
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    sessions = [new_session() for _ in range(SESSIONS)]
    pushes = [observation(number) for number in range(PUSHES_EACH)]
    began = time.process_time()
    for each in pushes:
        for followed in sessions:
            followed.push(each)
    seconds = time.process_time() - began
    held = process.memory_info().rss - before
    return {
        "sessions": len(sessions),
        "pushes": len(sessions) * len(pushes),
        "pushes_per_cpu_second": len(sessions) * len(pushes) / seconds,
        "resident_megabytes": held / 1e6,
        "bytes_per_session": held / len(sessions),
    }


def main() -> None:
    """Measure, show, and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    machine = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }
    rows = [cost(length) for length in LENGTHS]
    crowd = many()
    table = Table("pushes", "µs a push, median", "95th percentile", "bytes a session", title=f"{machine}")
    for row in rows:
        table.add_row(
            f"{row['pushes']:,}",
            f"{row['microseconds_median']:.0f}",
            f"{row['microseconds_p95']:.0f}",
            f"{row['bytes']:,}",
        )
    console = Console(width=110)
    console.print(table)
    console.print(
        f"{crowd['sessions']:,} sessions at once: {crowd['pushes_per_cpu_second']:,.0f} pushes per CPU second, "
        f"{crowd['resident_megabytes']:.0f} MB resident, {crowd['bytes_per_session']:,.0f} bytes a session"
    )
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "sessions": rows, "many": crowd}, indent=2) + "\n")


if __name__ == "__main__":
    main()
