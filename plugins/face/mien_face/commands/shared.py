"""What the face plugin's commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn

import typer

from mien import MienError

SHIPPED_MANIFEST: Final = Path(__file__).parents[1] / "weights" / "expression.json"
"""The weights that ship with the plugin."""

STDOUT: Final = Path("-")
"""As a path for JSON: standard output."""


def fail(error: MienError) -> NoReturn:
    """End the command with the error's message, without a traceback."""
    typer.echo(f"mien: {error}", err=True)
    raise typer.Exit(1) from error
