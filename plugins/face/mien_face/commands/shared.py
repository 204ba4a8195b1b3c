"""What the face plugin's commands have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import typer

from mien import MienError

STDOUT: Final = Path("-")
"""As a path for JSON: standard output."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Around what a command does: ends it with a message where input, weights or a file is at fault."""
    try:
        yield
    except MienError as error:
        fail(error)
    except OSError as error:
        fail(MienError(f"cannot use {error.filename or 'a file'}: {error.strerror or error}"))


def fail(error: MienError) -> NoReturn:
    """End the command with the error's message, without a traceback."""
    typer.echo(f"mien: {error}", err=True)
    raise typer.Exit(1) from error
