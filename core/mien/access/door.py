"""From a key that somebody presents to a ``Caller``.

The slow hash is paid once a key: what was found is remembered under a keyed digest (BLAKE2b under a secret of this
process), so that no key stays in memory. Hashing runs in a thread of its own, a few at a time of each key, so that
guessing at one key keeps out nobody who has another, and slows nobody down who has been here before.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import logging
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from mien.access.callers import ANYBODY, Caller
from mien.access.errors import AccessError, AccessReason
from mien.access.hashing import hasher, matches
from mien.access.keys import Key, id_of
from mien.access.quotas import Usage
from mien.access.store import load_keys
from mien.errors import ConfigError

MAX_REMEMBERED: Final = 4096
"""Digests of wrong keys that were tried; the oldest are forgotten."""

MAX_HASHING: Final = 32
"""Keys that wait to be hashed."""

MAX_HASHING_OF_ONE: Final = 4
"""Of those with the same id."""

LOOK_SECONDS: Final = 1.0
"""How often the file is looked at for a change, at most."""

_log = logging.getLogger("mien.access")


class Door:
    """Lets callers in. For one event loop; ``close`` it."""

    def __init__(
        self,
        path: Path | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        check: Callable[[str, str], bool] = matches,
    ) -> None:
        """Read the keys.

        Args:
            path: The file of keys; None lets everybody in.
            clock: Seconds, for quotas.
            check: Whether a hash is that of a key; slow, run in a thread.

        Raises:
            ConfigError: The file cannot be read, or is not one of keys.
            MissingDependencyError: argon2-cffi is not installed.
        """
        self._path = path
        self._clock = clock
        self._check = check
        self._secret = secrets.token_bytes(32)
        self._keys: dict[str, Key] = {}
        self._usage: dict[str, Usage] = {}
        self._right: dict[str, bytes] = {}
        self._tried: OrderedDict[bytes, asyncio.Future[bool]] = OrderedDict()
        self._hashing: Counter[str] = Counter()
        self._seen: tuple[int, ...] = ()
        self._looked_at = -LOOK_SECONDS
        self._threads: ThreadPoolExecutor | None = None
        if path is not None:
            hasher()  # tells at the start that it is missing
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="mien-keys")
            self._seen = self._signature()
            self._adopt(load_keys(path))

    @property
    def asks_for_keys(self) -> bool:
        """Whether a caller needs one."""
        return self._path is not None

    def reload(self) -> None:
        """Read the file again. One that cannot be used changes nothing, and is told in the log."""
        if self._path is None:
            return
        self._seen = self._signature()
        try:
            self._adopt(load_keys(self._path))
        except ConfigError as error:
            _log.error("the keys were not read again, and stay as they are: %s", error)
        else:
            _log.info("%d keys count", sum(key.state == "active" for key in self._keys.values()))

    async def let_in(self, presented: str | None, call: str) -> Caller:
        """Find who presents a key, and whether they may make a call.

        Args:
            presented: The key; None where there was none.
            call: Its name, such as ``Analyze``.

        Raises:
            AccessError: There is no key, it does not count, or it does not allow the call.
        """
        if self._path is None:
            return ANYBODY
        self._look()
        if not presented:
            raise AccessError(
                "this server asks for a key: send it as 'authorization: Bearer KEY' (Client(..., key=...) in Python)",
                reason=AccessReason.KEY_MISSING,
            )
        key_id = id_of(presented)
        key = None if key_id is None else self._keys.get(key_id)
        if key is None or not await self._is_right(key, presented):
            raise AccessError("this server knows no such key", reason=AccessReason.KEY_INVALID)
        caller = Caller(key, self._usage[key.id], lambda: self._current(key.id))
        caller.check(call)
        return caller

    def close(self) -> None:
        """End the thread."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _current(self, key_id: str) -> Key:
        self._look()
        key = self._keys.get(key_id)
        if key is None or key.state == "revoked":
            raise AccessError("this key was revoked", reason=AccessReason.KEY_REVOKED)
        if key.state == "expired":
            raise AccessError("this key has expired", reason=AccessReason.KEY_EXPIRED)
        return key

    async def _is_right(self, key: Key, presented: str) -> bool:
        digest = hashlib.blake2b(f"{key.hash}\n{presented}".encode(), key=self._secret, digest_size=32).digest()
        if hmac.compare_digest(self._right.get(key.id, b""), digest):
            return True
        tried = self._tried.get(digest)
        if tried is None:
            tried = self._try(digest, key, presented)
        else:
            self._tried.move_to_end(digest)
        # Shielded: another caller may wait for the same.
        is_right = await asyncio.shield(tried)
        if is_right:
            self._right[key.id] = digest
            self._tried.pop(digest, None)
        return is_right

    def _try(self, digest: bytes, key: Key, presented: str) -> asyncio.Future[bool]:
        if self._hashing.total() >= MAX_HASHING or self._hashing[key.id] >= MAX_HASHING_OF_ONE:
            raise AccessError(
                "too many keys are being checked; try again in a second",
                reason=AccessReason.ACCESS_BUSY,
                retry_seconds=1.0,
            )
        assert self._threads is not None  # noqa: S101 - there are keys, so there is a thread
        self._hashing[key.id] += 1
        trying = asyncio.get_running_loop().run_in_executor(self._threads, self._check, key.hash, presented)
        trying.add_done_callback(functools.partial(self._tried_one, key.id, digest))
        self._tried[digest] = trying
        while len(self._tried) > MAX_REMEMBERED:
            self._tried.popitem(last=False)
        return trying

    def _tried_one(self, key_id: str, digest: bytes, trying: asyncio.Future[bool]) -> None:
        self._hashing -= Counter((key_id,))  # which forgets those that have none
        if trying.cancelled() or trying.exception() is not None:
            self._tried.pop(digest, None)  # nothing was found out; whoever comes next tries again

    def _look(self) -> None:
        """Read the file again where it has changed."""
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if self._signature() != self._seen:
            self.reload()

    def _signature(self) -> tuple[int, ...]:
        assert self._path is not None  # noqa: S101 - asked only where there is a file
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _adopt(self, keys: tuple[Key, ...]) -> None:
        self._keys = {key.id: key for key in keys}
        self._right = {key_id: digest for key_id, digest in self._right.items() if key_id in self._keys}
        for key in keys:
            if key.id in self._usage:
                self._usage[key.id].adopt(key.limits)
            else:
                self._usage[key.id] = Usage(key.limits, self._clock)
