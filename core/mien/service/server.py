"""The server process: bind, load, serve, drain. What a call does is ``mien.service.servicer``.

It binds first and answers UNAVAILABLE while analyzers load, so that a second server on the same port fails at once and
a health check always has somebody to ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar

import grpc

from mien.access import Door
from mien.config import Settings
from mien.interfaces import AnalyzerRuntime
from mien.plugins.host import PluginHost
from mien.plugins.sinks import Sinks
from mien.service.calls import CallLimits
from mien.service.entrance import ChargeInterceptor, KeyInterceptor
from mien.service.families import server_families
from mien.service.health import HEALTH_NAME, SERVICE_NAME, Health
from mien.service.holdings import Holdings
from mien.service.interceptors import ErrorInterceptor
from mien.service.kept import Kept
from mien.service.limits import Gate, server_options
from mien.service.listening import ServerStartError, bind, check_address
from mien.service.measuring import MeasuredDecoder, MeasuredEngine
from mien.service.metrics import Metrics, PrometheusMetrics
from mien.service.reflection import enable_reflection
from mien.service.refusals import Refusals
from mien.service.runtimes import runtimes_of
from mien.service.scheduler import Scheduler
from mien.service.servicer import SentimentServicer
from mien.service.systemd import ServiceManager
from mien.service.tls import Certificates
from mien.service.tracing import NoTraces, OpenTelemetryTraces, Traces
from mien.service.watching import CallInterceptor, Watcher
from mien.v1 import sentiment_pb2_grpc
from mien.wire.info import describe_server

Result = TypeVar("Result")

CLOSING_SECONDS: Final = 1.0
"""After the drain: how long calls that hold nothing up, such as health watches, may take to end."""

_log = logging.getLogger("mien.service")


class Companion(Protocol):
    """What runs in the same process and brings its callers over gRPC, such as the HTTP gateway."""

    async def start(self) -> None:
        """Begin; the server listens already."""

    async def stop(self) -> None:
        """End; the server has drained."""


class Server:
    """One gRPC server in one event loop. Does not close the host."""

    def __init__(
        self, settings: Settings, host: PluginHost, *, also_at: Sequence[str] = (), traces: Traces | None = None
    ) -> None:
        """Check the settings and read keys and certificates; nothing is opened before ``start``.

        Args:
            settings: All of them.
            host: The plugins.
            also_at: Further addresses to listen on, such as a Unix socket for a companion of this process.
            traces: Where spans go; None does as ``[server] tracing`` says.

        Raises:
            ConfigError: The address can be reached by other machines, and plain text was not asked for aloud; or keys
                or certificates cannot be used.
            MissingDependencyError: The settings ask for something that needs the extra ``server`` or ``tracing``.
        """
        chosen = settings.server
        check_address(chosen.address, insecure=chosen.insecure, tls=chosen.tls is not None)
        self._settings = settings
        self._host = host
        self._certificates = None if chosen.tls is None else Certificates(chosen.tls)
        self._door = Door(chosen.keys)
        self._traces = traces or (OpenTelemetryTraces() if chosen.tracing else NoTraces())
        self._metrics = Metrics() if chosen.metrics_address is None else PrometheusMetrics()
        self._metrics_address = chosen.metrics_address
        self._refusals = Refusals()
        self._engine = MeasuredEngine(host, settings, metrics=self._metrics)
        self._address = chosen.address
        self._also_at = tuple(also_at)
        self._gate = Gate(settings.limits)
        self._calls = CallLimits(settings.limits, self._gate, drain_seconds=chosen.drain_seconds)
        self._holdings = Holdings(settings.limits, make_decoder=partial(MeasuredDecoder, metrics=self._metrics))
        self._scheduler = Scheduler(self._engine, settings.limits, waited=self._metrics.waited)
        self._sinks = Sinks(host)
        self._health = Health(host, self._engine.standing)
        self._runtimes: Mapping[str, AnalyzerRuntime] = {}
        self._grpc: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        """Where it listens, ``host:port``, with the port that was chosen where 0 was asked for."""
        return self._address

    @property
    def metrics_address(self) -> str | None:
        """Where metrics are, ``host:port``; None where they are not."""
        return self._metrics_address

    @property
    def sessions(self) -> int:
        """How many sessions and streams have a connection."""
        return self._gate.streams

    async def start(self) -> None:
        """Listen; every call but health and ``GetServerInfo`` is answered UNAVAILABLE until ``warm_up`` has ended.

        Raises:
            ServerStartError: The address, or that of the metrics, cannot be listened on.
        """
        limits = self._settings.limits
        watcher = Watcher(self._metrics, self._refusals)
        server = grpc.aio.server(
            interceptors=[  # the first is the outermost
                CallInterceptor(watcher, self._traces),
                KeyInterceptor(self._door),
                self._calls,
                ErrorInterceptor(),
                ChargeInterceptor(self._door),
            ],
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
            metrics=self._metrics,
            info=lambda: describe_server(self._host, self._settings, self._runtimes),
        )
        sentiment_pb2_grpc.add_SentimentServiceServicer_to_server(servicer, server)
        self._health.start(server)
        if self._settings.server.reflection:
            enable_reflection(server, (SERVICE_NAME, HEALTH_NAME))
        self._address = bind(server, self._settings.server.address, self._certificates)
        for address in self._also_at:
            bind(server, address, None)
        self._listen_for_metrics()
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
        self._runtimes = await runtimes_of(self._host, enabled - unusable.keys())
        self._gate.open()
        self._health.serving(unusable)

    def reload(self) -> None:
        """Read keys and certificates again. What cannot be used changes nothing, and is told in the log."""
        self._door.reload()
        if self._certificates is not None:
            self._certificates.reload()

    def start_decoding(self) -> None:
        """Start a process that decodes, in the background; without this the first job that needs one starts it."""
        self._holdings.start_decoding()

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
        await self._close_sinks()
        self._engine.close()
        self._door.close()
        self._refusals.close()
        self._traces.close()
        self._metrics.close()

    def _listen_for_metrics(self) -> None:
        if not isinstance(self._metrics, PrometheusMetrics) or self._metrics_address is None:
            return
        self._metrics.collect_from(partial(server_families, self._host, self._sinks, self._gate))
        try:
            self._metrics_address = self._metrics.listen(self._metrics_address)
        except OSError as error:
            raise ServerStartError(
                f"cannot listen on {self._metrics_address} for metrics: {error.strerror or error}; choose another with"
                " [server] metrics_address or --metrics-address (port 0 takes a free one)"
            ) from error

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
    on_reload: Callable[[], None] = lambda: None,
    companion: Companion | None = None,
    also_at: Sequence[str] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then drain. SIGHUP has keys and certificates read again.

    Args:
        settings: All of them.
        host: The plugins; closed by the caller.
        on_serving: Called with the address once calls are answered.
        on_draining: Called when the signal has come, before the drain.
        on_reload: Called on SIGHUP, before keys and certificates are read.
        companion: Begun before the server loads, ended after it has drained.
        also_at: See ``Server``.

    Raises:
        ConfigError: See ``Server``.
        ServerStartError: The address cannot be listened on, or nothing can be served.
    """
    server = Server(settings, host, also_at=also_at)
    manager = ServiceManager()

    def reload() -> None:
        manager.reloading()
        on_reload()
        server.reload()
        manager.ready()

    stopping = _on_signals(reload)
    try:
        await server.start()
        server.start_decoding()
        if companion is not None:
            await companion.start()
        if await _unless(stopping, server.warm_up()):
            manager.ready()
            on_serving(server.address)
            await stopping.wait()
        manager.stopping()
        on_draining()
    finally:
        await server.drain()
        if companion is not None:
            await companion.stop()
        await manager.close()


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


def _on_signals(reload: Callable[[], None]) -> asyncio.Event:
    """What is set when the server is to stop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return stopping
