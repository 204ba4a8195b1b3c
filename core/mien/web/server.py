"""Listens for HTTP in an event loop that is there already, beside a gRPC server or alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn

from mien.config import Settings
from mien.errors import ConfigError, MienError
from mien.web.app import build_app
from mien.web.bodies import SLACK_BYTES
from mien.web.protocols import TimedHttp, TimedSocket
from mien.web.upstream import Upstream
from mien.web.watching import Hub
from mien.websettings import WebSettings
from mien.wire.channel import is_loopback

CLOSING_SECONDS: Final = 2
"""After the service has ended its sessions: how long answers may take to go out."""

BACKLOG: Final = 128


class GatewayStartError(MienError):
    """The gateway could not begin to listen."""


class Gateway:
    """One gateway. For one event loop."""

    def __init__(self, settings: Settings, *, target: str) -> None:
        """Prepare; nothing is opened before ``start``.

        Args:
            settings: All of them.
            target: The service: ``host:port``, or ``unix:path``.

        Raises:
            ConfigError: The address is not loopback, and neither TLS nor plain HTTP was asked for; or a file that is
                named cannot be read.
        """
        check_web_address(settings.web)
        web = settings.web
        # A server elsewhere may be reached over TLS; one in this process is reached over a socket of its own.
        ca = None if target.startswith("unix:") else web.target_ca
        self._hub = Hub(web.max_watchers)
        self._upstream = Upstream(target, max_message_bytes=settings.limits.max_message_bytes, ca=ca)
        self._web = web
        self._address = web.address
        self._server = _Server(_config(settings, build_app(settings, self._upstream, self._hub)))
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it listens, ``host:port``, with the port that was chosen where 0 was asked for."""
        return self._address

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        return f"{'http' if self._web.certificate is None else 'https'}://{self._address}/"

    async def start(self) -> None:
        """Listen.

        Raises:
            GatewayStartError: The address cannot be listened on.
        """
        listener = _listen(self._web.address)
        host = self._web.address.rpartition(":")[0]
        self._address = f"{host}:{listener.getsockname()[1]}"
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="mien-web")
        ready = asyncio.create_task(self._server.is_up.wait())
        await asyncio.wait({self._serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._serving.done():
            await self._serving
            raise GatewayStartError(f"the gateway could not begin to listen on {self._web.address}")

    async def stop(self) -> None:
        """End what watchers are told, give answers a moment to go out, and close. May be called twice."""
        self._hub.close()
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None
        await self._upstream.close()


async def run_gateway(settings: Settings, *, target: str, on_serving: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: All of them.
        target: The service, ``host:port``.
        on_serving: Called with the page's address once requests are answered.

    Raises:
        ConfigError: See ``Gateway``.
        GatewayStartError: The address cannot be listened on.
    """
    gateway = Gateway(settings, target=target)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        await gateway.start()
        on_serving(gateway.url)
        await stopping.wait()
    finally:
        await gateway.stop()


def check_web_address(web: WebSettings) -> None:
    """Refuse plain HTTP over a network that was not asked for aloud.

    Raises:
        ConfigError: The address is not loopback, and there is neither a certificate nor ``insecure``.
    """
    if web.insecure or web.certificate is not None or is_loopback(web.address):
        return
    raise ConfigError(
        f"{web.address} can be reached from other machines, and plain HTTP would show faces and words to anyone on the"
        " way; browsers also give such a page no camera. Name certificate and certificate_key under [web], listen on"
        " 127.0.0.1, or set insecure = true there where the network is trusted"
    )


class _Server(uvicorn.Server):
    """uvicorn in somebody else's event loop: it leaves the process's signals alone and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so."""
        await super().startup(sockets=sockets)
        self.is_up.set()


def _config(settings: Settings, app: Any) -> uvicorn.Config:
    web = settings.web
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its lines of information name addresses and paths
    config = uvicorn.Config(
        app,
        http=TimedHttp,
        ws=TimedSocket,
        ws_max_size=settings.limits.max_message_bytes * 4 // 3 + SLACK_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=settings.limits.idle_seconds,
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=web.max_connections,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        ssl_certfile=web.certificate,
        ssl_keyfile=web.certificate_key,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"cannot use certificate {web.certificate} with certificate_key {web.certificate_key} under [web]: {error}"
        ) from error
    if isinstance(config.ssl, ssl.SSLContext):
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return config


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, where = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        raise GatewayStartError(
            f"cannot listen on {address}: {error.strerror}; choose another under [web] (port 0 takes a free one)"
        ) from error
    return listener
