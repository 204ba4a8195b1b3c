"""``mien report``: options, files and exit codes; the work is elsewhere in this package."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mien import PluginContext, records
    from mien_records.report.page import Options
    from mien_records.report.visits import Visit, Visits


Results = Annotated[
    list[Path],
    typer.Argument(metavar="RESULTS...", help="JSON lines or SQLite databases, as the sinks or --json write them."),
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page there.", show_default=False)]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE", help="Write the figures there, as a table.", show_default=False),
]
VisitsCsv = Annotated[
    Path | None,
    typer.Option(
        "--visits-csv", metavar="FILE", help="Write a table with one row a visit, to the minute.", show_default=False
    ),
]
Title = Annotated[str, typer.Option(metavar="TEXT", help="Title of the page.")]
Timezone = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="For days and hours, such as Europe/Berlin; this machine's otherwise.", show_default=False
    ),
]
Week = Annotated[
    bool, typer.Option("--week", help="Only the last whole week, Monday to Sunday, against the four before it.")
]
WeekOf = Annotated[
    str,
    typer.Option(
        "--week-of", metavar="DATE", help="The same of the week that a day (2026-11-16) is in.", show_default=False
    ),
]
Words = Annotated[
    bool, typer.Option("--words", help="Show words that several customers said, where they were recorded.")
]
SingleVisits = Annotated[bool, typer.Option("--single-visits", help="List poor visits one by one, to the minute.")]

WEEKS_BEFORE = 4
"""That a week is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wishes:
    """What the command line said, checked."""

    html: Path | None
    csv: Path | None
    visits_csv: Path | None
    title: str
    zone: tzinfo | None
    week: date | None
    words: bool
    single_visits: bool


def register(app: typer.Typer, parts: PluginContext) -> None:
    """Add ``mien report`` to the command line; it reads the run's configuration from ``parts``."""

    def report(
        results: Results,
        html: Html = None,
        csv: Csv = None,
        visits_csv: VisitsCsv = None,
        title: Title = "Customer satisfaction",
        timezone: Timezone = "",
        week: Week = False,
        week_of: WeekOf = "",
        words: Words = False,
        single_visits: SingleVisits = False,
    ) -> None:
        """Make a page for people, or a table, from recorded results or from what mien kiosk --json printed.

        Exit code 0: done. 1: some lines or files could not be read; each is named, the rest was finished. 2: wrong
        usage.
        """
        if html is None and csv is None and visits_csv is None:
            raise typer.BadParameter("give --html FILE, --csv FILE, or both", param_hint="--html")
        zone = _zone(timezone)
        wishes = _Wishes(
            html=html,
            csv=csv,
            visits_csv=visits_csv,
            title=title,
            zone=zone,
            week=_monday(zone, week=week, week_of=week_of),
            words=words,
            single_visits=single_visits,
        )
        problems = _make(results, wishes, parts)
        for problem in problems:
            typer.echo(f"mien: {problem}", err=True)
        if problems:
            raise typer.Exit(1)

    app.command("report")(report)


def _make(results: list[Path], wishes: _Wishes, parts: PluginContext) -> list[str]:
    """Write what was asked for; what could not be read is returned."""
    from mien_records.files import csv_line
    from mien_records.report.cells import table
    from mien_records.report.page import build_page, reported
    from mien_records.report.reading import Reader
    from mien_records.report.visits import collect

    reader = Reader()
    collected, chosen = collect(reader.read(results), words=wishes.words)
    before: tuple[Visit, ...] = ()
    if wishes.week is not None:
        collected, before = _of_week(collected, wishes.week, wishes.zone)
        chosen = [record for record in chosen if _is_in(record.recorded_at, wishes.week, wishes.zone)]
    options = _options(wishes, parts, before)
    if wishes.html is not None:
        _write(wishes.html, build_page(collected, reader.files, options).encode("utf-8", "replace"), "--html")
    if wishes.csv is not None:
        _write(wishes.csv, b"".join(csv_line(row) for row in table(*reported(collected, options))), "--csv")
    if wishes.visits_csv is not None:
        _write(wishes.visits_csv, _table(chosen), "--visits-csv")
    return reader.problems


def _options(wishes: _Wishes, parts: PluginContext, before: Sequence[Visit]) -> Options:
    from mien import records
    from mien_records.report.alerts import calibration_of
    from mien_records.report.page import Options

    options = Options(
        title=wishes.title,
        made_at=records.now(),
        zone=wishes.zone,
        pairs=parts.configuration.fusion.mismatch_pairs,
        before=before,
        with_words=wishes.words,
        single_visits=wishes.single_visits,
        calibration=calibration_of(parts.settings("fusion")),
    )
    return options if wishes.week is None else replace(options, against=f"the {WEEKS_BEFORE} weeks before")


def _of_week(collected: Visits, monday: date, zone: tzinfo | None) -> tuple[Visits, tuple[Visit, ...]]:
    """The visits of a week, and those of the weeks before it."""
    inside = tuple(visit for visit in collected.visits if _is_in(visit.at, monday, zone))
    earliest = monday - timedelta(weeks=WEEKS_BEFORE)
    before = tuple(visit for visit in collected.visits if earliest <= visit.at.astimezone(zone).date() < monday)
    return replace(collected, visits=inside), before


def _is_in(moment: datetime, monday: date, zone: tzinfo | None) -> bool:
    return monday <= moment.astimezone(zone).date() < monday + timedelta(weeks=1)


def _monday(zone: tzinfo | None, *, week: bool, week_of: str) -> date | None:
    """The first day of the week that was asked for."""
    if week_of:
        try:
            day = date.fromisoformat(week_of)
        except ValueError:
            raise typer.BadParameter(
                f"expected a day such as 2026-11-16, got {week_of!r}", param_hint="--week-of"
            ) from None
        return day - timedelta(days=day.weekday())
    if not week:
        return None
    today = datetime.now(UTC).astimezone(zone).date()
    return today - timedelta(days=today.weekday() + 7)


def _zone(name: str) -> tzinfo | None:
    if not name:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"there is no time zone {name!r}", param_hint="--timezone") from error


def _table(chosen: list[records.Record]) -> bytes:
    from mien_records.files import csv_line
    from mien_records.table import columns_for, row

    columns = columns_for(chosen)
    return csv_line(columns) + b"".join(csv_line(row(record, columns)) for record in chosen)


def _write(path: Path, content: bytes, option: str) -> None:
    from mien import ConfigError

    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{option}: cannot write {path}: {error.strerror}") from error
