"""Roots and certificates for the tests of connections over TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trustme


class Authority:
    """A root of its own, and files of what it issues."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.ca = trustme.CA()
        self.folder = folder
        self.root = self.write("root.pem", self.ca.cert_pem.bytes())

    def write(self, name: str, content: bytes) -> Path:
        """All at once, as whoever renews certificates should."""
        path = self.folder / name
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(path)
        return path

    def issue(self, name: str, **options: Any) -> tuple[Path, Path]:
        """Certificate and key."""
        leaf = self.ca.issue_cert("localhost", **options)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return self.write(f"{name}.pem", chain), self.write(f"{name}.key", leaf.private_key_pem.bytes())

    def server(self, *, client_ca: Path | None = None, **options: Any) -> dict[str, Any]:
        """The table ``[server]`` with a certificate for ``localhost``."""
        certificate, key = self.issue("server", **options)
        table = {"certificate": certificate, "key": key, **({"client_ca": client_ca} if client_ca else {})}
        return {"address": "localhost:0", "tls": table}
