"""``grpc.health.v1``: whether the server as a whole, the service, and each plugin can be used at this moment.

The names are ``""`` (overall), ``mien.v1.SentimentService``, and ``mien.plugins.NAME`` for each plugin found.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio

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


class Health:
    """Keeps the health service in step with the server and its plugins. For one event loop."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._servicer = aio.HealthServicer()
        self._unusable: frozenset[str] = frozenset()
        self._shown: dict[str, bool] = {}
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._unwatch: list[Callable[[], None]] = []

    async def start(self, server: grpc.aio.Server) -> None:
        """Answer health checks; everything is NOT_SERVING until ``serving``."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        plugins = (PLUGIN_PREFIX + plugin.name for plugin in self._host.plugins())
        for name in ("", SERVICE_NAME, *plugins):
            await self._show(name, serving=False)

    async def serving(self, unusable: Mapping[str, str]) -> None:
        """The server has warmed up; from now on a plugin with a stuck call is NOT_SERVING until the call returns.

        Args:
            unusable: Analyzer -> why it cannot be used; its plugin stays NOT_SERVING.
        """
        self._unusable = frozenset(unusable)
        tell = partial(asyncio.get_running_loop().call_soon_threadsafe, self._changed.set)
        for plugin in self._host.plugins():
            self._unwatch += [guard.watch(tell) for guard in self._host.guards(plugin.name)]
        await self._update()
        self._following = asyncio.create_task(self._follow(), name="mien-health")

    async def draining(self) -> None:
        """Everything is NOT_SERVING, for good."""
        for unwatch in self._unwatch:
            unwatch()
        self._unwatch.clear()
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        await self._servicer.enter_graceful_shutdown()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._update()

    async def _update(self) -> None:
        for plugin in self._host.plugins():
            await self._show(PLUGIN_PREFIX + plugin.name, serving=self._works(plugin))
        any_usable = any(self._is_usable(name) for name, entry in self._host.analyzers.items() if entry.enabled)
        for name in (SERVICE_NAME, ""):
            await self._show(name, serving=any_usable)

    def _works(self, plugin: PluginDescription) -> bool:
        return (
            plugin.state is PluginState.LOADED
            and self._unusable.isdisjoint(plugin.analyzers)
            and all(guard.healthy for guard in self._host.guards(plugin.name))
        )

    def _is_usable(self, analyzer: str) -> bool:
        return analyzer not in self._unusable and self._host.guard(analyzer, PartKind.ANALYZER).healthy

    async def _show(self, name: str, *, serving: bool) -> None:
        if self._shown.get(name) is not serving:  # whoever watches is told of changes only
            self._shown[name] = serving
            status = health_pb2.HealthCheckResponse
            await self._servicer.set(name, status.SERVING if serving else status.NOT_SERVING)
