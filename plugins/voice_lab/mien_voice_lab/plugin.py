"""The entry point of the voice plugin's laboratory: registers commands, and loads nothing for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mien import hookimpl

if TYPE_CHECKING:
    import typer

MIEN_API_VERSION: Final = 1


@hookimpl
def mien_register_commands(app: typer.Typer) -> None:
    """Add the training and evaluation commands."""
    from mien_voice_lab import commands

    commands.register(app)
