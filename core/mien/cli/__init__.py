"""The ``mien`` command: global options, error messages and exit codes. Each command is a module of its own.

Importing this loads typer and nothing heavy; a command imports what it needs when it runs. Exit codes: 0 done, 1 some
inputs failed (each named on stderr, the rest finished), 2 wrong usage or configuration.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mien.cli.plugin_commands import add_plugin_commands
from mien.cli.run_context import RunContext
from mien.cli.state import CliState
from mien.errors import AnalyzerNotFoundError, ConfigError, MienError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2

_BUILT_IN: Final = (
    "analyze",
    "listen",
    "kiosk",
    "serve",
    "web",
    "keys",
    "health",
    "devices",
    "plugins",
    "proto",
    "version",
)
"""Commands, each the module of its name in this package."""

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A disk, a quota or a file is full."""

_QUIET_DECODER: Final = "-8"
"""libav's level that prints nothing."""

_OPTIONS_WITH_VALUE: Final = frozenset({"--config"})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: Without the program's name; None takes the process's own.

    Raises:
        SystemExit: Always, with the exit code.
    """
    _log_to_stderr()
    _quieten_libraries()
    _replace_what_stdout_cannot_encode()
    try:
        _run(list(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as leaving:
        code = _flushed(leaving.code)
        if arguments is None and _threads_left():
            _leave_at_once(code)
        raise SystemExit(code) from None


def _run(arguments: list[str]) -> None:
    try:
        command = typer.main.get_command(build_app(arguments))
        command.main(arguments, prog_name="mien")
    except MienError as error:
        typer.echo(f"mien: {error}", err=True)
        raise SystemExit(exit_code_of(error)) from None
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        typer.echo(f"mien: cannot write: {error}", err=True)
        raise SystemExit(EXIT_FAILED) from None


def _replace_what_stdout_cannot_encode() -> None:
    """A name that the output's encoding does not have must not end the run."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _flushed(code: object) -> object:
    """The exit code, when all that was written has gone out, or cannot: else Python would complain at its very end."""
    if sys.stdout is None:
        return code
    try:
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if code in (None, 0) and not isinstance(error, BrokenPipeError):
            typer.echo(f"mien: cannot write: {error}", err=True)
        return code or EXIT_FAILED
    return code


def _threads_left() -> bool:
    """Whether a daemon thread lives: in a call that was given up on, or just letting go of what it held."""
    return any(thread.daemon for thread in threading.enumerate())


def _leave_at_once(code: object) -> None:
    """End the process without shutting the interpreter down, which a thread in native code would not survive.

    It would be ended in the middle of it, which some libraries answer by aborting the process.
    """
    logging.shutdown()
    with suppress(OSError):  # whoever read it has gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else EXIT_FAILED if code else 0)


def exit_code_of(error: MienError) -> int:
    """2 where the command line or the configuration is wrong, else 1."""
    return EXIT_USAGE if isinstance(error, ConfigError | AnalyzerNotFoundError) else EXIT_FAILED


def build_app(arguments: Sequence[str]) -> typer.Typer:
    """The command line; plugins are asked for their commands only where the arguments do not name a built-in one."""
    app = typer.Typer(
        name="mien",
        help="One customer-satisfaction signal from faces and, where allowed, voices.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    run = RunContext()
    app.callback()(_global_options(run))
    for name in _BUILT_IN:
        if importlib.util.find_spec(f"mien.cli.{name}") is not None:
            importlib.import_module(f"mien.cli.{name}").register(app)
    if _first_word(arguments) not in _BUILT_IN:
        add_plugin_commands(app, run)
    return app


def _global_options(run: RunContext) -> Callable[..., None]:
    def global_options(
        context: typer.Context,
        config: Annotated[
            Path | None,
            typer.Option("--config", metavar="FILE", help="Configuration, a TOML file.", show_default=False),
        ] = None,
        strict: Annotated[
            bool, typer.Option("--strict", help="Stop where a plugin cannot be loaded, instead of leaving it out.")
        ] = False,
    ) -> None:
        context.obj = CliState(config=config, strict=strict)
        context.call_on_close(context.obj.close)
        run.begin(context.obj)

    return global_options


def _first_word(arguments: Sequence[str]) -> str:
    """The command's name: the first argument that is neither a global option nor the value of one."""
    rest = iter(arguments)
    for argument in rest:
        if argument in _OPTIONS_WITH_VALUE:
            next(rest, None)
        elif not argument.startswith("-"):
            return argument
    return ""


class _OneLine(logging.Formatter):
    """``warning: what happened``."""

    def format(self, record: Any) -> str:
        return f"mien: {record.levelname.lower()}: {record.getMessage()}"


def _quieten_libraries() -> None:
    """What is wrong with a file is said once, in our words; who set these switches knows what for."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # read when OpenCV is imported
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _QUIET_DECODER)  # read when it opens its first video
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # read when gRPC is imported
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
