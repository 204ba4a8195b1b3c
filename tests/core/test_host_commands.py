"""Plugins' commands on the command line."""

from __future__ import annotations

import pytest
import typer
from core.support import describe
from typer.testing import CliRunner

from mien import (
    PluginContext,
    PluginError,
    hookimpl,
    parse_settings,
)
from mien.plugins.host import PluginHost


class Commands:
    """Adds commands of these names to the application, and one of the first name to each group; then may raise."""

    def __init__(self, *names: str, error: BaseException | None = None) -> None:
        self._names = names
        self._error = error

    @hookimpl
    def mien_register_commands(self, app: typer.Typer) -> None:
        for name in self._names:
            app.command(name)(lambda: None)
        for group in app.registered_groups:
            assert group.typer_instance is not None
            group.typer_instance.command(self._names[0])(lambda: None)
        if self._error:
            raise self._error


class ContextCommands:
    """Adds a command that prints a setting of the context that it was given."""

    @hookimpl
    def mien_register_commands(self, app: typer.Typer, context: PluginContext) -> None:
        @app.command("greet")
        def greet() -> None:
            typer.echo(context.settings("greeting").get("text", "nothing"))


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.add_typer(typer.Typer(), name="train")

    @made.command()
    def serve_it() -> None:
        """A command of mien's own."""

    return made


def commands(app: typer.Typer) -> tuple[list[str | None], list[str | None]]:
    (group,) = app.registered_groups
    assert group.typer_instance is not None
    return [each.name for each in app.registered_commands], [
        each.name for each in group.typer_instance.registered_commands
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Commands("one", error=RuntimeError("no")), "RuntimeError: no"),
        (Commands("one", error=SystemExit(2)), "SystemExit: 2"),
        (Commands("one", "serve-it"), "the command 'serve-it' exists already"),
        (Commands("one", "train"), "the command 'train' exists already"),
    ],
)
def test_commands_of_a_plugin_are_added_all_or_none(app: typer.Typer, bad: Commands, reason: str) -> None:
    host = PluginHost.from_plugins({"a_bad": bad, "good": Commands("wink")})
    host.register_commands(app)
    assert commands(app) == ([None, "wink"], ["wink"])
    assert describe(host, "a_bad").reason == f"its commands could not be added: {reason}"


def test_commands_that_raise_are_fatal_where_strict() -> None:
    host = PluginHost.from_plugins({"bad": Commands(error=RuntimeError("no"))}, strict=True)
    with pytest.raises(PluginError, match="bad: its commands"):
        host.register_commands(typer.Typer())


def test_commands_are_given_a_context(app: typer.Typer) -> None:
    settings = parse_settings({"plugins": {"greeting": {"text": "good morning"}}})
    other = PluginHost.from_plugins({}, settings)
    PluginHost.from_plugins({"greeting": ContextCommands()}).register_commands(app, other.context)
    assert CliRunner().invoke(app, ["greet"]).stdout == "good morning\n"


def test_without_a_context_for_the_run_commands_are_given_their_hosts(app: typer.Typer) -> None:
    PluginHost.from_plugins({"greeting": ContextCommands()}).register_commands(app)
    assert CliRunner().invoke(app, ["greet"]).stdout == "nothing\n"
