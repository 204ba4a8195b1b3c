"""The face plugin's commands, one module each; their work is elsewhere, imported when they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import typer

from mien_face.commands import evaluate_detector, evaluate_face, explain, export_face, train_detector, train_face

__all__ = ["register"]

_COMMANDS: Final[Mapping[str, Mapping[str, Callable[..., None]]]] = {
    "train": {"face": train_face.train_face, "detector": train_detector.train_detector},
    "evaluate": {"face": evaluate_face.evaluate_face, "detector": evaluate_detector.evaluate_detector},
    "export": {"face": export_face.export_face},
}


def register(app: typer.Typer) -> None:
    """Add ``explain``, and the others to their groups: the host merges groups of one name."""
    app.command("explain")(explain.explain)
    for group, named in _COMMANDS.items():
        commands = typer.Typer()
        for name, command in named.items():
            commands.command(name)(command)
        commands.callback()(_group)  # keeps typer from making a group's only command the group itself
        app.add_typer(commands, name=group)


def _group() -> None:
    """Commands of the face plugin."""
