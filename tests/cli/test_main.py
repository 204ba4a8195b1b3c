"""The command line as a whole: help, versions, plugins, and commands that plugins bring."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

import mien as package
from mien import hookimpl

Run = Callable[..., Any]

HEAVY = ("jax", "flax", "torch", "cv2", "grpc", "PIL")


class WithCommands:
    """A plugin that trains, evaluates, and greets."""

    @hookimpl
    def mien_register_commands(self, app: typer.Typer) -> None:
        train = typer.Typer()
        train.command("greeting")(lambda: typer.echo("trained"))
        app.add_typer(train, name="train")
        app.command("greet")(lambda: typer.echo("hello"))


class AlsoTrains:
    """A second plugin with a command of its own in the same group."""

    @hookimpl
    def mien_register_commands(self, app: typer.Typer) -> None:
        train = typer.Typer()
        train.command("other")(lambda: typer.echo("other trained"))
        app.add_typer(train, name="train")


class RaisesOnCommands:
    """A plugin that cannot add its commands."""

    @hookimpl
    def mien_register_commands(self, app: typer.Typer) -> None:
        raise ZeroDivisionError("a slip")


class WrongCommands:
    """A plugin with a command that typer cannot build."""

    @hookimpl
    def mien_register_commands(self, app: typer.Typer) -> None:
        def unbuildable(value: list[list[int]]) -> None:
            """Take what no command line can give."""

        app.command("unbuildable")(unbuildable)


class TakesAName:
    """A plugin with a command of a taken name."""

    @hookimpl
    def mien_register_commands(self, app: typer.Typer) -> None:
        app.command("analyze")(lambda: typer.echo("not the real one"))


def test_version(mien: Run) -> None:
    ran = mien("version")
    assert ran.code == 0
    assert ran.out.startswith(f"mien {package.__version__} ")


@pytest.mark.parametrize("arguments", [["--help"], ["version"], ["analyze", "--help"], ["plugins", "list"]])
def test_light_commands_load_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom mien.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as exit_:\n    code = exit_.code\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules], code or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.splitlines()[-1] == "LOADED [] 0", ran.stderr


STUCK = """
import atexit, sys, threading, typer, mien.cli
from mien.plugins.workers import CallTimeoutError, Lane

def command(hang: bool = False, code: int = 0) -> None:
    if hang:
        began = threading.Event()
        call = Lane("x").submit(lambda: (began.set(), threading.Event().wait(60)))
        began.wait()
        try:
            call.wait(0.0)
        except CallTimeoutError:
            print("no answer in time", end="")
    raise typer.Exit(code)

def build(arguments):
    app = typer.Typer()
    app.command()(command)
    return app

