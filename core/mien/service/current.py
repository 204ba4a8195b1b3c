"""The call that this code runs for: its request id, for logs and answers, and who watches over it."""

from __future__ import annotations

import contextvars
import secrets
from dataclasses import dataclass, field
from typing import Final, Protocol

import grpc

REQUEST_ID: Final = "x-request-id"
"""The trailer, and the key in ``ErrorInfo.metadata``, that carry the request id."""


class Watch(Protocol):
    """Is told what becomes of calls."""

    def refused(self, call: Call, code: grpc.StatusCode, reason: str) -> None:
        """A call, or an item of a stream, was answered with an error."""


@dataclass(slots=True)
class Call:
    """One call.

    Attributes:
        service: Full name of its service, such as ``mien.v1.SentimentService``.
        method: Its name, such as ``Analyze``.
        peer: Address that it came from, as the transport spells it.
        watch: Is told what becomes of it.
        request_id: Made here, so that nothing a caller says gets into a log by it.
        caller: Name of the key that was presented; empty without one.
    """

    service: str
    method: str
    peer: str
    watch: Watch
    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    caller: str = ""


current_call: Final[contextvars.ContextVar[Call | None]] = contextvars.ContextVar("mien_call", default=None)
"""Set as long as a call is worked on, also in what runs for it on other threads."""


def note_refusal(code: grpc.StatusCode, reason: str) -> None:
    """Tell whoever watches over the current call that it, or an item of it, was answered with an error."""
    call = current_call.get()
    if call is not None:
        call.watch.refused(call, code, reason)
