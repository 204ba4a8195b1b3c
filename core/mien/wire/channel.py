"""What both ends of a gRPC channel have to agree on."""

from __future__ import annotations

from typing import Final

KEEPALIVE_MS: Final = 30_000
"""Between two pings on a silent connection, from either side, so that a lost one is noticed."""


def channel_options(max_message_bytes: int) -> list[tuple[str, int]]:
    """The gRPC options that the server and the client share: the same message limits and pings in both directions."""
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_MS // 3),
    ]
