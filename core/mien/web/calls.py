"""The REST calls: one moment analysed, what the server runs, and the watching of a session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from mien.v1 import sentiment_pb2 as pb
from mien.web.bodies import Bodies
from mien.web.compat import in_the_form_of
from mien.web.inputs import PROTOBUF_TYPES, analyze_request
from mien.web.keys import Keys
from mien.web.protojson import to_json
from mien.web.statuses import error_json, http_status_of, retry_seconds_of, status_of
from mien.web.upstream import Upstream
from mien.web.watching import Hub, Watcher

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

CALL_SECONDS: Final = 30.0
"""For one call of the service, whose own limits are tighter."""


class Calls:
    """The endpoints. Each answers an error as JSON with the service's own reason."""

    def __init__(self, upstream: Upstream, *, keys: Keys, bodies: Bodies, hub: Hub, send_seconds: float) -> None:
        """Take what they need.

        Args:
            upstream: The service.
            keys: Reads what callers present.
            bodies: Takes pictures and sounds in.
            hub: The sessions that can be watched.
            send_seconds: How long a watcher may take to read what is sent.
        """
        self._upstream = upstream
        self._keys = keys
        self._bodies = bodies
        self._hub = hub
        self._send_seconds = send_seconds

    async def info(self, request: Request) -> Response:
        """``GET /v1/info``."""
        return await self._answered(request, self._info)

    async def analyze(self, request: Request) -> Response:
        """``POST /v1/analyze``."""
        return await self._answered(request, self._analyze)

    async def events(self, request: Request) -> Response:
        """``GET /v1/sessions/{session_id}/events``."""
        return await self._answered(request, self._events)

    async def _info(self, request: Request) -> Response:
        info = await self._upstream.info(self._keys.metadata(request), timeout=CALL_SECONDS)
        return Response(to_json(info), media_type="application/json")

    async def _analyze(self, request: Request) -> Response:
        metadata = self._keys.metadata(request)
        async with self._bodies.of(request) as body:
            asked = await analyze_request(request.headers, request.query_params, body)
            response = await self._upstream.analyze(asked, metadata, timeout=CALL_SECONDS)
        return _in_the_form_that_is_asked_for(request, response)

    async def _events(self, request: Request) -> Response:
        watcher = self._hub.watch(request.path_params["session_id"], self._keys.presented(request))
        return EventStream(watcher, self._send_seconds)

    async def _answered(self, request: Request, call: Endpoint) -> Response:
        try:
            return await call(request)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except Exception as error:
            return error_response(error, where="an HTTP call", target=self._upstream.target)


def error_response(error: Exception, *, where: str, target: str = "") -> Response:
    """An error as JSON, with its HTTP status; see ``mien.web.statuses``."""
    status = status_of(error, where=where, target=target)
    retry = retry_seconds_of(status)
    headers = {} if retry is None else {"retry-after": str(max(1, round(retry)))}
    if http_status_of(status) == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(error_json(status), http_status_of(status), headers=headers)


def _in_the_form_that_is_asked_for(request: Request, response: pb.AnalyzeResponse) -> Response:
    compat = request.query_params.get("compat")
    if compat is not None:
        return Response(json.dumps(in_the_form_of(compat, response)), media_type="application/json")
    if request.headers.get("accept", "").partition(",")[0].strip().lower() in PROTOBUF_TYPES:
        return Response(response.SerializeToString(), media_type=PROTOBUF_TYPES[0])
    return Response(to_json(response), media_type="application/json")


class EventStream(Response):
    """What a watcher is told, until the session or the watcher ends, or the watcher reads nothing for too long."""

    media_type = "text/event-stream"

    def __init__(self, watcher: Watcher, send_seconds: float) -> None:
        super().__init__()
        self._watcher = watcher
        self._send_seconds = send_seconds
        del self.headers["content-length"]
        self.headers["x-accel-buffering"] = "no"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self._watcher.leave()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for part in self._watcher.stream():
            async with asyncio.timeout(self._send_seconds):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
