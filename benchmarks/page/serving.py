"""``mien serve`` with its gateway, in a process of its own that can be killed and started again at the same address."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final

PATIENCE_SECONDS: Final = 120.0


class Served:
    """A server and the records that it writes."""

    def __init__(self, folder: Path, config: str, *options: str) -> None:
        """Take an empty folder and a configuration; ``start`` starts it."""
        self._folder = folder
        self._options = options
        self.port = free_port()
        self.records = folder / "records.jsonl"
        self._config = folder / "mien.toml"
        self._config.write_text(f'{config}\n[plugins.records.jsonl]\npath = "{self.records}"\n')
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: It has ended, or does not answer.
        """
        command = [sys.executable, "-c", "from mien.cli import main; main()", "serve", "--config", str(self._config)]
        ready = self._folder / "ready"
        ready.unlink(missing_ok=True)
        command += ["--address", "127.0.0.1:0", "--ready-file", str(ready)]
        command += ["--web-address", f"127.0.0.1:{self.port}", *self._options]
        with (self._folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > give_up:
                self.kill()
                raise RuntimeError(f"mien serve does not answer:\n{(self._folder / 'server.log').read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def summaries(self) -> list[dict[str, Any]]:
        """The sessions that were recorded."""
        if not self.records.exists():
            return []
        found = [json.loads(line) for line in self.records.read_text().splitlines()]
        return [record["summary"] for record in found if record["kind"] == "summary"]

    def __enter__(self) -> Served:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE_SECONDS)
            self.process = None


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
