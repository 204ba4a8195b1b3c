"""Milliseconds of the tone network at batch 1, 8 and 32, for 30-word utterances, text in and answer out.

Run ``python benchmarks/tone_latency.py --json -`` on an otherwise idle machine; on a busy one only the
processor time means something.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from mien_voice.tonenetwork import BATCH_SIZES, ToneNetwork

WORDS = (
    "I have been waiting for more than an hour and nobody at the desk could tell me where my order is which is "
    "really not what I expected from your shop"
)


def milliseconds(network: ToneNetwork, size: int, repeats: int) -> dict[str, float]:
    """For one call with ``size`` texts: median and 95th percentile by the clock, median of processor time."""
    texts = [f"{WORDS} {number}" for number in range(size)]
    network.predict(texts)
    taken, worked = [], []
    for _ in range(repeats):
        started, began = time.perf_counter(), time.process_time()
        network.predict(texts)
        taken.append(1000 * (time.perf_counter() - started))
        worked.append(1000 * (time.process_time() - began))
    return {
        "median": statistics.median(taken),
        "p95": sorted(taken)[int(0.95 * len(taken))],
        "processor": statistics.median(worked),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--json", default="-", help="file to write; - is standard output")
    options = parser.parse_args()
    started = time.perf_counter()
    network = ToneNetwork()
    loaded = time.perf_counter() - started
    network.warm_up()
    figures = {
        "load_seconds": loaded,
        "warm_up_seconds": time.perf_counter() - started - loaded,
        "milliseconds": {str(size): milliseconds(network, size, options.repeats) for size in BATCH_SIZES},
    }
    text = json.dumps(figures, indent=2)
    if options.json == "-":
        print(text)
    else:
        Path(options.json).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
