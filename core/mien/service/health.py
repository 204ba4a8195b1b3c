"""``grpc.health.v1``: whether the server as a whole, the service, and each plugin can be used at this moment.

The names are ``""`` (overall), ``mien.v1.SentimentService``, and ``mien.plugins.NAME`` for each plugin found: whether
they are ready. ``mien.live`` says that the process answers at all, also while it loads and drains: who restarts it by
that name ends no load or drain half-way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mien.engine import Standing
from mien.plugins.host import PluginHost, PluginState
from mien.plugins.parts import PartKind
from mien.plugins.registry import PluginDescription
from mien.v1 import sentiment_pb2

SERVICE_NAME: Final[str] = sentiment_pb2.DESCRIPTOR.services_by_name["SentimentService"].full_name
"""``mien.v1.SentimentService``."""

HEALTH_NAME: Final = "grpc.health.v1.Health"
"""The service that answers here."""

PLUGIN_PREFIX: Final = "mien.plugins."
"""Before a plugin's name; the same as the entry-point group."""

LIVE: Final = "mien.live"
"""SERVING from the first moment to the last."""

SERVING: Final = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN: Final = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Board(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated, untyped
    """What is shown to whoever asks or watches. Showing waits for no watcher. For one event loop."""

    def __init__(self) -> None:
        self._shown: dict[str, int] = {}
        self._changed: dict[str, asyncio.Event] = {}

    def show(self, name: str, *, serving: bool) -> None:
        """Show a state; whoever watches is told of a change."""
        state = SERVING if serving else NOT_SERVING
        if self._shown.get(name) == state:
            return
        self._shown[name] = state
        changed = self._changed.pop(name, None)
        if changed is not None:
            changed.set()

    def none_serves(self) -> None:
        """Show everything as NOT_SERVING, but that the process lives."""
        for name in self._shown.keys() - {LIVE}:
            self.show(name, serving=False)

    async def Check(  # noqa: N802  # the contract's name
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> health_pb2.HealthCheckResponse:
        """Tell a state once."""
        state = self._shown.get(request.service)
        if state is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no service of that name here")
        return health_pb2.HealthCheckResponse(status=state)

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> AsyncGenerator[health_pb2.HealthCheckResponse, None]:
        """Tell a state, and again whenever it has changed; one that comes and goes meanwhile is passed over."""
        name, told = request.service, None
        while True:
            state = self._shown.get(name, UNKNOWN)
            if state != told:
                told = state
                yield health_pb2.HealthCheckResponse(status=state)
            elif name in self._shown:
                await self._changed.setdefault(name, asyncio.Event()).wait()
            else:
                await asyncio.Event().wait()  # names do not come into being; the watch ends with its call


class Health:
    """Keeps the health service in step with the server and its plugins. For one event loop."""

    def __init__(self, host: PluginHost, standing: Standing) -> None:
        """Take what is looked at.

        Args:
            host: The plugins.
            standing: How their analyzers fare.
        """
        self._host = host
        self._standing = standing
        self._board = Board()
        self._unusable: frozenset[str] = frozenset()
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._unwatch: list[Callable[[], None]] = []

    def start(self, server: grpc.aio.Server) -> None:
        """Answer health checks; everything is NOT_SERVING until ``serving``."""
        health_pb2_grpc.add_HealthServicer_to_server(self._board, server)
        plugins = (PLUGIN_PREFIX + plugin.name for plugin in self._host.plugins())
        for name in ("", SERVICE_NAME, *plugins):
            self._board.show(name, serving=False)
        self._board.show(LIVE, serving=True)

    def serving(self, unusable: Mapping[str, str]) -> None:
        """The server has warmed up; from now on what is shown follows how the plugins fare.

        A plugin is NOT_SERVING while a call into it that missed its deadline has not returned, or while nothing comes
        of an analyzer's batches.

        Args:
            unusable: Analyzer -> why it cannot be used; its plugin stays NOT_SERVING until it works.
        """
        self._unusable = frozenset(unusable)
        tell = partial(asyncio.get_running_loop().call_soon_threadsafe, self._changed.set)
        for plugin in self._host.plugins():
            self._unwatch += [guard.watch(tell) for guard in self._host.guards(plugin.name)]
        self._unwatch.append(self._standing.watch(tell))
        self._update()
        self._following = asyncio.create_task(self._follow(), name="mien-health")

    def draining(self) -> None:
        """Everything is NOT_SERVING, for good."""
        for unwatch in self._unwatch:
            unwatch()
        self._unwatch.clear()
        if self._following is not None:
            self._following.cancel()
        self._board.none_serves()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._update()

    def _update(self) -> None:
        for plugin in self._host.plugins():
            self._board.show(PLUGIN_PREFIX + plugin.name, serving=self._works(plugin))
        any_usable = any(self._is_usable(name) for name, entry in self._host.analyzers.items() if entry.enabled)
        for name in (SERVICE_NAME, ""):
            self._board.show(name, serving=any_usable)

    def _works(self, plugin: PluginDescription) -> bool:
        return (
            plugin.state is PluginState.LOADED
            and not any(self._fails(analyzer) for analyzer in plugin.analyzers)
            and all(guard.healthy for guard in self._host.guards(plugin.name))
        )

    def _fails(self, analyzer: str) -> bool:
        return self._standing.is_failing(analyzer) or self._is_unusable(analyzer)

    def _is_unusable(self, analyzer: str) -> bool:
        return analyzer in self._unusable and not self._standing.works(analyzer)

    def _is_usable(self, analyzer: str) -> bool:
        """Whether it can be asked. One that fails can: it comes back only where it is asked."""
        return not self._is_unusable(analyzer) and self._host.guard(analyzer, PartKind.ANALYZER).takes_calls
