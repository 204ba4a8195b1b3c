"""What somebody should do something about, in sentences; the most pressing first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, Final

from mien import ConfigError
from mien_records.report.drift import Drift, Measure, mix_change
from mien_records.report.figures import Figures
from mien_records.report.visits import Visit
from mien_records.report.wording import NOTHING as DASH
from mien_records.report.wording import percent, points_of

OLD_DAYS: Final = 90
"""A calibration that is older is told of."""

MOSTLY_UNDECIDED: Final = 0.6
_RESPONSE: Final = 0.02

_MEASURES: Final[Mapping[Measure, tuple[str, str, str]]] = {
    Measure.BRIGHTNESS: (
        "pictures are {change} darker",
        "pictures are {change} brighter",
        "look at lamps and daylight",
    ),
    Measure.FACE_HEIGHT: (
        "faces are {change} smaller",
        "faces are {change} larger",
        "was the camera or the counter moved?",
    ),
    Measure.QUALITY: (
        "pictures are {change} poorer",
        "pictures are {change} better",
        "is the lens clean and in focus?",
    ),
    Measure.CONFIDENCE: (
        "readings are {change} less sure",
        "readings are {change} surer",
        "look at light and distance",
    ),
}
"""Down, up, and what to look at."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """When a site's calibration was made, as the configuration says."""

    fitted_on: date
    sessions: int = 0


def calibration_of(table: Mapping[str, Any]) -> Calibration | None:
    """The calibration in a table ``[plugins.fusion]``; None where there is none, or none with a date.

    Raises:
        ConfigError: Its date is none.
    """
    found = table.get("calibration")
    when = found.get("fitted_on") if isinstance(found, Mapping) else None
    if isinstance(when, str):
        try:
            when = date.fromisoformat(when)
        except ValueError as error:
            raise ConfigError(
                f"[plugins.fusion.calibration] fitted_on must be a day such as 2026-03-17, got {when!r}"
            ) from error
    return Calibration(when) if isinstance(when, date) else None


def alerts(
    figures: Figures,
    *,
    visits: Sequence[Visit],
    zone: tzinfo | None,
    now: datetime,
    calibration: Calibration | None = None,
) -> list[str]:
    """Sentences for a person.

    Args:
        figures: Of the report.
        visits: All that there are, those before the report's own among them.
        zone: Time zone for days.
        now: When the report is made.
        calibration: The one in use.
    """
    found = [
        *_change(figures),
        *_readings_off(figures),
        *_places(figures),
        *(drift_words(drift) for drift in figures.drifts),
    ]
    if calibration is not None:
        found += _calibration(calibration, visits, now)
    measured = len(figures.measured)
    undecided = measured - figures.decided
    if figures.is_shown and measured and undecided / measured > MOSTLY_UNDECIDED:
        found.append(
            f"{percent(undecided, measured)} of the visits are undecided: what is said of the others is said of a few. "
            "Look at light, distance and, where customers speak, at the microphone."
        )
    if figures.taps is not None and figures.taps.everybody is None and figures.is_shown:
        found.append(
            f"Only {figures.taps.own.count} customers tapped a rating; with 20 the readings can be held to them."
        )
    elif figures.taps is not None and figures.taps.response_rate < _RESPONSE:
        found.append("Fewer than 2 in 100 customers tap a rating: those who do may not be like the others.")
    return found


def drift_words(drift: Drift) -> str:
    """A sentence such as ``Pictures are 40 % darker since 3 Mar 2026, mostly 15-18 h: look at lamps and daylight.``."""
    since = f"since {drift.since.day} {drift.since:%b %Y}"
    where = f"At {drift.site}, " if drift.site else ""
    if drift.measure is Measure.EXPRESSION:
        after, before = points_of(drift.after), points_of(drift.before)
        said = f"“{drift.expression}” is read in {after} % of pictures, {before} % before"
        return _sentence(f"{where}{said}, {since}: other customers, or another view of them?")
    down, up, hint = _MEASURES[drift.measure]
    change = f"{100 * abs(drift.change):.0f} %"
    said = (down if drift.change < 0 else up).format(change=change)
    mostly = f", mostly {drift.hours[0]}{DASH}{drift.hours[1]} h" if drift.hours else ""
    return _sentence(f"{where}{said} {since}{mostly}: {hint}" + ("" if hint.endswith("?") else "."))


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _change(figures: Figures) -> list[str]:
    change = figures.change
    if change is None or change.high >= 0:
        return []
    return [
        f"CSAT has fallen by {-100 * change.mean:.0f} points "
        f"({-100 * change.high:.0f} to {-100 * change.low:.0f} with 90 % certainty)."
    ]


def _readings_off(figures: Figures) -> list[str]:
    """Where what is read and what is tapped differ by more than either may be off."""
    taps = figures.taps
    if figures.csat is None or taps is None or taps.everybody is None:
        return []
    read, tapped = figures.csat, taps.everybody
    if read.low <= tapped.high and tapped.low <= read.high:
        return []
    kind = "too kind" if read.mean > tapped.mean else "too strict"
    return [
        f"{points_of(read.mean)} % of the decided visits are read as good, and {points_of(tapped.mean)} % of customers "
        f"would tap 4 or 5: readings may be {kind} here. “mien fusion calibrate” fits them to the taps."
    ]


def _places(figures: Figures) -> list[str]:
    return [
        f"{cell.name} is {-100 * cell.apart.mean:.0f} points below the other sites "
        f"({-100 * cell.apart.high:.0f} to {-100 * cell.apart.low:.0f})."
        for cell in figures.sites.shown
        if cell.apart is not None and cell.apart.mean < 0
    ]


def _calibration(calibration: Calibration, visits: Sequence[Visit], now: datetime) -> list[str]:
    found = []
    day = calibration.fitted_on
    age = (now.date() - day).days
    if age > OLD_DAYS:
        found.append(f"The calibration is {age} days old ({day.day} {day:%b %Y}): fit it anew to this season's taps.")
    since = datetime.combine(day, time(), tzinfo=UTC)
    changed = mix_change([each for each in visits if each.at < since], [each for each in visits if each.at >= since])
    if changed is not None:
        name, before, after = changed
        found.append(
            f"Since the calibration of {day.day} {day:%b %Y} the mix of visitors has changed: “{name}” is read in "
            f"{points_of(after)} % of pictures, {points_of(before)} % before. Its scores may be off; fit it anew."
        )
    return found
