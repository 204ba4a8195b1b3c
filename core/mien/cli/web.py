"""``mien web``: the HTTP gateway in the foreground, before a server elsewhere; and the one beside ``mien serve``."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.state import state_of

if TYPE_CHECKING:
    from mien.config import Settings
    from mien.web.server import Gateway

_NEEDED: Final = ("multipart", "starlette", "uvicorn", "websockets")
"""Modules that the extra ``mien[web]`` brings."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("web")(_web)


def _web(
    context: typer.Context,
    target: Annotated[
        str, typer.Option("--target", metavar="HOST:PORT", help="The mien server to stand before.")
    ] = "127.0.0.1:50051",
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration, a TOML file.", show_default=False)
    ] = None,
) -> None:
    """Serve the kiosk page, REST and WebSocket before a gRPC server, until SIGTERM or Ctrl-C."""
    import asyncio

    state = state_of(context)
    if config is not None:
        state.config = config
    settings = with_web_address(state.settings, address)
    check_extra()
    from mien.web.server import run_gateway

    def announce(url: str) -> None:
        typer.echo(f"mien serves {url} before {target}; Ctrl-C ends it")

    asyncio.run(run_gateway(settings, target=target, on_serving=announce))


def with_web_address(settings: Settings, address: str | None) -> Settings:
    """The settings with another address for the gateway.

    Raises:
        ConfigError: The address is not ``host:port``.
    """
    from mien.config import parse_settings

    if address is None:
        return settings
    web = parse_settings({"web": settings.web.model_dump() | {"address": address}}, source="the command line").web
    return settings.model_copy(update={"web": web})


@contextmanager
def gateway_beside(settings: Settings, *, wanted: bool) -> Iterator[tuple[Gateway | None, Sequence[str]]]:
    """A gateway for a server of this process, and the socket between them, which only this user can reach.

    Args:
        settings: All of them.
        wanted: Whether there is to be one; without, the answer is empty.

    Raises:
        ConfigError: See ``mien.web.server.Gateway``.
        MissingDependencyError: The extra is not installed.
    """
    if not wanted:
        yield None, ()
        return
    check_extra()
    from mien.web.server import Gateway

    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        between = f"unix:{folder}/grpc.sock"
        yield Gateway(settings, target=between), (between,)


def check_extra() -> None:
    """Say which extra is missing, where it is.

    Raises:
        MissingDependencyError: A module of it is not there.
    """
    from mien.errors import MissingDependencyError

    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"the HTTP gateway needs {', '.join(missing)}, which the extra brings: pip install 'mien[web]'"
        )
