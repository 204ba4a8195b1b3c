"""Somebody who was let in: what they may do is asked here, on each call and each message of a stream."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from mien.access.errors import AccessError, AccessReason
from mien.access.keys import Key
from mien.access.quotas import Usage


class Caller:
    """One who calls. For one event loop."""

    def __init__(self, key: Key | None, usage: Usage | None, recheck: Callable[[], Key | None]) -> None:
        """Made by a ``Door``.

        Args:
            key: The key that was presented; None where the server asks for none.
            usage: What the key has used.
            recheck: Gives the key as it is now, and raises where it counts no more.
        """
        self._key = key
        self._usage = usage
        self._recheck = recheck

    @property
    def name(self) -> str:
        """The name that the operator gave the key, for logs; empty where the server asks for none."""
        return "" if self._key is None else self._key.name

    def check(self, call: str) -> None:
        """Make sure that the key, as it is now, allows this call; ask it anew while a stream lasts.

        Raises:
            AccessError: It counts no more, or does not allow it.
        """
        key = self._recheck()
        if key is not None and key.scopes.calls and call not in key.scopes.calls:
            raise AccessError(
                f"this key allows {', '.join(key.scopes.calls)}, not {call}", reason=AccessReason.CALL_NOT_ALLOWED
            )

    def allowed(self, named: Sequence[str], available: Sequence[str]) -> tuple[str, ...]:
        """The analyzers that a request is given.

        Args:
            named: Those that it names; empty for all that suit it.
            available: Those that suit it.

        Returns:
            ``named``, or those of ``available`` that the key allows; empty where it names none and the key allows all.

        Raises:
            AccessError: The key does not allow one that is named, or none of those available.
        """
        key = self._recheck()
        if key is None or not key.scopes.analyzers:
            return tuple(named)
        scope = key.scopes.analyzers
        if set(named) - set(scope) or not (named or set(available) & set(scope)):
            raise AccessError(
                f"this key allows the analyzers {', '.join(scope)}, and the request needs others",
                reason=AccessReason.ANALYZER_NOT_ALLOWED,
            )
        return tuple(named) or tuple(name for name in available if name in scope)

    def charge_call(self) -> None:
        """Count a call, or an item of a stream.

        Raises:
            AccessError: The key's calls are used up for now.
        """
        if self._usage is not None:
            self._usage.charge_call()

    def charge_bytes(self, count: int) -> None:
        """Count the bytes of a message.

        Raises:
            AccessError: The key's bytes are used up for now.
        """
        if self._usage is not None:
            self._usage.charge_bytes(count)

    def check_session(self) -> None:
        """Refuse a session or stream that would find no place; raises as ``session`` does."""
        if self._usage is not None:
            self._usage.check_session()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Count a session or stream for as long as it is open.

        Raises:
            AccessError: The key has as many open as it may.
        """
        if self._usage is None:
            yield
            return
        self._usage.open_session()
        try:
            yield
        finally:
            self._usage.sessions -= 1


ANYBODY: Final = Caller(None, None, lambda: None)
"""Whoever calls a server that asks for no key: may do everything."""

calling: Final[contextvars.ContextVar[Caller]] = contextvars.ContextVar("mien_caller", default=ANYBODY)
"""Who makes the call that this code runs for; a transport sets it."""
