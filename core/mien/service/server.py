"""The server process: bind, load, serve, drain. What a call does is ``mien.service.servicer``.

It binds first and answers UNAVAILABLE while analyzers load, so that a second server on the same port fails at once and
a health check always has somebody to ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, Protocol, TypeVar

import grpc

from mien.config import Settings
from mien.engine import Engine
from mien.errors import ConfigError, MienError
from mien.plugins.host import PluginHost
from mien.plugins.sinks import Sinks
from mien.service.calls import CallLimits
from mien.service.decoding import Decoder
from mien.service.health import SERVICE_NAME, Health
from mien.service.holdings import Holdings
from mien.service.interceptors import ErrorInterceptor
from mien.service.kept import Kept
from mien.service.limits import Gate, server_options
from mien.service.scheduler import Scheduler
from mien.service.servicer import SentimentServicer
from mien.v1 import sentiment_pb2_grpc
from mien.wire.info import describe_server

Result = TypeVar("Result")

CLOSING_SECONDS: Final = 1.0
"""After the drain: how long calls that hold nothing up, such as health watches, may take to end."""

_log = logging.getLogger("mien.service")


class ServerStartError(MienError):
    """The server could not begin to listen."""


class Companion(Protocol):
    """What runs in the same process and brings its callers over gRPC, such as the HTTP gateway."""

    async def start(self) -> None:
        """Begin; the server listens already."""

    async def stop(self) -> None:
        """End; the server has drained."""


class Server:
    """One gRPC server in one event loop. Does not close the host."""

    def __init__(self, settings: Settings, host: PluginHost, *, also_at: Sequence[str] = ()) -> None:
        """Check the settings; nothing is opened before ``start``.

        Args:
            settings: All of them.
            host: The plugins.
            also_at: Further addresses to listen on, such as a Unix socket for a companion of this process.

        Raises:
            ConfigError: The address is not loopback, and plain text was not asked for aloud.
        """
        check_address(settings.server.address, insecure=settings.server.insecure)
        self._settings = settings
        self._host = host
        self._engine = Engine(host, settings)
        self._address = settings.server.address
        self._also_at = tuple(also_at)
        self._gate = Gate(settings.limits)
        self._calls = CallLimits(settings.limits, self._gate, drain_seconds=settings.server.drain_seconds)
        self._decoder = Decoder(settings.limits)
        self._holdings = Holdings(settings.limits, self._decoder)
        self._scheduler = Scheduler(self._engine, settings.limits)
        self._sinks = Sinks(host)
        self._health = Health(host, self._engine.standing)
        self._grpc: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        """Where it listens, ``host:port``, with the port that was chosen where 0 was asked for."""
        return self._address

    @property
    def sessions(self) -> int:
        """How many sessions and streams have a connection."""
        return self._gate.streams

    async def start(self) -> None:
        """Listen; every call but health and ``GetServerInfo`` is answered UNAVAILABLE until ``warm_up`` has ended.

        Raises:
            ServerStartError: The address cannot be listened on.
        """
        limits = self._settings.limits
        server = grpc.aio.server(
            interceptors=[self._calls, ErrorInterceptor()],  # the first is the outermost
            options=server_options(limits),
        )
        servicer = SentimentServicer(
            self._settings,
            host=self._host,
            gate=self._gate,
            holdings=self._holdings,
            scheduler=self._scheduler,
            sinks=self._sinks,
            kept=Kept(self._gate, seconds=self._settings.server.resume_seconds, most=limits.max_sessions),
            info=describe_server(self._host, self._settings),
        )
        sentiment_pb2_grpc.add_SentimentServiceServicer_to_server(servicer, server)
        self._health.start(server)
        if self._settings.server.reflection:
            _enable_reflection(server)
        self._address = _bind(server, self._settings.server.address)
        for address in self._also_at:
            _bind(server, address)
        await server.start()
        self._grpc = server
        self._scheduler.start()

    async def warm_up(self) -> None:
        """Load and compile every enabled analyzer off the event loop, then serve.

        Raises:
            ServerStartError: No enabled analyzer can be used.
        """
        unusable = await self._engine.warm_up_async()
        enabled = {name for name, entry in self._host.analyzers.items() if entry.enabled}
        if enabled <= unusable.keys():
            reasons = "; ".join(f"{name}: {reason}" for name, reason in unusable.items())
            raise ServerStartError(
                f"there is nothing to serve: no enabled analyzer can be used ({reasons or 'none is enabled'});"
                " `mien plugins list` shows what is installed"
            )
        self._gate.open()
        self._health.serving(unusable)

    async def drain(self) -> None:
        """Take no new work, finish what was accepted within ``drain_seconds``, and close. Call it once."""
        self._health.draining()
        self._gate.drain()
        self._calls.drain()
        try:
            async with asyncio.timeout(self._settings.server.drain_seconds):
                await self._gate.wait_idle()
        except TimeoutError:
            _log.warning("accepted work was not finished within %g s", self._settings.server.drain_seconds)
        if self._grpc is not None:
            await self._grpc.stop(CLOSING_SECONDS)
        await self._scheduler.close()
        self._holdings.close()
        self._decoder.close()
        await self._close_sinks()
        self._engine.close()

    async def _close_sinks(self) -> None:
        closing = _in_daemon_thread(self._sinks.close, name="mien-close-sinks")
        _, late = await asyncio.wait([closing], timeout=CLOSING_SECONDS)
        if late:
            _log.warning("a sink did not finish within %g s", CLOSING_SECONDS)


async def serve(
    settings: Settings,
    host: PluginHost,
    *,
    on_serving: Callable[[str], None],
    on_draining: Callable[[], None] = lambda: None,
    companion: Companion | None = None,
    also_at: Sequence[str] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Args:
        settings: All of them.
        host: The plugins; closed by the caller.
        on_serving: Called with the address once calls are answered.
        on_draining: Called when the signal has come, before the drain.
        companion: Begun before the server loads, ended after it has drained.
        also_at: See ``Server``.

    Raises:
        ConfigError: See ``Server``.
        ServerStartError: The address cannot be listened on, or nothing can be served.
    """
    server = Server(settings, host, also_at=also_at)
    stopping = _stop_on_signals()
    await server.start()
    try:
        if companion is not None:
            await companion.start()
        if await _unless(stopping, server.warm_up()):
            on_serving(server.address)
            await stopping.wait()
        on_draining()
    finally:
        await server.drain()
        if companion is not None:
            await companion.stop()