mien.cli.build_app = build
atexit.register(lambda: print("shut down", end=""))
mien.cli.main()
"""


@pytest.mark.parametrize(
    ("arguments", "out", "code"),
    [
        (["--hang"], "no answer in time", 0),
        (["--hang", "--code", "3"], "no answer in time", 3),
        (["--code", "3"], "shut down", 3),
    ],
)
def test_a_process_with_a_call_that_never_returned_leaves_without_shutting_down(
    arguments: list[str], out: str, code: int
) -> None:
    ran = subprocess.run([sys.executable, "-c", STUCK, *arguments], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == (out, "", code)


def test_plugins_list_as_json(mien: Run) -> None:
    ran = mien("plugins", "list", "--json")
    assert ran.code == 0
    rows = {row["name"]: row for row in json.loads(ran.out)}
    assert rows["face"]["modality"] == "face"
    assert rows["face"]["weights_license"] == "none"
    assert rows["face"]["enabled"] is True
    assert rows["quiet"]["enabled"] is False
    assert rows["fitted"]["kind"] == "fuser"


def test_plugins_list_names_what_failed_and_why(mien: Run, installed: Any) -> None:
    installed.plugins["broken"] = Broken()
    ran = mien("plugins", "list")
    assert ran.code == 0
    assert "broken: " in ran.out
    assert "the disk is full" in ran.out
    assert "loaded" in ran.out
    (row,) = [row for row in json.loads(mien("plugins", "list", "--json").out) if row["plugin"] == "broken"]
    assert row["state"] == "failed"
    assert "the disk is full" in row["reason"]


def test_strict_stops_where_a_plugin_is_broken(mien: Run, installed: Any) -> None:
    installed.plugins["broken"] = Broken()
    ran = mien("--strict", "plugins", "list")
    assert ran.code == 1
    assert "the disk is full" in ran.err


class Broken:
    """A plugin that cannot register."""

    @hookimpl
    def mien_register_analyzers(self, register: Any, context: Any) -> None:
        raise OSError("the disk is full")


def test_a_configuration_that_is_wrong_is_explained(mien: Run, tmp_path: Path) -> None:
    config = tmp_path / "mien.toml"
    config.write_text("[engine]\nanalysers = []\n")
    ran = mien("--config", config, "plugins", "list")
    assert ran.code == 2
    assert "engine.analysers" in ran.err
    assert mien("--config", tmp_path / "gone.toml", "plugins", "list").code == 2


def test_the_configuration_is_used(mien: Run, tmp_path: Path) -> None:
    config = tmp_path / "mien.toml"
    config.write_text('[engine]\nanalyzers = ["quiet"]\n')
    rows = {row["name"]: row for row in json.loads(mien("--config", config, "plugins", "list", "--json").out)}
    assert rows["quiet"]["enabled"] is True
    assert rows["face"]["enabled"] is False


def test_plugins_bring_commands_and_share_groups(mien: Run, installed: Any) -> None:
    installed.plugins["one"] = WithCommands()
    installed.plugins["two"] = AlsoTrains()
    assert mien("greet").out == "hello\n"
    assert mien("train", "greeting").out == "trained\n"
    assert mien("train", "other").out == "other trained\n"
    shown = mien("--help").out
    assert "greet" in shown
    assert "train" in shown
    assert "evaluate" not in shown  # nobody adds to it


def test_a_plugin_that_cannot_add_commands_costs_only_its_own(mien: Run, installed: Any, caplog: Any) -> None:
    installed.plugins["broken"] = RaisesOnCommands()
    installed.plugins["one"] = WithCommands()
    assert mien("greet").out == "hello\n"
    assert "a slip" in caplog.text


def test_commands_that_typer_cannot_build_are_left_out(mien: Run, installed: Any, caplog: Any) -> None:
    installed.plugins["wrong"] = WrongCommands()
    shown = mien("--help")
    assert shown.code == 0
    assert "unbuildable" not in shown.out
    assert "plugin 'wrong': its commands could not be added: AssertionError: List types" in caplog.text


def test_no_plugin_takes_the_name_of_a_built_in_command(mien: Run, installed: Any, caplog: Any) -> None:
    installed.plugins["greedy"] = TakesAName()
    installed.plugins["one"] = WithCommands()
    assert mien("greet").out == "hello\n"
    assert "plugin 'greedy': its commands could not be added: the command 'analyze' exists already" in caplog.text
    assert mien("analyze", "--text", "good").out != "not the real one\n"


def test_an_unknown_command_is_wrong_usage(mien: Run) -> None:
    ran = mien("analyse")
    assert ran.code == 2
    assert "analyse" in ran.err


def test_the_contract_is_printed_or_written_with_what_a_generator_needs(mien: Run, tmp_path: Path) -> None:
    contract = (Path(__file__).resolve().parents[2] / "proto/mien/v1/sentiment.proto").read_text()
    assert mien("proto").out == contract
    assert mien("proto", "--out", tmp_path / "protos").code == 0
    assert (tmp_path / "protos/mien/v1/sentiment.proto").read_text() == contract
    assert "message ErrorInfo" in (tmp_path / "protos/google/rpc/error_details.proto").read_text()
    (tmp_path / "file").touch()
    refused = mien("proto", "--out", tmp_path / "file")
    assert (refused.code, "cannot write" in refused.err) == (1, True)
