"""``grpc.health.v1``: whether the server as a whole, the service, and each plugin can be used.

The names are ``""`` (overall), ``mien.v1.SentimentService``, and ``mien.plugins.NAME`` for each plugin found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio

from mien.plugins.host import PluginHost, PluginState
from mien.v1 import sentiment_pb2

SERVICE_NAME: Final[str] = sentiment_pb2.DESCRIPTOR.services_by_name["SentimentService"].full_name
"""``mien.v1.SentimentService``."""

PLUGIN_PREFIX: Final = "mien.plugins."
"""Before a plugin's name; the same as the entry-point group."""


class Health:
    """Keeps the health service in step with the server."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._servicer = aio.HealthServicer()

    async def start(self, server: grpc.aio.Server) -> None:
        """Answer health checks; everything is NOT_SERVING until ``serving``."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        plugins = (PLUGIN_PREFIX + plugin.name for plugin in self._host.plugins())
        for name in ("", SERVICE_NAME, *plugins):
            await self._set(name, serving=False)

    async def serving(self, unusable: Mapping[str, str]) -> None:
        """The server has warmed up.

        Args:
            unusable: Analyzer -> why it cannot be used; its plugin stays NOT_SERVING.
        """
        for plugin in self._host.plugins():
            works = plugin.state is PluginState.LOADED and unusable.keys().isdisjoint(plugin.analyzers)
            await self._set(PLUGIN_PREFIX + plugin.name, serving=works)
        await self._set(SERVICE_NAME, serving=True)
        await self._set("", serving=True)

    async def draining(self) -> None:
        """Everything is NOT_SERVING, for good."""
        await self._servicer.enter_graceful_shutdown()

    async def _set(self, name: str, *, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse
        await self._servicer.set(name, status.SERVING if serving else status.NOT_SERVING)
