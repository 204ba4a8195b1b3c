"""Where results go: outputs that are not UTF-8, that are full, and that nobody reads any more."""

import io
import json
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mien.cli import main

Run = Callable[..., Any]
Picture = Callable[..., Path]


def exit_code(*arguments: object) -> object:
    with pytest.raises(SystemExit) as leaving:
        main([str(argument) for argument in arguments])
    return leaving.value.code


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_names_that_the_output_cannot_encode_cost_nothing(
    monkeypatch: pytest.MonkeyPatch, picture: Picture, encoding: str
) -> None:
    paths = [picture("\u6f22\u5b57 \U0001f600.png"), picture("ok.png")]
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert exit_code("analyze", *paths) in (None, 0)
    first, second = written.getvalue().decode(encoding).splitlines()
    assert "?? ?.png  1 face" in first
    assert "ok.png  1 face" in second


@pytest.mark.usefixtures("installed")
def test_json_keeps_names_that_the_output_cannot_encode(monkeypatch: pytest.MonkeyPatch, picture: Picture) -> None:
    paths = [picture("\u6f22\u5b57 \U0001f600 \xe9.png"), picture("ok.png")]
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    assert exit_code("analyze", "--json", *paths) in (None, 0)
    lines = written.getvalue().decode("latin-1").splitlines()
    assert [json.loads(line)["source"] for line in lines] == [str(path) for path in paths]


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_full_table_ends_the_run_with_one_line(mien: Run, picture: Picture, option: tuple[str, ...]) -> None:
    ran = mien("analyze", *option, picture("happy.png"), "--csv", "/dev/full")
    assert ran.code == 1
    assert ran.err == "mien: --csv: /dev/full cannot be written on: No space left on device\n"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("arguments", [("analyze", "--text", "good"), ("analyze", "--text", "good", "--json")])
def test_a_full_disk_behind_stdout_ends_the_run_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert exit_code(*arguments) == 1
    assert capsys.readouterr().err == "mien: the results cannot be written on: No space left on device\n"


@pytest.mark.usefixtures("installed")
def test_a_full_disk_is_told_of_by_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert exit_code("version") == 1
    assert capsys.readouterr().err == "mien: cannot write: [Errno 28] No space left on device\n"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_pipe_that_nobody_reads_ends_the_run_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], picture: Picture, option: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    nobody = os.fdopen(writer, "w", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", nobody)
    assert exit_code("analyze", *option, picture("happy.png"), picture("ok.png")) == 1
    with suppress(BrokenPipeError):  # what was not written
        nobody.close()
    assert capsys.readouterr().err == ""


def test_warnings_of_libraries_are_not_shown(mien: Run, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (10_000, 9_000)).save(path)  # so many pixels that Pillow warns of them
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        ran = mien("analyze", path)
    assert ran.code == 1
    assert ran.err == (
        f"mien: {path}: the picture is 10000 x 9000 = 90,000,000 pixels, and the limit is 64,000,000; send it smaller\n"
    )
