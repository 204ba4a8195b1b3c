"""Whose pages may call: the name that was asked for, and the origin that a browser states."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit


class Origins:
    """The allow-list of one gateway."""

    def __init__(self, *, host: str, hosts: Sequence[str], allowed: Sequence[str]) -> None:
        """Take the names.

        Args:
            host: The address that is listened on.
            hosts: Names under which this gateway may be asked for, beside this machine's own.
            allowed: Other origins whose pages may call, such as ``https://shop.example``.
        """
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", host.strip("[]").lower(), *hosts}
        self._allowed = frozenset(allowed)

    def serves(self, host_header: str) -> bool:
        """Whether the ``Host`` header names this gateway. No stranger can point an address of numbers here."""
        try:
            name = urlsplit(f"//{host_header}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True

    def is_foreign(self, origin: str) -> bool:
        """Whether an ``Origin`` header is that of a listed page of another origin."""
        return origin.lower() in self._allowed

    def may_call(self, origin: str | None, *, host_header: str) -> bool:
        """Whether a page of this origin may call; no origin is no browser's page, or one of this gateway's own."""
        if origin is None or self.is_foreign(origin):
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host_header.lower()
