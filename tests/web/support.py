"""A real server with a real gateway beside it, on free loopback ports, with fake plugins."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
from service.support import TIMEOUT, fake_host, settings
from websockets.asyncio.client import ClientConnection, connect

from mien.config import Settings
from mien.media.images import ImageFormat, encode_image
from mien.plugins.host import PluginHost
from mien.service.server import Server
from mien.web.server import Gateway

JPEG = encode_image(np.full((24, 32, 3), 128, np.uint8), image_format=ImageFormat.JPEG, quality=80)
"""A grey picture, 32 x 24."""

FRAME: dict[str, Any] = {"frame": {"encoded": base64.b64encode(JPEG).decode(), "capturedAtSeconds": 0.5}}
CONFIG = {"config": {"sessionId": "one", "snapshotIntervalSeconds": 0}}


def web_settings(**tables: dict[str, Any]) -> Settings:
    """Settings with free ports for both, and these tables over them."""
    return settings(**{**tables, "web": {"address": "127.0.0.1:0", **tables.get("web", {})}})


@asynccontextmanager
async def gateway(chosen: Settings | None = None, host: PluginHost | None = None) -> AsyncIterator[Gateway]:
    """A gateway beside a server that is serving."""
    chosen = chosen or web_settings()
    host = host or fake_host(chosen)
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        between = f"unix:{folder}/grpc.sock"
        server, found = Server(chosen, host, also_at=[between]), Gateway(chosen, target=between)
        await server.start()
        try:
            await found.start()
            await server.warm_up()
            yield found
        finally:
            await server.drain()
            await found.stop()
            host.close()


@asynccontextmanager
async def browser(found: Gateway, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of it; headers with underscores for their hyphens."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(base_url=found.url, timeout=TIMEOUT, headers=sent) as client:
        yield client


def socket_to(found: Gateway, **options: Any) -> connect:
    """A WebSocket to a session."""
    options = {"open_timeout": TIMEOUT, "close_timeout": 1, "compression": None, "proxy": None, **options}
    return connect(f"ws://{found.address}/v1/session", **options)


async def told(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind; others are passed over."""
    while True:
        message = json.loads(await socket.recv())
        if kind in message:
            found: dict[str, Any] = message[kind]
            return found
