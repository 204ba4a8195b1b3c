"""``mien keys`` and ``mien health`` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.access import load_keys
from mien.cli import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_a_key_is_shown_once_and_listed_without_its_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "keys.json")
    options = ["--call", "Analyze", "--analyzer", "face", "--calls-per-minute", "60", "--sessions", "2", "--days", "7"]
    assert run("keys", "new", "kiosk-1", "--file", file, *options) == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith("mien_")
    assert run("keys", "list", "--file", file) == 0
    listed = capsys.readouterr().out
    assert "active\tkiosk-1\tcalls: Analyze; analyzers: face; calls a minute: 60; sessions: 2; until: " in listed
    assert token.rpartition("_")[2] not in listed
    assert run("keys", "revoke", "kiosk-1", "--file", file) == 0
    assert [key.state for key in load_keys(Path(file))] == ["revoked"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["keys", "list"], "which file of keys?"),
        (["keys", "list", "--file", "absent.json"], "there is no file of keys absent.json"),
        (["keys", "new", "a", "--file", "no/such/keys.json"], "cannot use the folder no/such"),
        (["keys", "new", "a", "--file", "keys.json", "--call", "Sing"], "there is no call Sing; known are: Analyze"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    assert words in capsys.readouterr().err


def test_a_server_that_is_not_there_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("health", "--server", "127.0.0.1:1") == 1
    assert "cannot reach a mien server at 127.0.0.1:1" in capsys.readouterr().err
