"""The report as a table, one row a figure, for spreadsheets: what the page shows, and nothing of few visits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mien import Verdict
from mien_records.report.figures import Figures
from mien_records.report.grouping import Cells
from mien_records.report.intervals import Estimate

COLUMNS: Final = ("part", "name", "visits", "decided", "share", "low", "high", "score", "differs")
"""``share`` with its 90 % interval is CSAT, or what the part says; ``differs`` is against all others, beyond chance."""


def table(figures: Figures, alerts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The rows, the header first."""
    yield COLUMNS
    if not figures.is_shown:
        return
    score = "" if figures.score is None else _number(figures.score.mean)
    yield "csat", "all visits", str(figures.visits), str(figures.decided), *_estimate(figures.csat), score, ""
    taps = figures.taps
    if taps is not None and figures.csat is not None and taps.everybody is not None:
        yield "taps", "tapped 4 or 5", str(taps.visits), str(taps.own.count), *_estimate(taps.own), "", ""
        yield "taps", "would tap 4 or 5", str(taps.visits), "", *_estimate(taps.everybody), "", ""
    for verdict in Verdict:
        share = figures.verdicts[verdict] / figures.visits
        yield "verdict", verdict.value, str(figures.verdicts[verdict]), "", _number(share), "", "", "", ""
    for part, cells in (
        ("time", figures.spans),
        ("week", figures.weeks),
        ("hour", figures.hours),
        ("site", figures.sites),
        ("phase", figures.phases),
    ):
        yield from _cells(part, cells)
    for name, percent in figures.emotions:
        yield "expression", name, "", "", _number(percent / 100.0), "", "", "", ""
    for alert in alerts:
        yield "alert", alert, *[""] * (len(COLUMNS) - 2)


def _cells(part: str, cells: Cells) -> Iterator[tuple[str, ...]]:
    for cell in cells.shown:
        decided = "" if cell.csat is None else str(cell.csat.count)
        score = "" if cell.score is None else _number(cell.score)
        apart = "" if cell.apart is None else f"{cell.apart.mean:+.4f}"
        yield part, cell.name, str(cell.visits), decided, *_estimate(cell.csat), score, apart


def _estimate(found: Estimate | None) -> tuple[str, str, str]:
    return ("", "", "") if found is None else (_number(found.mean), _number(found.low), _number(found.high))


def _number(value: float) -> str:
    return f"{value:.4f}"
