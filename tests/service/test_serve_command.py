"""``mien serve`` as a user runs it: a process, with a plugin that is found through installation metadata."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mien.client import Client

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


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with a plugin's module and metadata, and a configuration."""
    info = tmp_path / "echo_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: echo-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mien.plugins]\necho = echo_plugin\n")
    (tmp_path / "echo_plugin.py").write_text(PLUGIN)
    (tmp_path / "mien.toml").write_text(CONFIG)
    return tmp_path


def serve(installed: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from mien.cli import main; main()", "serve", *options]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=installed,
    )


class Served:
    """A process that serves: its address, and once it has ended its output."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.output = ""
        self.code: int | None = None


@contextmanager
def serving(installed: Path, *options: str) -> Iterator[Served]:
    """A process that is told to stop afterwards."""
    ready = installed / "ready"
    process = serve(
        installed, "--config", "mien.toml", "--address", "127.0.0.1:0", "--ready-file", str(ready), *options
    )
    patience = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < patience
        time.sleep(0.02)
    served = Served(ready.read_text().strip())
    try:
        yield served
    finally:
        process.terminate()
        served.output, _ = process.communicate(timeout=25)
        served.code = process.returncode


def test_it_says_where_it_serves_and_answers_there(installed: Path) -> None:
    with serving(installed) as served:
        address = served.address
        with Client(address) as client:
            assert [p.analyzer for p in client.analyze(text="hello").predictions] == ["echo"]
        second = serve(installed, "--config", "mien.toml", "--address", address)
        _, complaint = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"mien: cannot listen on {address}" in complaint
        assert "Traceback" not in complaint
    assert served.output == (
        f"mien serves on {address} (plain text, this machine only); analyzers: echo; Ctrl-C ends it\n"
    )
    assert served.code == 0
    assert not (installed / "ready").exists()


def test_options_go_over_the_configuration(installed: Path) -> None:
    with (
        serving(installed, "--analyzer", "other", "--analyzer", "echo", "--reflection") as served,
        Client(served.address) as client,
    ):
        info = client.server_info()
    assert {analyzer.name for analyzer in info.analyzers if analyzer.enabled} == {"echo", "other"}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--address", "0.0.0.0:0"], 2, "plain text only"),
        (["--address", "nowhere"], 2, "expected host:port"),
        (["--analyzer", "nose"], 2, "names 'nose', which is not registered"),
        (["--config", "absent.toml"], 2, "cannot read the configuration absent.toml"),
        (["--config", "mien.toml", "--address", "127.0.0.1:0", "--ready-file", "no/such/folder"], 2, "ready file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(installed: Path, options: list[str], code: int, words: str) -> None:
    process = serve(installed, *options)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == code, complaint
    assert words in complaint
    assert "Traceback" not in complaint
