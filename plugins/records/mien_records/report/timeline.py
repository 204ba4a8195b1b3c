"""Time cut into spans that suit the period: hours, days, weeks or months of the reader's calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum


class Grain(StrEnum):
    """How long one span is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """One stretch of the calendar: from ``start`` (with its time zone) to before ``end``."""

    start: datetime
    end: datetime
    grain: Grain

    @property
    def label(self) -> str:
        """For a person: ``14:00``, ``3 Nov``, ``week of 3 Nov``, ``Nov 2026``."""
        day = f"{self.start.day} {self.start:%b}"
        match self.grain:
            case Grain.HOUR:
                return f"{day}, {self.start:%H:%M}"
            case Grain.DAY:
                return f"{self.start:%a} {day}"
            case Grain.WEEK:
                return f"week of {day}"
            case Grain.MONTH:
                return f"{self.start:%b %Y}"


def spans_of(times: Sequence[datetime], zone: tzinfo | None, *, grain: Grain | None = None) -> list[Span]:
    """The span that each time lies in; their length follows from the whole period, unless it is given.

    Args:
        times: With time zones.
        zone: Whose calendar; None is this machine's.
        grain: How long a span is.
    """
    if not times:
        return []
    length = grain or _grain(max(times) - min(times))
    return [_span(time.astimezone(zone).replace(tzinfo=None), length, zone) for time in times]


def _grain(period: timedelta) -> Grain:
    if period <= timedelta(hours=36):
        return Grain.HOUR
    if period <= timedelta(days=62):
        return Grain.DAY
    return Grain.WEEK if period <= timedelta(days=548) else Grain.MONTH


def _span(wall: datetime, grain: Grain, zone: tzinfo | None) -> Span:
    """The span that a wall clock's time lies in."""
    start = wall.replace(minute=0, second=0, microsecond=0)
    if grain is not Grain.HOUR:
        start = start.replace(hour=0)
    if grain is Grain.WEEK:
        start -= timedelta(days=start.weekday())
    if grain is Grain.MONTH:
        start = start.replace(day=1)
    match grain:
        case Grain.HOUR:
            end = start + timedelta(hours=1)
        case Grain.DAY:
            end = start + timedelta(days=1)
        case Grain.WEEK:
            end = start + timedelta(days=7)
        case Grain.MONTH:
            end = (start + timedelta(days=32)).replace(day=1)
    return Span(_in_zone(start, zone), _in_zone(end, zone), grain)


def _in_zone(wall: datetime, zone: tzinfo | None) -> datetime:
    return wall.astimezone() if zone is None else wall.replace(tzinfo=zone)
