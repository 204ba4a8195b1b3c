"""The entry point of the face plugin's laboratory: registers commands, and loads nothing for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mien import PluginContext, hookimpl

if TYPE_CHECKING:
    import typer

MIEN_API_VERSION: Final = 1


@hookimpl
def mien_register_commands(app: typer.Typer, context: PluginContext) -> None:
    """Add the training and evaluation commands."""
    from mien_face_lab import commands

    commands.register(app, context)
