"""The gateway as an ASGI application: addresses, and what stands behind each."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from mien.config import Settings
from mien.errors import ConfigError
from mien.web.bodies import Bodies
from mien.web.calls import Calls
from mien.web.door import Door
from mien.web.keys import Keys
from mien.web.origins import Origins
from mien.web.pages import LOGO_PATH, Pages, Static, not_found
from mien.web.sockets import SessionSocket, SocketLimits
from mien.web.statuses import error_json, http_status_of, refusal, status_of
from mien.web.upstream import Upstream
from mien.web.watching import Hub
from mien.websettings import WebSettings


def build_app(settings: Settings, upstream: Upstream, hub: Hub) -> Starlette:
    """The application.

    Args:
        settings: All of them; of the limits those that are kept before a message reaches the service.
        upstream: The service.
        hub: Where the sessions that can be watched will stand.

    Raises:
        ConfigError: A file that is named cannot be read.
    """
    web, limits = settings.web, settings.limits
    keys = Keys(_own_key(web))
    bodies = Bodies(
        max_message_bytes=limits.max_message_bytes, seconds=web.body_seconds, total_bytes=web.max_body_bytes_total
    )
    pages = Pages(web.kiosk)
    calls = Calls(upstream, keys=keys, bodies=bodies, hub=hub, send_seconds=limits.idle_seconds)
    socket_limits = SocketLimits(max_message_bytes=limits.max_message_bytes, send_seconds=limits.idle_seconds)

    async def session(socket: WebSocket) -> None:
        await SessionSocket(socket, upstream=upstream, keys=keys, hub=hub, limits=socket_limits).run()

    origins = Origins(host=web.address.rpartition(":")[0], hosts=web.hosts, allowed=web.allowed_origins)
    return Starlette(
        routes=[
            Route("/", pages.index),
            Route("/mien.js", pages.script),
            Route("/docs", pages.docs),
            Route("/openapi.json", pages.openapi),
            Route("/v1/kiosk", pages.kiosk),
            Route(LOGO_PATH, pages.logo),
            Route("/v1/info", calls.info),
            Route("/v1/analyze", calls.analyze, methods=["POST"]),
            Route("/v1/sessions/{session_id}/events", calls.events),
            WebSocketRoute("/v1/session", session),
            Mount("/static", Static()),
        ],
        middleware=[Middleware(Door, origins=origins)],
        exception_handlers={404: _nothing_there, 405: _other_method},
    )


async def _nothing_there(request: Request, error: Exception) -> Response:
    return not_found()


async def _other_method(request: Request, error: Exception) -> Response:
    told = refusal("this address takes another method; /docs tells which", code="UNIMPLEMENTED", reason="METHOD")
    status = status_of(told, where="a page")
    return JSONResponse(error_json(status), http_status_of(status), headers=getattr(error, "headers", None))


def _own_key(web: WebSettings) -> str:
    if web.key_file is None:
        return ""
    try:
        return web.key_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read key_file under [web], {web.key_file}: {error}") from error
