"""``mien health``: asks a server whether it can be used; for probes and service managers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.state import state_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("health")(_health)


def _health(
    context: typer.Context,
    server: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Of 'mien serve'; [client] address by default.", show_default=False)
    ] = "",
    service: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="mien.live for the process, mien.plugins.NAME for a plugin.", show_default=False
        ),
    ] = "",
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration, a TOML file.", show_default=False)
    ] = None,
) -> None:
    """Ask a server whether it can be used: 0 where it can, 1 where it cannot, or cannot be reached."""
    from mien.client import Client

    state = state_of(context)
    if config is not None:
        state.config = config
    with Client.from_config(state.settings, **({"address": server} if server else {})) as client:
        serving = client.is_serving(service)
    typer.echo("serving" if serving else "not serving")
    if not serving:
        raise typer.Exit(1)
