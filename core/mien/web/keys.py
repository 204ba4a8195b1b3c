"""The key that a caller presents, on its way from an HTTP header to gRPC's metadata. Checking it is the server's."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import HTTPConnection

from mien.web.statuses import refusal

PROTOCOL: Final = "mien.v1"
"""The WebSocket subprotocol that the gateway speaks."""

KEY_PROTOCOL: Final = "mien.key."
"""Begins a second subprotocol that carries the key as base64url, because browsers set no header on a WebSocket. A
header is not logged as an address would be."""

_KEY: Final = re.compile(r"[\x21-\x7e]{1,512}")
_TRACE: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Keys:
    """Reads what callers present."""

    def __init__(self, own_key: str = "") -> None:
        """Take the key for callers on this machine who bring none; empty for none."""
        self._own = own_key

    def presented(self, connection: HTTPConnection) -> str:
        """The caller's key; empty where there is none.

        Raises:
            RefusedError: It is no key at all.
        """
        header = connection.headers.get("authorization", "")
        if header:
            scheme, _, key = header.partition(" ")
            if scheme.lower() != "bearer":
                raise _wrong("expected an Authorization header of the form 'Bearer KEY'")
            return _checked(key.strip())
        for offered in protocols_of(connection.headers):
            if offered.startswith(KEY_PROTOCOL):
                return _checked(_decoded(offered.removeprefix(KEY_PROTOCOL)))
        return self._own if self._own and _is_of_this_machine(connection) else ""

    def metadata(self, connection: HTTPConnection) -> Sequence[tuple[str, str]]:
        """What the server is told of the caller: the key, and the trace where one is sent.

        Raises:
            RefusedError: The key is no key at all.
        """
        key = self.presented(connection)
        trace = connection.headers.get("traceparent", "")
        given = [("authorization", f"Bearer {key}")] if key else []
        return [*given, *([("traceparent", trace)] if _TRACE.fullmatch(trace) else [])]


def protocols_of(headers: Mapping[str, str]) -> list[str]:
    """The WebSocket subprotocols that were offered."""
    return [each.strip() for each in headers.get("sec-websocket-protocol", "").split(",") if each.strip()]


def fingerprint(key: str) -> bytes:
    """What tells two callers' keys apart without holding them."""
    return hashlib.sha256(key.encode()).digest()


def _is_of_this_machine(connection: HTTPConnection) -> bool:
    return connection.client is not None and connection.client.host in ("127.0.0.1", "::1")


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise _wrong(f"expected the key as base64url after {KEY_PROTOCOL!r} in Sec-WebSocket-Protocol") from None


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise _wrong("expected a key of 1 to 512 printable ASCII characters without spaces")
    return key


def _wrong(message: str) -> Exception:
    return refusal(message, code="UNAUTHENTICATED", reason="KEY_INVALID")
