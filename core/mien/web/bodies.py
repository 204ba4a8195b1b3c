"""Reads a request's body into memory, and nowhere else: bounded in bytes and in time, for each caller and together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import Request

from mien.errors import InputTooLargeError
from mien.web.statuses import refusal
from mien.wire.status import queue_full

SLACK_BYTES: Final = 64 << 10
"""For what stands around a picture in a body: JSON, a form's boundaries."""


class Bodies:
    """Takes bodies in."""

    def __init__(self, *, max_message_bytes: int, seconds: float, total_bytes: int) -> None:
        """Take the limits.

        Args:
            max_message_bytes: What the server takes; in base64 a third more arrives here.
            seconds: How long one body may take.
            total_bytes: Held at once, over all callers.
        """
        self.max_bytes: Final = max_message_bytes * 4 // 3 + SLACK_BYTES
        self._seconds = seconds
        self._total = total_bytes
        self._held = 0

    @asynccontextmanager
    async def of(self, request: Request) -> AsyncIterator[bytes]:
        """The body, held as long as the block runs.

        Raises:
            InputTooLargeError: It is too large.
            RefusedError: It took too long, or too much is held already.
        """
        told = request.headers.get("content-length", "")
        if told.isdigit() and int(told) > self.max_bytes:
            raise self._too_large()
        parts: list[bytes] = []
        try:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._read(request, parts)
            except TimeoutError:
                raise refusal(
                    f"the body did not arrive within {self._seconds:g} s",
                    code="DEADLINE_EXCEEDED",
                    reason="BODY_TOO_SLOW",
                ) from None
            yield b"".join(parts)
        finally:
            self._held -= sum(map(len, parts))

    async def _read(self, request: Request, parts: list[bytes]) -> None:
        size = 0
        async for part in request.stream():
            if self._held + len(part) > self._total:
                raise queue_full("too many pictures and sounds are on their way in at once; try again later")
            parts.append(part)
            self._held += len(part)
            size += len(part)
            if size > self.max_bytes:
                raise self._too_large()

    def _too_large(self) -> InputTooLargeError:
        return InputTooLargeError(f"the body is larger than {self.max_bytes} bytes, the most that is taken")
