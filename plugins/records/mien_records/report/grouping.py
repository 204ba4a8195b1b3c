"""Visits in groups: places, hours, weeks, phases. What is too small to be shown is counted, and not shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, TypeVar

from mien import Verdict
from mien_records.report.intervals import Estimate, Tally, different
from mien_records.report.visits import Visit

MIN_CELL: Final = 10
"""Nothing is shown of fewer visits."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Cell:
    """One group of visits that is shown.

    Attributes:
        name: What its visits have in common.
        visits: How many.
        csat: Of the decided ones; None where those are fewer than ``MIN_CELL``.
        score: Mean score, [0, 1]; None where nobody was measured.
        apart: Its CSAT less that of all others together, where they differ beyond chance.
    """

    name: str
    visits: int
    csat: Estimate | None
    score: float | None
    apart: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Cells:
    """Groups in their order, and how many were too small to be shown, with how many visits."""

    shown: tuple[Cell, ...] = ()
    hidden: int = 0
    hidden_visits: int = 0


def tally(visits: Iterable[Visit]) -> Tally:
    """Good ones among the decided."""
    verdicts = Counter(visit.satisfaction.verdict for visit in visits)
    return Tally(verdicts[Verdict.GOOD], verdicts[Verdict.GOOD] + verdicts[Verdict.POOR])


def csat_of(visits: Iterable[Visit]) -> Estimate | None:
    """CSAT of visits; None where fewer than ``MIN_CELL`` were decided."""
    found = tally(visits)
    return found.estimate() if found.count >= MIN_CELL else None


def cells_of(groups: Mapping[Key, Sequence[Visit]], name: Callable[[Key], str]) -> Cells:
    """Groups as they may be shown, in the order of their keys, each held against all others."""
    large = {key: group for key, group in sorted(groups.items()) if len(group) >= MIN_CELL}
    decided = {name(key): found for key, group in large.items() if (found := tally(group)).count >= MIN_CELL}
    apart = different(decided) if len(decided) > 1 else {}
    shown = tuple(
        Cell(
            name(key),
            len(group),
            decided[name(key)].estimate() if name(key) in decided else None,
            fmean(visit.score for visit in group),
            apart.get(name(key)),
        )
        for key, group in large.items()
    )
    small = [len(group) for key, group in groups.items() if key not in large]
    return Cells(shown, len(small), sum(small))


def best_first(cells: Cells) -> Cells:
    """The same, the best first."""
    shown = sorted(cells.shown, key=lambda cell: -(cell.csat.mean if cell.csat else -1.0))
    return Cells(tuple(shown), cells.hidden, cells.hidden_visits)


def phase_cells(measured: Sequence[Visit]) -> Cells:
    """By the verdict of each phase; the order is that of the first visits that had them."""
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for visit in measured:
        for name, verdict in visit.phases.items():
            verdicts[name].append(verdict)
    if len(verdicts) < 2:
        return Cells()
    large = {name: found for name, found in verdicts.items() if len(found) >= MIN_CELL}
    decided = {
        name: Tally(found.count(Verdict.GOOD), len(found) - found.count(Verdict.UNDECIDED))
        for name, found in large.items()
    }
    shown = tuple(
        Cell(name, len(found), decided[name].estimate() if decided[name].count >= MIN_CELL else None, None)
        for name, found in large.items()
    )
    small = [len(found) for name, found in verdicts.items() if name not in large]
    return Cells(shown, len(small), sum(small))


def grouped(visits: Iterable[Visit], key: Callable[[Visit], Key]) -> dict[Key, list[Visit]]:
    """Key -> visits."""
    groups: dict[Key, list[Visit]] = defaultdict(list)
    for visit in visits:
        groups[key(visit)].append(visit)
    return dict(groups)
