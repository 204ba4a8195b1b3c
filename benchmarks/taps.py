"""How often the interval for all customers, made from few taps and all scores, holds the truth, and how wide it is.

    python benchmarks/taps.py [--repeats 2000] [--seed 1]

Simulated sites: customers are satisfied or not, scores follow that well, poorly, not at all, or well but far too low,
and a random few tap. Nominal is 90 %. ``worst`` is the greatest width over that of the taps' own interval.
"""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from rich.table import Table

from mien_records.report.intervals import Tally
from mien_records.report.taps import prediction_powered

SCORES = {"good": (0.0, 1.6), "poor": (0.0, 0.6), "useless": (0.0, 0.0), "biased": (-1.5, 1.6)}
"""Shift of the score's log-odds, and how far apart satisfied and dissatisfied are on it."""


def simulate(
    number: int, visits: int, share: float, kind: str, *, repeats: int, seed: int
) -> tuple[float, float, float, float]:
    """Coverage of the interval and of the taps' own; mean and greatest ratio of their widths."""
    shift, apart = SCORES[kind]
    random = np.random.default_rng(seed)
    covered = own_covered = 0
    ratios = []
    for _ in range(repeats):
        answers = (random.random(visits) < share).astype(float)
        scores = 1 / (1 + np.exp(-(shift + apart * (2 * answers - 1) + random.normal(0, 1.0, visits))))
        tapped = answers[:number].tolist()
        found, _ = prediction_powered(tapped, scores[:number], scores[number:])
        own = Tally(int(sum(tapped)), number).estimate()
        covered += found.low <= share <= found.high
        own_covered += own.low <= share <= own.high
        ratios.append((found.high - found.low) / (own.high - own.low))
    return covered / repeats, own_covered / repeats, float(np.mean(ratios)), max(ratios)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    table = Table("scores", "taps", "visits", "satisfied", "coverage", "of taps alone", "width, mean", "worst")
    every = []
    for kind in SCORES:
        for number, visits in ((20, 400), (50, 1000), (200, 4000)):
            for share in (0.5, 0.75, 0.9):
                found = simulate(number, visits, share, kind, repeats=options.repeats, seed=options.seed)
                every.append(found)
                row = (f"{found[0]:.3f}", f"{found[1]:.3f}", f"{found[2]:.2f}", f"{found[3]:.2f}")
                table.add_row(kind, str(number), str(visits), f"{share:g}", *row)
    Console().print(table)
    mean = np.mean([each[:2] for each in every], axis=0)
    print(f"mean coverage {mean[0]:.3f}, of taps alone {mean[1]:.3f}")


if __name__ == "__main__":
    main()
