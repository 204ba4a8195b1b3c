"""``mien serve`` as a user runs it: a process, with a plugin that is found through installation metadata."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLUGIN = """
from mien import SampleKind, hookimpl
from mien.testing import FakeAnalyzer, FakeFuser, analyzer_info
from mien.interfaces import FuserInfo

@hookimpl
def mien_register_analyzers(register):
    register("echo", analyzer_info("text", SampleKind.TEXT), lambda: FakeAnalyzer("text"))
    register("other", analyzer_info("text", SampleKind.TEXT), lambda: FakeAnalyzer("text"))

@hookimpl
def mien_register_fusers(register):
    register("mean", FuserInfo(version="0"), FakeFuser)
"""
CONFIG = '[engine]\nanalyzers = ["echo"]\n[fusion]\nfuser = "mean"\n'


def install(tmp_path: Path) -> Path:
    """A folder with a plugin's module and metadata, and a configuration."""
    info = tmp_path / "echo_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: echo-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mien.plugins]\necho = echo_plugin\n")
    (tmp_path / "echo_plugin.py").write_text(PLUGIN)
    (tmp_path / "mien.toml").write_text(CONFIG)
    return tmp_path


def serve(installed: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    """The process, with variables over the environment."""
    command = [sys.executable, "-c", "from mien.cli import main; main()", "serve", *options]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")]),
            **variables,
        },
        cwd=installed,
    )


class Served:
    """A process that serves: its address, and once it has ended its output and what it logged."""

    def __init__(self, address: str, process: int) -> None:
        self.address = address
        self.process = process
        self.output = self.errors = ""
        self.code: int | None = None


@contextmanager
def serving(installed: Path, *options: str, **variables: str) -> Iterator[Served]:
    """A process that is told to stop afterwards."""
    ready = installed / "ready"
    process = serve(
        installed,
        "--config",
        "mien.toml",
        "--address",
        "127.0.0.1:0",
        "--ready-file",
        str(ready),
        *options,
        **variables,
    )
    patience = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < patience
        time.sleep(0.02)
    served = Served(ready.read_text().strip(), process.pid)
    try:
        yield served
    finally:
        process.terminate()
        served.output, served.errors = process.communicate(timeout=25)
        served.code = process.returncode
