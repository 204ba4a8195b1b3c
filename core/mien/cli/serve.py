"""``mien serve``: the gRPC server in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mien.cli.state import CliState, state_of
from mien.errors import MienError

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
    tls_certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Serve over TLS with this certificate, PEM.", show_default=False),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The certificate's private key, PEM.", show_default=False)
    ] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask clients for a certificate of these roots, PEM.", show_default=False),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask callers for a key of this file; see 'mien keys'.", show_default=False),
    ] = None,
    metrics_address: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT", help="Answer Prometheus there; on 127.0.0.1 by default.", show_default=False
        ),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="debug, info, warning or error.", show_default=False)
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="human, or json: an object a line.", show_default=False)
    ] = None,
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
    """Serve the analyzers over gRPC until SIGTERM or Ctrl-C; then finish what was accepted, and exit.

    SIGHUP reads the keys, the certificates and the log level again.
    """
    import asyncio

    from mien.cli.web import gateway_beside, with_web_address
    from mien.service.listening import check_address
    from mien.service.logs import configure_logs
    from mien.service.server import serve

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the server takes it
    state = state_of(context)
    _choose(state, config=config, strict=strict, analyzers=analyzer or ())
    options = {
        "address": address,
        "insecure": insecure or None,
        "tls": tls_options(tls_certificate, tls_key, client_ca),
        "keys": keys,
        "metrics_address": metrics_address,
        "log_level": log_level,
        "log_format": log_format,
        "reflection": reflection or None,
    }
    settings = with_web_address(with_server_options(state.settings, options), web_address)
    chosen = settings.server
    check_address(chosen.address, insecure=chosen.insecure, tls=chosen.tls is not None)
    configure_logs(chosen)
    ready = ReadyFile(ready_file)
    ready.remove()  # one that a killed server has left
    announce = _announcer(chosen, ready, analyzers=lambda: _enabled(state))

    async def run() -> None:
        with gateway_beside(settings, wanted=web or web_address is not None) as (gateway, also_at):
            await serve(
                settings,
                state.host,
                on_serving=lambda address: announce(address, "" if gateway is None else gateway.url),
                on_draining=lambda: _force_exit_after(chosen.drain_seconds + FORCED_EXIT_SECONDS),
                on_reload=lambda: configure_logs(_logs_of(state.config, options, chosen)),
                companion=gateway,
                also_at=also_at,
            )

    try:
        asyncio.run(run())
    finally:
        ready.remove()


def with_server_options(settings: Settings, options: Mapping[str, Any]) -> Settings:
    """The settings with the command line's options over them.

    Args:
        settings: As configured.
        options: Key of ``[server]`` -> what the command line says; None where it says nothing. Tables go over tables.

    Raises:
        ConfigError: A value is wrong.
    """
    from mien.config import parse_settings

    server = settings.server.model_dump()
    for key, value in options.items():
        if isinstance(value, dict):
            server[key] = {**(server[key] or {}), **value}
        elif value is not None:
            server[key] = value
    checked = parse_settings({"server": server}, source="the command line")
    return settings.model_copy(update={"server": checked.server})


def tls_options(certificate: Path | None, key: Path | None, client_ca: Path | None) -> dict[str, Path] | None:
    """What of ``[server.tls]`` the command line says; None where it says nothing."""
    said = {"certificate": certificate, "key": key, "client_ca": client_ca}
    return {name: path for name, path in said.items() if path is not None} or None


def _logs_of(config: Path | None, options: Mapping[str, Any], running: ServerSettings) -> ServerSettings:
    """What the configuration says by now of the log, under the command line's options; of the rest, what runs."""
    from mien.config import load_settings

    try:
        said = with_server_options(load_settings(config), options).server
    except MienError as error:
        _log.error("the configuration was not read again, and stays as it is: %s", error)
        return running
    return running.model_copy(update={"log_level": said.log_level, "log_format": said.log_format})


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
        page = f" and {url}" if url else ""
        typer.echo(f"mien serves on {address} ({_described(server)}){page}; analyzers: {analyzers()}; Ctrl-C ends it")

    return announce


def _described(server: ServerSettings) -> str:
    if server.tls is not None:
        security = "TLS" if server.tls.client_ca is None else "TLS with clients' certificates"
    else:
        security = "plain text, insecure" if server.insecure else "plain text, this machine only"
    extras = {"keys": server.keys is not None, "reflection": server.reflection}
    return ", ".join([security, *(name for name, is_on in extras.items() if is_on)])


def _force_exit_after(seconds: float) -> None:
    """A thread that hangs in a plugin would keep the process alive for ever."""

    def exit_now() -> None:
        _log.error("something still hangs %g s after the signal; exiting", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, exit_now)
    timer.daemon = True
    timer.start()
