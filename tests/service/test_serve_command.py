"""``mien serve`` on the command line: its options, its output and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from service.processes import install, serve, serving

from mien.client import Client


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    return install(tmp_path)


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
        (["--address", "0.0.0.0:0"], 2, "would serve in plain text"),
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
