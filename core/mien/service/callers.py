"""Whose call it is: what fairness, limits and quotas go by."""

from __future__ import annotations

import functools
import ipaddress
from typing import Any, Final
from urllib.parse import unquote

from mien.access import calling

LOCAL_SOCKET: Final = "unix"
"""How the address of a peer on a Unix socket begins."""


def caller_of(context: Any) -> str:
    """Who calls, as the scheduler tells callers apart: each has as much of the compute as any other.

    Whoever showed a key is known by its name. Otherwise another machine is one caller, however many connections it has;
    and on this machine each connection is one: behind it may be a program, or a proxy with many callers.

    Args:
        context: Of a call (``grpc.aio.ServicerContext``).
    """
    name = calling.get().name
    if name:
        return f"key:{name}"
    peer = str(context.peer())
    return peer if is_local(peer) else address_of(peer)


def peer_of(context: Any) -> str:
    """The address of another machine, without the port; empty for one of this machine, which has no limit of its own.

    Args:
        context: Of a call (``grpc.aio.ServicerContext``).
    """
    peer = str(context.peer())
    return "" if is_local(peer) else address_of(peer)


@functools.lru_cache(maxsize=1024)
def is_local(peer: str) -> bool:
    """Whether a peer as gRPC names it, such as ``ipv4:127.0.0.1:40000``, is of this machine."""
    if peer.startswith(LOCAL_SOCKET):
        return True
    try:
        found = ipaddress.ip_address(address_of(peer))
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


@functools.lru_cache(maxsize=1024)
def address_of(peer: str) -> str:
    """The host of a peer as gRPC names it: ``ipv4:192.0.2.7:40000``, ``ipv6:[2001:db8::1]:40000`` or its URL form."""
    family, _, rest = unquote(peer).partition(":")
    if family not in ("ipv4", "ipv6"):
        return peer
    host = rest.rpartition(":")[0]
    return host.strip("[]").partition("%")[0]
