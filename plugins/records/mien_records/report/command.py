"""``mien report``: options, files and exit codes; the work is elsewhere in this package."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mien import MismatchPair, PluginContext, records


Results = Annotated[
    list[Path],
    typer.Argument(metavar="RESULTS...", help="JSON lines or SQLite databases, as the sinks or --json write them."),
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page there.", show_default=False)]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE", help="Write a table with one row a visit there.", show_default=False),
]
Title = Annotated[str, typer.Option(metavar="TEXT", help="Title of the page.")]
Timezone = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="For days and hours, such as Europe/Berlin; this machine's otherwise.", show_default=False
    ),
]


def register(app: typer.Typer, parts: PluginContext) -> None:
    """Add ``mien report`` to the command line; it reads the run's configuration from ``parts``."""

    def report(
        results: Results,
        html: Html = None,
        csv: Csv = None,
        title: Title = "Customer satisfaction",
        timezone: Timezone = "",
    ) -> None:
        """Make a page for people, or a table, from recorded results.

        Exit code 0: done. 1: some lines or files could not be read; each is named, the rest was finished. 2: wrong
        usage.
        """
        if html is None and csv is None:
            raise typer.BadParameter("give --html FILE, --csv FILE, or both", param_hint="--html")
        pairs = parts.configuration.fusion.mismatch_pairs
        problems = _make(results, html, csv, title=title, zone=_zone(timezone), pairs=pairs)
        for problem in problems:
            typer.echo(f"mien: {problem}", err=True)
        if problems:
            raise typer.Exit(1)

    app.command("report")(report)


def _make(
    results: list[Path],
    html: Path | None,
    csv: Path | None,
    *,
    title: str,
    zone: tzinfo | None,
    pairs: Sequence[MismatchPair],
) -> list[str]:
    """Write what was asked for; what could not be read is returned."""
    from mien import records
    from mien_records.report.page import build_page
    from mien_records.report.reading import Reader
    from mien_records.report.visits import collect

    reader = Reader()
    collected, chosen = collect(reader.read(results))
    if html is not None:
        page = build_page(collected, reader.files, title=title, made_at=records.now(), zone=zone, pairs=pairs)
        _write(html, page.encode("utf-8", "replace"), "--html")
    if csv is not None:
        _write(csv, _table(chosen), "--csv")
    return reader.problems


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
