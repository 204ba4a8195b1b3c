"""The worst and the best hours of the week, and what several customers said in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from mien_records.report.grouping import Cell, cells_of, grouped
from mien_records.report.visits import Visit
from mien_records.report.wording import NOTHING as DASH

MIN_SAYERS: Final = 3
"""A word is shown where so many visits of the hour had it."""

EXTREME_HOURS: Final = 3
"""So many of the worst hours are shown, and of the best."""
WORDS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the week: its figures, and words that several of its visits had."""

    cell: Cell
    words: tuple[tuple[str, int], ...] = ()


def extreme_hours(measured: Sequence[Visit], zone: tzinfo | None) -> tuple[tuple[Hour, ...], tuple[Hour, ...]]:
    """The hours of the week with the lowest CSAT, the lowest first, and those with the highest."""

    def hour_of(visit: Visit) -> tuple[int, int]:
        local = visit.at.astimezone(zone)
        return local.weekday(), local.hour

    groups = grouped(measured, hour_of)
    names = {_weekday_hour(key): group for key, group in groups.items()}
    cells = [cell for cell in cells_of(groups, _weekday_hour).shown if cell.csat is not None]
    cells.sort(key=lambda cell: cell.csat.mean if cell.csat else 0.0)
    half = min(EXTREME_HOURS, len(cells) // 2)
    worst = tuple(Hour(cell, _words(names[cell.name])) for cell in cells[:half])
    best = tuple(Hour(cell, _words(names[cell.name])) for cell in reversed(cells[len(cells) - half :]))
    return worst, best


def _words(visits: Sequence[Visit]) -> tuple[tuple[str, int], ...]:
    """What several visits of a group said, the most frequent first; little words are left out."""
    counts = Counter(word for visit in visits for word in visit.words if word not in LITTLE_WORDS)
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((word, count) for word, count in frequent if count >= MIN_SAYERS)[:WORDS_SHOWN]


_LITTLE: Final = """
about after again all and any are because been before but can could did does doing don't down each few for from get got
had has have having her here him his how i'm into it's its just like more most not now off once one only other our out
over own please same she should some such than that that's the their them then there these they this those through too
under until very want was were what when where which while who why will with would yes you your yours
"""
LITTLE_WORDS: Final = frozenset(_LITTLE.split())
"""English words that tell nothing of a visit."""

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hour_name(hour: int) -> str:
    """The hour from then on, for a person."""
    return f"{hour}{DASH}{hour + 1} h"


def _weekday_hour(key: tuple[int, int]) -> str:
    return f"{_DAYS[key[0]]} {hour_name(key[1])}"
