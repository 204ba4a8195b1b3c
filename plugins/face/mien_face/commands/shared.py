"""What the face plugin's commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn

import typer

from mien import ConfigError, MienError

STDOUT: Final = Path("-")
"""As a path for JSON: standard output."""


def fail(error: MienError) -> NoReturn:
    """End the command with the error's message, without a traceback; 2 where the configuration is wrong, else 1."""
    typer.echo(f"mien: {error}", err=True)
    raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from error
