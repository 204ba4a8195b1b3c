"""Milliseconds of the tone network at batch 1, 8 and 32, for 30-word utterances, text in and answer out.

Run ``python benchmarks/tone_latency.py --json -`` on an otherwise idle machine; figures of a busy one mean nothing.
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
    """Median and 95th percentile for one call with ``size`` texts."""
    texts = [f"{WORDS} {number}" for number in range(size)]
    network.predict(texts)
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        network.predict(texts)
        taken.append(1000 * (time.perf_counter() - started))
    return {"median": statistics.median(taken), "p95": sorted(taken)[int(0.95 * len(taken))]}


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
