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


def spans_of(times: Sequence[datetime], zone: tzinfo | None) -> list[Span]:
    """The span that each time lies in; their length follows from the whole period.

    Args:
        times: With time zones.
        zone: Whose calendar; None is this machine's.
    """
    if not times:
        return []
    grain = _grain(max(times) - min(times))
    return [_span(time.astimezone(zone), grain) for time in times]


def _grain(period: timedelta) -> Grain:
    if period <= timedelta(hours=36):
        return Grain.HOUR
    if period <= timedelta(days=62):
        return Grain.DAY
    return Grain.WEEK if period <= timedelta(days=548) else Grain.MONTH


def _span(time: datetime, grain: Grain) -> Span:
    hour = time.replace(minute=0, second=0, microsecond=0)
    if grain is Grain.HOUR:
        return Span(hour, hour + timedelta(hours=1), grain)
    day = hour.replace(hour=0)
    if grain is Grain.DAY:
        return Span(day, day + timedelta(days=1), grain)
    if grain is Grain.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Span(monday, monday + timedelta(days=7), grain)
    first = day.replace(day=1)
    return Span(first, (first + timedelta(days=32)).replace(day=1), grain)
