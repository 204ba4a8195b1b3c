"""Where a server listens: which addresses need what, and taking them from nobody."""

from __future__ import annotations

import contextlib
import socket

import grpc

from mien.errors import ConfigError, MienError
from mien.service.tls import Certificates
from mien.wire.channel import UNIX, is_loopback


class ServerStartError(MienError):
    """The server could not begin to listen."""


def check_address(address: str, *, insecure: bool, tls: bool = False) -> None:
    """Refuse plain text over a network that was not asked for aloud.

    Raises:
        ConfigError: Other machines can reach the address, and neither ``tls`` nor ``insecure`` is set.
    """
    if insecure or tls or is_loopback(address):
        return
    raise ConfigError(
        f"{address} can be reached from other machines, and would serve in plain text: anyone on the way could see"
        " faces, words and keys. Name a certificate (--tls-certificate and --tls-key, or [server.tls]), or say"
        " --insecure ([server] insecure = true) where the network is trusted"
    )


def bind(server: grpc.aio.Server, address: str, certificates: Certificates | None) -> str:
    """Have a server listen on an address, over TLS where there are certificates.

    Returns:
        The address, with the port that was chosen where 0 was asked for.

    Raises:
        ServerStartError: It cannot be listened on.
    """
    if address.startswith(UNIX):
        _refuse_socket_in_use(address)
    try:
        if certificates is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, certificates.credentials())
    except RuntimeError:
        port = 0
    if port == 0:
        raise _cannot_listen(address)
    return address if address.startswith(UNIX) else f"{address.rpartition(':')[0]}:{port}"


def _refuse_socket_in_use(address: str) -> None:
    """Let gRPC take a socket's path only where it was left behind; it would also take it from whoever listens there."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(address.removeprefix(UNIX).removeprefix("//"))
        raise _cannot_listen(address)


def _cannot_listen(address: str) -> ServerStartError:
    return ServerStartError(
        f"cannot listen on {address}: another program, perhaps another mien server, has the port, or the address"
        " is not one of this machine's; choose another with --address (port 0 takes a free one)"
    )
