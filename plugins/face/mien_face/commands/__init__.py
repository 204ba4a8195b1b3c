"""The face plugin's commands, one module each; their work is elsewhere, imported when they run."""

from __future__ import annotations

import typer

from mien_face.commands import evaluate_face, explain, export_face, train_face

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add ``explain``, and a command to each of several groups: the host merges groups of one name."""
    app.command("explain")(explain.explain)
    for group, command in (
        ("train", train_face.train_face),
        ("evaluate", evaluate_face.evaluate_face),
        ("export", export_face.export_face),
    ):
        commands = typer.Typer()
        commands.command("face")(command)
        commands.callback()(_group)  # keeps typer from making a group's only command the group itself
        app.add_typer(commands, name=group)


def _group() -> None:
    """Commands of the face plugin."""
