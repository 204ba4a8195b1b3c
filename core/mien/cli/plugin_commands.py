"""Commands that plugins bring. Groups of one name are merged, so that each plugin may add to ``mien train`` and such.

A plugin adds a command with ``app.command(...)`` or a group with ``app.add_typer(sub, name="train")``. One that breaks
is named in a warning and costs only its own commands.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

import typer
from typer.models import CommandInfo, TyperInfo

from mien.config import Settings
from mien.host import PluginHost

GROUPS: Final = {
    "train": "Train a plugin's networks from data of your own.",
    "evaluate": "Measure a plugin's networks on labelled data.",
}
"""Groups that are always there, whether or not a plugin adds to them."""

_log = logging.getLogger("mien.cli")


def add_plugin_commands(app: typer.Typer, *, reserved: Collection[str]) -> None:
    """Ask all installed plugins for their commands and add those that work.

    Args:
        app: Takes them.
        reserved: Names of built-in commands, which no plugin may take.
    """
    offered = typer.Typer()
    PluginHost.discover(Settings()).register_commands(offered)
    merge_commands(app, offered, reserved=reserved)


def merge_commands(app: typer.Typer, offered: typer.Typer, *, reserved: Collection[str]) -> None:
    """Add the commands and groups of one app to another; those of a taken name or that cannot be built are left out."""
    groups = {name: typer.Typer(help=text, no_args_is_help=True) for name, text in GROUPS.items()}
    taken = {*reserved, *groups}
    for command in offered.registered_commands:
        _add_command(app, command, taken, "mien")
    for info in offered.registered_groups:
        name = _group_name(info)
        if name in reserved or info.typer_instance is None:
            _log.warning("a plugin's group of commands %r was left out: the name is taken", name)
            continue
        if name not in groups:
            groups[name] = typer.Typer(help=_group_help(info), no_args_is_help=True)
        _merge_group(groups[name], info.typer_instance, f"mien {name}")
    for name, group in groups.items():
        if group.registered_commands or group.registered_groups:
            app.add_typer(group, name=name)


def _merge_group(group: typer.Typer, offered: typer.Typer, path: str) -> None:
    taken = {_command_name(command) for command in group.registered_commands}
    for command in offered.registered_commands:
        _add_command(group, command, taken, path)
    group.registered_groups += offered.registered_groups


def _add_command(app: typer.Typer, command: CommandInfo, taken: set[str], path: str) -> None:
    name = _command_name(command)
    if name in taken:
        _log.warning("a plugin's command '%s %s' was left out: the name is taken", path, name)
        return
    try:
        probe = typer.Typer()
        probe.registered_commands.append(command)
        typer.main.get_command(probe)
    except Exception as error:  # whatever a plugin's annotations make typer raise
        _log.warning("a plugin's command '%s %s' was left out: %s: %s", path, name, type(error).__name__, error)
        return
    taken.add(name)
    app.registered_commands.append(command)


def _command_name(command: CommandInfo) -> str:
    function = getattr(command.callback, "__name__", "")
    return command.name or str(function).lower().replace("_", "-")


def _group_name(info: TyperInfo) -> str:
    if isinstance(info.name, str):
        return info.name
    inner = info.typer_instance.info.name if info.typer_instance is not None else None
    return inner if isinstance(inner, str) else ""


def _group_help(info: TyperInfo) -> str:
    for text in (info.help, info.typer_instance.info.help if info.typer_instance is not None else None):
        if isinstance(text, str):
            return text
    return ""
