"""``mien plugins check``: one plugin alone in a process of its own, held to every rule, and graded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.state import state_of
from mien.errors import ConfigError

NONE = "none"


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("check")(_check)


def _check(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|MODULE]",
            help="An installed plugin, or a module; without it, the plugin of the pyproject.toml here.",
            show_default=False,
        ),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the report there, as quality.json is.", show_default=False),
    ] = None,
    samples: Annotated[
        list[Path] | None,
        typer.Option(
            "--samples",
            metavar="FILE",
            help="A picture, sound or text to try it with; again for more.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", metavar="CSV", help="Labelled data (columns file, label), for calibration.", show_default=False
        ),
    ] = None,
    at_least: Annotated[
        str, typer.Option("--at-least", metavar="GRADE", help="bronze, silver or gold; anything less ends with 1.")
    ] = "bronze",
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="How long one rule may take.")] = 60.0,
    odd_inputs: Annotated[
        int, typer.Option("--odd-inputs", min=1, help="How many odd inputs an analyzer is given.")
    ] = 50,
    parts: Annotated[
        list[str] | None,
        typer.Option("--part", metavar="PART", help="Only this one, such as 'detector haar'; again for more."),
    ] = None,
    every_rule: Annotated[bool, typer.Option("--all", help="List the rules that are kept as well.")] = False,
) -> None:
    """Hold a plugin to the contract, alone in a process of its own, and grade it: bronze, silver or gold."""
    from mien.quality.target import find_target
    from mien.quality.watch import CheckOptions, check
    from mien.testing.rules import Grade
    from mien.weights import write_atomically

    if at_least not in list(Grade):
        raise ConfigError(f"--at-least must be one of {', '.join(Grade)}, got {at_least!r}")
    state = state_of(context)
    state.settings  # noqa: B018 - a configuration that is wrong is told here, not by the process that checks
    options = CheckOptions(
        config=state.config.resolve() if state.config is not None else None,
        samples=tuple(path.resolve() for path in _existing(samples or [])),
        labels=next((path.resolve() for path in _existing([labels] if labels is not None else [])), None),
        seconds=seconds,
        odd_inputs=odd_inputs,
        parts=tuple(parts or ()),
    )
    report = check(find_target(name, Path.cwd()), options)
    if json_file is not None:
        write_atomically(json_file, report.to_json().encode())
    for line in report.lines(everything=every_rule):
        typer.echo(line)
    raise typer.Exit(0 if report.reaches(Grade(at_least)) else 1)


def _existing(paths: list[Path]) -> list[Path]:
    for path in paths:
        if not path.is_file():
            raise ConfigError(f"there is no file {path}")
    return paths
