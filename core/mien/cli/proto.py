"""``mien proto``: the wire contract as files, to generate code from in another language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.errors import MienError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("proto")(_proto)


def _proto(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write all files there, in their packages' folders."),
    ] = None,
) -> None:
    """Print the gRPC contract, or write it with all that a generator needs for another language."""
    from mien.wire.protos import CONTRACT, proto_files

    for path, text in proto_files():
        if out is None:
            if path == CONTRACT:
                typer.echo(text, nl=False)
            continue
        target = out / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise MienError(f"cannot write {target}: {error.strerror}") from error
        typer.echo(str(target))
