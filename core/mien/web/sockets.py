"""WebSocket ``/v1/session``: one ``StreamSession`` call, its messages as text (JSON) or binary (protobuf).

Reading waits until the service has taken what was read, and the service waits until the caller has taken what was
answered, so that neither end can fill this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.rpc import status_pb2
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from mien.errors import InputTooLargeError
from mien.v1 import sentiment_pb2 as pb
from mien.web.keys import PROTOCOL, Keys, protocols_of
from mien.web.protojson import from_bytes, from_json, to_json
from mien.web.statuses import CLOSE_NORMAL, close_code_of, error_json, status_of
from mien.web.upstream import Upstream
from mien.web.watching import Hub, Watched

ENDS_IT: Final = frozenset({CLOSE_NORMAL})
"""Close codes by which a caller says that nothing more comes; after any other the connection counts as lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """What one socket may take.

    Attributes:
        max_message_bytes: One message, as protobuf.
        send_seconds: How long a caller may take to read what is sent.
    """

    max_message_bytes: int
    send_seconds: float


class _LostError(Exception):
    """The caller's connection is gone."""


class SessionSocket:
    """One caller's session."""

    def __init__(self, socket: WebSocket, *, upstream: Upstream, keys: Keys, hub: Hub, limits: SocketLimits) -> None:
        self._socket = socket
        self._upstream = upstream
        self._keys = keys
        self._hub = hub
        self._limits = limits
        self._binary = False
        self._watched: Watched | None = None
        self._session_id = ""
        self._broken: Exception | None = None
        self._has_left = False

    async def run(self) -> None:
        """Follow it to its end."""
        offered = protocols_of(self._socket.headers)
        await self._socket.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
        try:
            metadata = self._keys.metadata(self._socket)
            key = self._keys.presented(self._socket)
        except Exception as error:
            await self._end(self._status(error))
            return
        call = self._upstream.session(metadata)
        reading = asyncio.create_task(self._read_all(call))
        answering = asyncio.create_task(self._answer_all(call, key))
        try:
            await asyncio.wait({reading, answering}, return_when=asyncio.FIRST_COMPLETED)
            # A caller who is lost costs the call, so that the service keeps the session for whoever resumes it; one who
            # has said all is answered to the end.
            if reading.done() and isinstance(reading.exception(), _LostError):
                return
            await self._end(await answering)
        except (_LostError, WebSocketDisconnect):
            return
        finally:
            call.cancel()
            for task in (reading, answering):
                task.cancel()
            await asyncio.gather(reading, answering, return_exceptions=True)
            if self._watched is not None:
                self._hub.close_session(self._session_id, self._watched)

    # From the caller

    async def _read_all(self, call: Any) -> None:
        try:
            while (message := await self._next()) is not None:
                await call.write(self._parsed(message))
        except _LostError:
            raise
        except (grpc.RpcError, asyncio.InvalidStateError):
            return  # why the call ended is told by whoever reads its answers
        except Exception as error:
            self._broken = error
        with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
            await call.done_writing()

    async def _next(self) -> Message | None:
        """The next message; None where the caller has said that nothing more comes."""
        message = await self._socket.receive()
        if message["type"] == "websocket.receive":
            return message
        if message.get("code") in ENDS_IT:
            self._has_left = True  # the session still gets its summary, for the records and for who watches
            return None
        raise _LostError

    def _parsed(self, message: Message) -> pb.StreamSessionRequest:
        text, data = message.get("text"), message.get("bytes")
        found = (
            from_json(text, pb.StreamSessionRequest)
            if text is not None
            else from_bytes(data or b"", pb.StreamSessionRequest)
        )
        if found.ByteSize() > self._limits.max_message_bytes:
            raise InputTooLargeError(
                f"the message has {found.ByteSize()} bytes, of which at most {self._limits.max_message_bytes} are taken"
            )
        self._binary = text is None
        return found

    # To the caller

    async def _answer_all(self, call: Any, key: str) -> status_pb2.Status | None:
        """Pass answers on to the end; why it ended, where that was a refusal."""
        try:
            while (response := await call.read()) is not grpc.aio.EOF:
                self._watch(response, key)
                await self._send(response.SerializeToString() if self._binary else to_json(response))
        except grpc.RpcError as error:
            return self._status(self._broken or error)
        return self._status(self._broken) if self._broken is not None else None

    def _watch(self, response: pb.StreamSessionResponse, key: str) -> None:
        if response.HasField("started") and self._watched is None:
            self._session_id = response.started.session_id
            self._watched = self._hub.open(self._session_id, key)
        if self._watched is not None:
            self._watched.tell(response)

    async def _send(self, content: str | bytes) -> None:
        if self._has_left:
            return
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                if isinstance(content, str):
                    await self._socket.send_text(content)
                else:
                    await self._socket.send_bytes(content)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            raise _LostError from None

    async def _end(self, status: status_pb2.Status | None) -> None:
        """Say how it ended, and close."""
        code, reason = CLOSE_NORMAL, ""
        if status is not None:
            content = error_json(status)
            code, reason = close_code_of(status), str(content["error"]["reason"])
            with contextlib.suppress(_LostError):
                await self._send(json.dumps(content, ensure_ascii=False))
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(code, reason)

    def _status(self, error: Exception) -> status_pb2.Status:
        return status_of(error, where="a session", target=self._upstream.target)
