"""Commands that break one rule each, with right ones to compare."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

import typer


def greet() -> None:
    """Say hello."""
    typer.echo("hello")


def wordless() -> None:
    typer.echo("hello")


def right_commands(app: typer.Typer) -> None:
    app.command("greet")(greet)


def without_help(app: typer.Typer) -> None:
    app.command("greet")(wordless)


def no_commands(app: typer.Typer) -> None:
    return


def takes_a_name(app: typer.Typer) -> None:
    app.command("analyze")(greet)


def prints(app: typer.Typer) -> None:
    sys.stdout.write("adding commands\n")
    app.command("greet")(greet)


def imports(app: typer.Typer) -> None:
    sys.modules["pandas"] = types.ModuleType("pandas")
    app.command("greet")(greet)


def adding_once() -> Callable[[typer.Typer], object]:
    added: list[str] = []

    def add(app: typer.Typer) -> None:
        if not added:
            app.command("greet")(greet)
        app.command("other")(greet)
        added.append("greet")

    return add


COMMANDS: dict[str, tuple[Callable[[], Callable[[typer.Typer], object]], str]] = {
    "without_help": (lambda: without_help, "test_there_are_commands_and_each_has_help"),
    "none": (lambda: no_commands, "test_there_are_commands_and_each_has_help"),
    "adds_once": (adding_once, "test_commands_can_be_added_twice"),
    "takes_a_name": (lambda: takes_a_name, "test_no_name_is_taken"),
    "prints": (lambda: prints, "test_adding_is_silent_and_cheap"),
    "imports": (lambda: imports, "test_adding_is_silent_and_cheap"),
}
