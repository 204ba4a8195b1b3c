"""``mien serve``: the gRPC server in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.state import CliState, state_of

if TYPE_CHECKING:
    from mien.config import ServerSettings, Settings

FORCED_EXIT_SECONDS: Final = 4.0
"""After ``drain_seconds``: the process ends, whatever still hangs in it."""

_log = logging.getLogger("mien.service")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(_serve)


def _serve(
    context: typer.Context,
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration, a TOML file.", show_default=False)
    ] = None,
    analyzer: Annotated[
        list[str] | None,
        typer.Option("--analyzer", metavar="NAME", help="Enable this analyzer, and only those named; repeatable."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Serve in plain text on an address that other machines can reach.")
    ] = False,
    reflection: Annotated[bool, typer.Option("--reflection", help="Answer gRPC reflection.")] = False,
    web: Annotated[
        bool, typer.Option("--web", help="Serve HTTP, too: the kiosk page, REST and WebSocket; [web] says where.")
    ] = False,
    web_address: Annotated[
        str | None,
        typer.Option("--web-address", metavar="HOST:PORT", help="Serve HTTP, too, and there; port 0 takes a free one."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop where a plugin cannot be loaded, instead of leaving it out.")
    ] = False,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            "--ready-file",
            metavar="FILE",
            help="Write the address to this file once calls are answered; removed at the end.",
        ),
    ] = None,
) -> None:
    """Serve the analyzers over gRPC until SIGTERM or Ctrl-C; then finish what was accepted, and exit."""
    import asyncio

    from mien.cli.web import gateway_beside, with_web_address
    from mien.service.server import check_address, serve

    state = state_of(context)
    _choose(state, config=config, strict=strict, analyzers=analyzer or ())
    settings = with_server_options(state.settings, address=address, insecure=insecure, reflection=reflection)
    settings = with_web_address(settings, web_address)
    check_address(settings.server.address, insecure=settings.server.insecure)
    ready = ReadyFile(ready_file)
    announce = _announcer(settings.server, ready, analyzers=lambda: _enabled(state))

    async def run() -> None:
        with gateway_beside(settings, wanted=web or web_address is not None) as (gateway, also_at):
            await serve(
                settings,
                state.host,
                on_serving=lambda address: announce(address, "" if gateway is None else gateway.url),
                on_draining=lambda: _force_exit_after(settings.server.drain_seconds + FORCED_EXIT_SECONDS),
                companion=gateway,
                also_at=also_at,
            )

    try:
        asyncio.run(run())
    finally:
        ready.remove()


def with_server_options(settings: Settings, *, address: str | None, insecure: bool, reflection: bool) -> Settings:
    """The settings with the command line's options over them.

    Raises:
        ConfigError: The address is not ``host:port``.
    """
    from mien.config import parse_settings

    server = settings.server.model_dump()
    if address is not None:
        server["address"] = address
    server["insecure"] = server["insecure"] or insecure
    server["reflection"] = server["reflection"] or reflection
    checked = parse_settings({"server": server}, source="the command line")
    return settings.model_copy(update={"server": checked.server})


class ReadyFile:
    """A file that is there, with the address in it, as long as calls are answered."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def write(self, address: str) -> None:
        """Put the address in, all at once.

        Raises:
            ConfigError: The file cannot be written.
        """
        from mien.errors import ConfigError
        from mien.weights import write_atomically

        if self._path is None:
            return
        try:
            write_atomically(self._path, f"{address}\n".encode())
        except OSError as error:
            raise ConfigError(f"cannot write the ready file {self._path}: {error.strerror}") from error

    def remove(self) -> None:
        """Take it away, if it is there."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _choose(state: CliState, *, config: Path | None, strict: bool, analyzers: Sequence[str]) -> None:
    """Options of this command go over the global ones of the same name."""
    if config is not None:
        state.config = config
    state.strict = state.strict or strict
    if analyzers:
        state.enable_only(analyzers)


def _enabled(state: CliState) -> str:
    return ", ".join(name for name, entry in state.host.analyzers.items() if entry.enabled)


def _announcer(server: ServerSettings, ready: ReadyFile, *, analyzers: Callable[[], str]) -> Callable[[str, str], None]:
    def announce(address: str, url: str) -> None:
        ready.write(address)
        security = "plain text, insecure" if server.insecure else "plain text, this machine only"
        extra = ", reflection" if server.reflection else ""
        page = f" and {url}" if url else ""
        typer.echo(f"mien serves on {address} ({security}{extra}){page}; analyzers: {analyzers()}; Ctrl-C ends it")

    return announce


def _force_exit_after(seconds: float) -> None:
    """A thread that hangs in a plugin would keep the process alive for ever."""

    def exit_now() -> None:
        _log.error("something still hangs %g s after the signal; exiting", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, exit_now)
    timer.daemon = True
    timer.start()
