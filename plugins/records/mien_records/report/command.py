"""``mien report``: options, files and exit codes; the work is elsewhere in this package."""

from __future__ import annotations

import zoneinfo
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mien import records


def report(
    context: typer.Context,
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULTS...", help="JSON lines or SQLite databases, as the sinks or --json write them."),
    ],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the page there.", show_default=False)
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write a table with one row a visit there.", show_default=False),
    ] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="Title of the page.")] = "Customer satisfaction",
    timezone: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="For days and hours, such as Europe/Berlin; this machine's otherwise.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Make a page for people, or a table, from recorded results.

    Exit code 0: done. 1: some lines or files could not be read; each is named, the rest was finished. 2: wrong usage.
    """
    from mien import records
    from mien_records.report.page import build_page
    from mien_records.report.reading import Reader
    from mien_records.report.visits import collect

    if html is None and csv is None:
        raise typer.BadParameter("give --html FILE, --csv FILE, or both", param_hint="--html")
    zone = _zone(timezone)
    reader = Reader()
    collected, chosen = collect(reader.read(results))
    if html is not None:
        pairs = context.obj.settings.fusion.mismatch_pairs
        page = build_page(collected, reader.files, title=title, made_at=records.now(), zone=zone, pairs=pairs)
        _write(html, page.encode("utf-8", "replace"), "--html")
    if csv is not None:
        _write(csv, _table(chosen), "--csv")
    for problem in reader.problems:
        typer.echo(f"mien: {problem}", err=True)
    if reader.problems:
        raise typer.Exit(1)


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
