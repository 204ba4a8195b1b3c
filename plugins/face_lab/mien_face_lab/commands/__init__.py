"""The laboratory's commands, one module each; their work is elsewhere, imported when they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import typer

from mien_face_lab.commands import evaluate_detector, evaluate_face, train_detector, train_face

__all__ = ["register"]

_COMMANDS: Final[Mapping[str, Mapping[str, Callable[..., None]]]] = {
    "train": {"face": train_face.train_face, "detector": train_detector.train_detector},
    "evaluate": {"face": evaluate_face.evaluate_face, "detector": evaluate_detector.evaluate_detector},
}


def register(app: typer.Typer) -> None:
    """Add the commands to their groups: the host merges groups of one name."""
    for group, named in _COMMANDS.items():
        commands = typer.Typer()
        for name, command in named.items():
            commands.command(name)(command)
        app.add_typer(commands, name=group)
