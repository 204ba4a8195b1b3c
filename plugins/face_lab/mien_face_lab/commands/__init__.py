"""The laboratory's commands, one module each; their work is elsewhere, imported when they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import typer

from mien import PluginContext
from mien_face_lab.commands import evaluate_detector, evaluate_face, train_detector, train_face, train_students

__all__ = ["register"]


def register(app: typer.Typer, context: PluginContext) -> None:
    """Add the commands to their groups: the host merges groups of one name."""
    groups: Mapping[str, Mapping[str, Callable[..., None]]] = {
        "train": {
            "face": train_face.train_face,
            "detector": train_detector.train_detector,
            "students": train_students.train_students,
        },
        "evaluate": {"face": evaluate_face.evaluate_face, "detector": evaluate_detector.command(context)},
    }
    for group, named in groups.items():
        commands = typer.Typer()
        for name, command in named.items():
            commands.command(name)(command)
        app.add_typer(commands, name=group)
