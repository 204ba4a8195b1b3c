"""``mien plugins new``: a package with a plugin of your own, which passes its tests as it is written."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from mien.errors import ConfigError
from mien.scaffold.project import Accepts, PluginKind, Project, write_project

Choice = TypeVar("Choice", bound=StrEnum)


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("new")(_new)


def _new(
    name: Annotated[str, typer.Argument(help="Of the plugin: a-z, 0-9 and '-'; the package is mien_NAME.")],
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help=", ".join(PluginKind), show_default=False)
    ] = None,
    accepts: Annotated[
        str | None,
        typer.Option(
            "--accepts", metavar="KIND", help="What an analyzer takes: text, image, audio.", show_default=False
        ),
    ] = None,
    modality: Annotated[
        str | None, typer.Option("--modality", help="Of an analyzer, such as text or gait.", show_default=False)
    ] = None,
    description: Annotated[str | None, typer.Option("--description", help="One line.", show_default=False)] = None,
    author: Annotated[str | None, typer.Option("--author", help="For the metadata.", show_default=False)] = None,
    licence: Annotated[
        str | None, typer.Option("--license", help="SPDX expression; Apache-2.0 by default.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder; mien-NAME here by default.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing, and take the defaults.")] = False,
) -> None:
    """Begin a plugin: an installable package with types, settings, tests and a workflow, which passes as it is."""
    asks = not yes and sys.stdin.isatty()
    Project(name=name)  # a name that is none is told before anything is asked
    chosen = _choice(PluginKind, "--kind", kind, "What does it register", PluginKind.ANALYZER, asks=asks)
    is_analyzer = chosen is PluginKind.ANALYZER
    takes = _choice(Accepts, "--accepts", accepts, "What does it take", Accepts.TEXT, asks=asks and is_analyzer)
    project = Project(
        name=name,
        kind=chosen,
        accepts=takes,
        modality=_text(modality, "Modality of its predictions", "", asks=asks and is_analyzer),
        description=_text(description, "What is it, in one line", f"a {chosen.value} of my own", asks=asks),
        author=_text(author, "Author", "The authors", asks=asks),
        license=_text(licence, "Licence", "Apache-2.0", asks=asks),
    )
    folder = out if out is not None else Path(project.distribution)
    for path in write_project(project, folder):
        typer.echo(f"  {folder / path}")
    typer.echo(f"written. Next: cd {folder} && pip install -e '.[test]' && pytest && mien plugins check {name}")


def _choice(
    enum: type[Choice], option: str, given: str | None, question: str, default: Choice, *, asks: bool
) -> Choice:
    if given is None and asks:
        given = typer.prompt(f"{question} ({', '.join(enum)})", default=default.value)
    try:
        return enum(given if given is not None else default.value)
    except ValueError:
        raise ConfigError(f"{option} must be one of {', '.join(enum)}, got {given!r}") from None


def _text(given: str | None, question: str, default: str, *, asks: bool) -> str:
    if given is not None or not asks:
        return given if given is not None else default
    return str(typer.prompt(question, default=default, show_default=bool(default)))
