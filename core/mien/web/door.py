"""What every request and WebSocket passes first: the name and origin it came by, and the headers that go out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.web.origins import Origins
from mien.web.statuses import error_json, http_status_of, refusal, status_of

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from anywhere else, nothing inline."""

SECURITY_HEADERS: Final = (
    ("content-security-policy", POLICY),
    ("permissions-policy", "camera=(self), microphone=(self), geolocation=(), payment=(), usb=(), display-capture=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
STRICT_TRANSPORT: Final = ("strict-transport-security", "max-age=31536000")
CORS_HEADERS: Final = (
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", "authorization, content-type, accept, traceparent"),
    ("access-control-max-age", "600"),
)


class Door:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, *, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        out = _Out(send, [*SECURITY_HEADERS, *([STRICT_TRANSPORT] if scope["scheme"] in ("https", "wss") else [])])
        if refused := self._refusal(host, origin):
            await _refuse(scope, out, refused)
            return
        if origin is not None and self._origins.is_foreign(origin):
            out.headers += [("access-control-allow-origin", origin), ("vary", "origin")]
            if scope["type"] == "http" and scope["method"] == "OPTIONS":
                out.headers += CORS_HEADERS
                await _answer(out, 204, b"")
                return
        try:
            await self._app(scope, receive, out)
        except Exception as error:
            if out.has_begun:
                raise
            await _refuse(scope, out, error)

    def _refusal(self, host: str, origin: str | None) -> Exception | None:
        if not self._origins.serves(host):
            return refusal(
                "this gateway is not served under that name; list it in hosts under [web], or ask for it by address",
                code="FAILED_PRECONDITION",
                reason="HOST_NOT_SERVED",
            )
        if not self._origins.may_call(origin, host_header=host):
            return refusal(
                "pages of that origin may not call this gateway; list it in allowed_origins under [web]",
                code="PERMISSION_DENIED",
                reason="FOREIGN_ORIGIN",
            )
        return None


class _Out:
    """Sends with headers added to whatever begins an answer."""

    def __init__(self, send: Send, headers: Sequence[tuple[str, str]]) -> None:
        self._send = send
        self.headers = list(headers)
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
            self.has_begun = True
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            for name, value in self.headers:
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await self._send(message)


async def _refuse(scope: Scope, out: _Out, error: Exception) -> None:
    status = status_of(error, where="a request")
    body = json.dumps(error_json(status)).encode()
    await _answer(out, http_status_of(status), body, prefix="websocket." if scope["type"] == "websocket" else "")


async def _answer(out: _Out, status: int, body: bytes, *, prefix: str = "") -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await out({"type": f"{prefix}http.response.start", "status": status, "headers": headers})
    await out({"type": f"{prefix}http.response.body", "body": body})