def check_address(address: str, *, insecure: bool) -> None:
    """Refuse plain text over a network that was not asked for aloud.

    Raises:
        ConfigError: The address is not loopback, and ``insecure`` is not set.
    """
    if insecure or is_loopback(address):
        return
    raise ConfigError(
        f"{address} can be reached from other machines, and this version serves in plain text only: anyone on the way"
        " could see faces and words. Listen on 127.0.0.1 behind a proxy that brings TLS, or say --insecure"
        " ([server] insecure = true) where the network is trusted"
    )


def is_loopback(address: str) -> bool:
    """Whether ``host:port`` can only be reached from this machine."""
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name that may stand for any address


def _bind(server: grpc.aio.Server, address: str) -> str:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        port = 0
    if port == 0:
        raise ServerStartError(
            f"cannot listen on {address}: another program, perhaps another mien server, has the port, or the address"
            " is not one of this machine's; choose another with --address (port 0 takes a free one)"
        )
    return f"{address.rpartition(':')[0]}:{port}"


def _enable_reflection(server: grpc.aio.Server) -> None:
    from grpc_reflection.v1alpha import reflection

    reflection.enable_server_reflection((SERVICE_NAME, "grpc.health.v1.Health", reflection.SERVICE_NAME), server)


async def _unless(stopping: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Wait for work to end, or for the signal to stop; tells whether the work ended. Raises what the work raises."""
    working = asyncio.create_task(work)
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({working, stop}, return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        working.cancel()
        return False
    stop.cancel()
    await working
    return True


def _in_daemon_thread(function: Callable[[], Result], *, name: str) -> asyncio.Future[Result]:
    """Run what may take long, or for ever, where it cannot keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # there is a result where there is no error

    def work() -> None:
        result, failure = None, None
        try:
            result = function()
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future


def _stop_on_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
