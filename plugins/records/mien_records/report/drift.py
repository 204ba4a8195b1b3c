"""What has changed about what a site sees: light, size, quality, how sure readings are, and what faces show.

A kiosk is commissioned once, and then somebody moves a lamp. Each measure of a site's visits is looked through for the
day from which it differs most from the time before, the first ``COMMISSIONING`` days among it (Welch's t, the largest
over all days; a bound of 5 leaves about one false alarm in ten thousand series). Small changes are none, however sure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mien_records.report.visits import Visit

COMMISSIONING: Final = timedelta(days=7)
"""Of a site's records: what things are compared with, whatever comes."""

MIN_VISITS: Final = 30
"""On either side of a change."""

SURE: Final = 5.0
"""Welch's t from which a change is one."""

BLOCK_HOURS: Final = 3
CONCENTRATED: Final = 1.5
"""A block of hours in which a change is so many times as large as over the whole day is named."""

MIX_CHANGE: Final = 10.0
"""Percentage points by which the share of an expression must change."""

Floats: TypeAlias = npt.NDArray[np.float64]


class Measure(StrEnum):
    """What is watched; the words are the keys of ``SessionSummary.conditions``."""

    BRIGHTNESS = "brightness"
    FACE_HEIGHT = "face_height"
    QUALITY = "quality"
    CONFIDENCE = "confidence"
    EXPRESSION = "expression"


LEAST: Final[Mapping[Measure, float]] = {
    Measure.BRIGHTNESS: 0.2,
    Measure.FACE_HEIGHT: 0.2,
    Measure.QUALITY: 0.15,
    Measure.CONFIDENCE: 0.15,
}
"""Share of what it was by which a measure must change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Something that has changed.

    Attributes:
        site: Where; empty where no site is named.
        measure: What.
        since: First day of the change.
        before: Mean up to then, [0, 1]; of an expression its share.
        after: Mean since then.
        hours: First and last hour of the day (from, to) in which it is mostly so; None where it is so all day.
        expression: Which, where the measure is EXPRESSION.
    """

    site: str
    measure: Measure
    since: date
    before: float
    after: float
    hours: tuple[int, int] | None = None
    expression: str = ""

    @property
    def change(self) -> float:
        """Share of what it was; of an expression, difference of its share."""
        return self.after - self.before if self.measure is Measure.EXPRESSION else self.after / self.before - 1.0


def drifts(visits: Sequence[Visit], zone: tzinfo | None) -> tuple[Drift, ...]:
    """All changes, the latest first.

    Args:
        visits: In order of time.
        zone: Whose days and hours; None is this machine's.
    """
    by_site: dict[str, list[Visit]] = {}
    for visit in visits:
        if visit.is_measured:
            by_site.setdefault(visit.site, []).append(visit)
    found = [drift for site, own in sorted(by_site.items()) for drift in _of_site(site, own, zone)]
    return tuple(sorted(found, key=lambda drift: drift.since, reverse=True))


def mix_change(before: Sequence[Visit], after: Sequence[Visit]) -> tuple[str, float, float] | None:
    """The expression whose share has changed most between two groups, with both shares; None where none has."""
    names = sorted({name for visit in (*before, *after) for name in visit.emotions})
    changed = []
    for name in names:
        one, other = (_shares(group, name) for group in (before, after))
        if min(len(one), len(other)) >= MIN_VISITS and abs(_welch(one, other)) >= SURE:
            changed.append((name, float(one.mean()), float(other.mean())))
    largest = max(changed, key=lambda each: abs(each[2] - each[1]), default=None)
    return largest if largest is not None and 100.0 * abs(largest[2] - largest[1]) >= MIX_CHANGE else None


def _of_site(site: str, visits: Sequence[Visit], zone: tzinfo | None) -> list[Drift]:
    found = []
    for measure in LEAST:
        drift = _of_measure(site, measure, visits, zone)
        if drift is not None and abs(drift.change) >= LEAST[measure]:
            found.append(drift)
    expression = _of_mix(site, visits, zone)
    return found if expression is None else [*found, expression]


def _of_measure(site: str, measure: Measure, visits: Sequence[Visit], zone: tzinfo | None) -> Drift | None:
    known = [visit for visit in visits if measure in visit.conditions]
    values = np.array([visit.conditions[measure] for visit in known])
    days = [visit.at.astimezone(zone).date() for visit in known]
    since = _changed_on(values, days)
    if since is None:
        return None
    later = np.array([day >= since for day in days])
    hours = np.array([visit.at.astimezone(zone).hour for visit in known])
    before, after = float(values[~later].mean()), float(values[later].mean())
    if before <= 0.0:
        return None
    where = _mostly(values, hours, later)
    return Drift(site=site, measure=measure, since=since, before=before, after=after, hours=where)


def _of_mix(site: str, visits: Sequence[Visit], zone: tzinfo | None) -> Drift | None:
    """The expression that has changed most, where one has."""
    showing = [visit for visit in visits if visit.emotions]
    days = [visit.at.astimezone(zone).date() for visit in showing]
    found: list[Drift] = []
    for name in sorted({name for visit in showing for name in visit.emotions}):
        values = _shares(showing, name)
        since = _changed_on(values, days)
        if since is None:
            continue
        later = np.array([day >= since for day in days])
        before, after = float(values[~later].mean()), float(values[later].mean())
        found.append(
            Drift(site=site, measure=Measure.EXPRESSION, since=since, before=before, after=after, expression=name)
        )
    largest = max(found, key=lambda drift: abs(drift.change), default=None)
    return largest if largest is not None and 100.0 * abs(largest.change) >= MIX_CHANGE else None


def _shares(visits: Sequence[Visit], name: str) -> Floats:
    return np.array([visit.emotions.get(name, 0.0) / 100.0 for visit in visits if visit.emotions])


def _changed_on(values: Floats, days: Sequence[date]) -> date | None:
    """The day from which the values differ most from those before; None where they do not surely."""
    if len(values) < 2 * MIN_VISITS:
        return None
    commissioned = days[0] + COMMISSIONING
    best, found = SURE, None
    for index in range(MIN_VISITS, len(values) - MIN_VISITS + 1):
        if days[index] == days[index - 1] or days[index] < commissioned:
            continue
        sureness = abs(_welch(values[:index], values[index:]))
        if sureness > best:
            best, found = sureness, days[index]
    return found


def _welch(one: Floats, other: Floats) -> float:
    """Welch's t of two means; 0 where neither side varies."""
    spread = one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)
    return float((other.mean() - one.mean()) / np.sqrt(spread)) if spread > 0.0 else 0.0


def _mostly(values: Floats, hours: npt.NDArray[np.int64], later: npt.NDArray[np.bool_]) -> tuple[int, int] | None:
    """The block of hours in which the change is much larger than over the day; None where there is none."""
    whole = float(values[later].mean() - values[~later].mean())
    blocks: list[tuple[float, int]] = []
    for start in range(24 - BLOCK_HOURS + 1):
        inside = (hours >= start) & (hours < start + BLOCK_HOURS)
        if min(int((inside & later).sum()), int((inside & ~later).sum())) < MIN_VISITS // 3:
            continue
        change = float(values[inside & later].mean() - values[inside & ~later].mean())
        blocks.append((change / whole if whole else 0.0, start))
    strength, start = max(blocks, default=(0.0, 0))
    return (start, start + BLOCK_HOURS) if strength >= CONCENTRATED else None
