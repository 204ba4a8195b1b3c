"""The face plugin's commands, one module each; their work is elsewhere, imported when they run.

Training and evaluation are commands of the laboratory (``mien_face_lab``).
"""

from __future__ import annotations

import typer

from mien import PluginContext
from mien_face.commands import explain, export_face

__all__ = ["register"]


def register(app: typer.Typer, context: PluginContext) -> None:
    """Add ``explain`` and ``export face``."""
    app.command("explain")(explain.command(context))
    export = typer.Typer()
    export.command("face")(export_face.export_face)
    export.callback()(_group)  # keeps typer from making a group's only command the group itself
    app.add_typer(export, name="export")


def _group() -> None:
    """Write a plugin's networks in other forms."""
