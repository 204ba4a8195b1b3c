"""A stand-in for the Hugging Face hub on a loopback port: one repository, whose files may be cut or forged."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 1000
"""Bytes from which a file has its SHA-256 for an ETag, as those in large-file storage have."""


@dataclass
class Hub:
    """What it holds and what it does wrong.

    Attributes:
        repository: Its id.
        files: Name -> content.
        cut: Names of which only half comes.
        forged: Names of which other bytes come than the checksum says.
        asked: Paths that were fetched, in order.
        address: Where it answers.
    """

    repository: str
    files: dict[str, bytes]
    cut: set[str] = field(default_factory=set)
    forged: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    address: str = ""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Answer until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            hub.asked.append(self.path)
            self._answer(with_body=True)

        def log_message(self, *_: object) -> None:
            return

        def _answer(self, *, with_body: bool) -> None:
            prefix = f"/{hub.repository}/resolve/main/"
            name = self.path.removeprefix(prefix)
            if not self.path.startswith(prefix) or name not in hub.files:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound" if hub.repository in self.path else "RepoNotFound")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = hub.files[name]
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{etag(content)}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if with_body:
                sent = content[::-1] if name in hub.forged else content
                self.wfile.write(sent[: len(sent) // 2] if name in hub.cut else sent)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def etag(content: bytes) -> str:
    """SHA-256 of a large file, git's object id of a small one, as the hub has it."""
    if len(content) >= LARGE:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
