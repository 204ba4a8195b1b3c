"""Whether customers who follow each other become visits of their own: splits, merges, delays and lengths.

    python benchmarks/queues.py portraits.parquet scenes.parquet [--queues 72] [--first 0] [--cache FILE] [--out FILE]

Composed queues of three customers each: portraits laid with soft edges over blurred scenes, 640 x 480, four pictures
a second. Customers arrive from a side, from behind or at once, sway, turn away (the head without a face) or are
hidden by somebody who walks by or holds something up, and leave, with 0 to 10 seconds between two. Some bring a
companion, some wait in sight behind who is being served. Every picture is analysed by the shipped detector and
network; those results go, thinned to each pace, through a real kiosk with its tracker, session and policy. That takes
minutes, so that ``--drawn`` leaves pictures out: boxes come from the drawing itself, trembling by 4 % of their size
and missed once in twenty times. Who is who is known from the drawing alone: nothing is recognised. A **merge** is a
visit that counted two customers for 1.5 s or more each, a **split** a customer who has two visits of 1.5 s or more,
**missed** one who has none, the **delay** the time from when the next one stood at the counter, and the one before
was gone, to the visit's end. Nothing of it is a test.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import fmean, median
from typing import Final

import cv2
import numpy as np
from queueing.following import followed
from queueing.judging import Found, judge
from queueing.people import make_queue
from queueing.seeing import analysed, drawn
from rich.console import Console
from rich.table import Table

from mien.config import Settings

PACES: Final = (0.25, 0.5, 1.0)
"""Seconds between two pictures that the kiosk analyses."""


def main() -> None:
    """Compose, follow, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portraits", type=Path, nargs="?")
    parser.add_argument("scenes", type=Path, nargs="?")
    parser.add_argument("--drawn", action="store_true", help="Boxes from the drawing, no pictures.")
    parser.add_argument("--queues", type=int, default=72)
    parser.add_argument("--first", type=int, default=0, help="Number of the first queue.")
    parser.add_argument("--cache", type=Path, help="What was analysed is kept there.")
    parser.add_argument("--out", type=Path, help="JSON of the figures.")
    parser.add_argument("--verbose", action="store_true", help="Name each split and merge.")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.perf_counter()
    numbers = range(options.first, options.first + options.queues)
    if options.drawn:
        seen = drawn(numbers)
    elif options.portraits is None or options.scenes is None:
        parser.error("give portraits.parquet and scenes.parquet, or --drawn")
    else:
        seen = analysed(numbers, options.portraits, options.scenes, options.cache)
    table = Table(
        "pace, s", "customers", "visits", "merges", "splits", "missed", "of strangers", "delay, s", "length off, s"
    )
    figures = {}
    for pace in PACES:
        found = Found()
        for number in numbers:
            judge(found, followed(make_queue(number), seen[number], pace, Settings()), pace)
        counts = (found.customers, found.visits, found.merges, found.splits, found.missed, found.strangers)
        delay = (median(found.delays), float(np.percentile(found.delays, 90))) if found.delays else (0.0, 0.0)
        off = fmean(map(abs, found.lengths)) if found.lengths else 0.0
        table.add_row(f"{pace:g}", *map(str, counts), f"{delay[0]:.2f}, 90 % {delay[1]:.2f}", f"{off:.2f}")
        names = ("customers", "visits", "merges", "splits", "missed", "strangers")
        figures[f"{pace:g}"] = {**dict(zip(names, counts, strict=True)), "delay": delay, "length_off": off}
        if options.verbose:
            print(*found.bad, sep="\n")
    Console().print(table)
    print(f"{len(numbers)} queues in {time.perf_counter() - began:.0f} s")
    if options.out is not None:
        options.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
