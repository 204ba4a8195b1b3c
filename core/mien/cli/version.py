"""``mien version``: what is installed, without loading a plugin."""

from __future__ import annotations

import platform

import typer

import mien


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("version")(_version)


def _version() -> None:
    """Print versions: of mien, its plugin interface and Python."""
    typer.echo(f"mien {mien.__version__} (plugin interface {mien.API_VERSION}, Python {platform.python_version()})")
