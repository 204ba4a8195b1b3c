"""What both ends of a gRPC channel have to agree on."""

from __future__ import annotations

import ipaddress
from importlib import resources
from typing import Final

KEEPALIVE_MS: Final = 30_000
"""Between two pings on a silent connection, from either side, so that a lost one is noticed."""

UNIX: Final = "unix:"
"""Before the path of a Unix socket."""


def channel_options(max_message_bytes: int) -> list[tuple[str, int]]:
    """The gRPC options that the server and the client share: the same message limits and pings in both directions."""
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_MS // 3),
        ("grpc.http2.max_pings_without_data", 0),  # a session may be silent for long, and its connection be lost
    ]


def service_config() -> str:
    """What clients in any language should be given as gRPC service config, JSON: which calls are tried again."""
    return (resources.files("mien.v1") / "service_config.json").read_text(encoding="utf-8")


def is_loopback(address: str) -> bool:
    """Whether an address, ``host:port`` or that of a Unix socket, can only be reached from this machine."""
    if address.startswith(UNIX):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name that may stand for any address
