"""Commands that plugins bring: the groups they may add to, and the asking of each plugin.

How a broken plugin is kept from costing more than its own commands is ``mien.plugins.commands``.
"""

from __future__ import annotations

from typing import Final

import typer

from mien.config import Settings
from mien.hookspecs import PluginContext
from mien.plugins.host import PluginHost

GROUPS: Final = {
    "train": "Train a plugin's networks from data of your own.",
    "evaluate": "Measure a plugin's networks on labelled data.",
}
"""Groups that several plugins add to, with what they are for."""


def add_plugin_commands(app: typer.Typer, context: PluginContext) -> None:
    """Ask all installed plugins for their commands.

    Args:
        app: Takes them; it holds the built-in commands already, whose names no plugin may take.
        context: What the commands are given for when they run.
    """
    for name, text in GROUPS.items():
        app.add_typer(typer.Typer(help=text, no_args_is_help=True), name=name)
    PluginHost.discover(Settings()).register_commands(app, context)
    app.registered_groups[:] = [group for group in app.registered_groups if not _is_empty(group.typer_instance)]


def _is_empty(group: typer.Typer | None) -> bool:
    """Whether nobody added to a group."""
    return group is None or not (group.registered_commands or group.registered_groups)
