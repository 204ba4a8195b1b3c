"""Sessions that outlive their connection: kept for a while, found again by a token, or ended with their summary.

A token is 256 random bits, of which only the hash is held. It opens its session to the key that the session was begun
with, and to nobody else.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, Final, Generic, Protocol, TypeVar

import grpc

from mien.service.entrance import bearer_of
from mien.service.limits import Gate
from mien.session import SessionEnd
from mien.wire.status import RefusedError

TOKEN_BYTES: Final = 32
MAX_TOKEN_CHARACTERS: Final = 128
"""Of a token that is presented; longer ones are nobody's."""

_log = logging.getLogger("mien.service")


class Keepable(Protocol):
    """A session that may lose its connection."""

    async def end_alone(self, end: SessionEnd) -> None:
        """End it without a caller: the summary goes to the sinks."""


Session = TypeVar("Session", bound=Keepable)


class Kept(Generic[Session]):
    """The sessions of one server that have a token. For one event loop."""

    def __init__(self, gate: Gate, *, seconds: float, most: int) -> None:
        """Prepare.

        Args:
            gate: Counts sessions without a connection among what a drain waits for, and says when it begins.
            seconds: How long one without a connection is kept; 0 keeps none, and gives no tokens.
            most: So many are kept without a connection; of more the one that has waited longest is ended.
        """
        self._gate = gate
        self._seconds = seconds
        self._most = most
        self._sessions: dict[bytes, tuple[Session, bytes]] = {}
        self._waiting: dict[Session, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def keeps(self) -> bool:
        """Whether sessions are kept at all."""
        return self._seconds > 0 and not self._gate.draining.is_set()

    @property
    def seconds(self) -> float:
        """How long a session without a connection is kept."""
        return self._seconds

    def __len__(self) -> int:
        """How many wait for their callers."""
        return len(self._waiting)

    def add(self, session: Session, owner: bytes) -> str:
        """Give a session a token; empty where none are kept.

        Args:
            session: The session.
            owner: Whose it is; ``owner_of`` tells.
        """
        if not self.keeps:
            return ""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._sessions[_hash(token)] = (session, owner)
        return token

    def remove(self, session: Session) -> None:
        """Forget a session, which is over."""
        self._sessions = {token: entry for token, entry in self._sessions.items() if entry[0] is not session}

    def find(self, token: str, owner: bytes) -> Session:
        """The session of a token, whether or not its connection is known to be lost; it waits no more.

        Raises:
            RefusedError: There is none, or it is somebody else's; the words are the same for both.
        """
        found = self._sessions.get(_hash(token)) if len(token) <= MAX_TOKEN_CHARACTERS else None
        if found is None or not hmac.compare_digest(found[1], owner):
            raise RefusedError(
                "no session waits under this resume_token: it has ended, its time has run out, or it is another key's;"
                " begin a new one",
                code=grpc.StatusCode.NOT_FOUND,
                reason="SESSION_GONE",
            )
        session = found[0]
        self._stop_waiting(session)
        return session

    def keep(self, session: Session) -> None:
        """Let a session that has lost its connection wait for its caller."""
        while len(self._waiting) >= max(1, self._most):
            oldest = next(iter(self._waiting))
            self._stop_waiting(oldest)
            self._spawn(self._end(oldest, SessionEnd.IDLE))
        self._waiting[session] = found = asyncio.Event()
        self._spawn(self._wait(session, found))

    def _stop_waiting(self, session: Session) -> None:
        if session in self._waiting:
            self._waiting.pop(session).set()

    async def _wait(self, session: Session, found: asyncio.Event) -> None:
        """Until the caller is back, the time has run out, or the server drains."""
        events = [asyncio.create_task(each.wait()) for each in (found, self._gate.draining)]
        try:
            await asyncio.wait(events, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in events:
                each.cancel()
        if found.is_set():
            return
        self._waiting.pop(session, None)
        await self._end(session, SessionEnd.DRAINING if self._gate.draining.is_set() else SessionEnd.IDLE)

    async def _end(self, session: Session, end: SessionEnd) -> None:
        self.remove(session)
        try:
            await session.end_alone(end)
        except Exception as error:
            _log.warning("a session without a connection could not be ended well: %s", type(error).__name__)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        """Begin something that a drain waits for, from this moment on."""
        lingering = ExitStack()
        lingering.enter_context(self._gate.lingering())
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            lingering.close()

        task.add_done_callback(over)


def owner_of(context: Any) -> bytes:
    """Whose a call is, as far as its key tells: equal for calls that present the same key, or none.

    Args:
        context: Of the call (``grpc.aio.ServicerContext``).
    """
    key = bearer_of(context.invocation_metadata())
    return bytes(32) if key is None else _hash(key)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
