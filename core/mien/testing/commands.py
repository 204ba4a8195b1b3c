"""What commands of a plugin must do, as tests to subclass. No pytest is imported here."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from mien.testing.rules import Conformance, Grade, require, rule

if TYPE_CHECKING:
    import typer

HEAVY_MODULES = frozenset(
    {
        "cv2", "ctranslate2", "faster_whisper", "flax", "haiku", "jax", "jaxlib", "matplotlib", "onnxruntime",
        "openvino", "pandas", "scipy", "skimage", "sklearn", "tensorflow", "torch", "transformers",
    }
)  # fmt: skip
"""What takes tenths of a second and tens of megabytes to import, and so may not be for a list or a help text."""


class CommandsConformance(Conformance):
    """The contract of ``mien_register_commands``. Subclass it, name the subclass ``Test...``, define one fixture.

    Fixtures:
        add_commands: Adds the plugin's commands to a ``typer.Typer``, such as
            ``lambda app: plugin.mien_register_commands(app, context)``.
    """

    @rule(Grade.BRONZE)
    def test_there_are_commands_and_each_has_help(self, add_commands: Callable[[typer.Typer], object]) -> None:
        """Every command, at any depth, answers ``--help`` and says in a line what it does."""
        found = list(_commands(_built(add_commands)))
        require(bool(found), "no command was added")
        for path, command in found:
            require(bool((command.help or "").strip()), f"'mien {' '.join(path)}' has no help text")
            with contextlib.redirect_stdout(io.StringIO()) as shown:
                code = command.main(["--help"], prog_name=" ".join(path), standalone_mode=False)
            require(code in (0, None), f"'mien {' '.join(path)} --help' ended with {code}")
            require(bool(shown.getvalue()), f"'mien {' '.join(path)} --help' shows nothing")

    @rule(Grade.BRONZE)
    def test_commands_can_be_added_twice(self, add_commands: Callable[[typer.Typer], object]) -> None:
        """To another application: nothing is kept from the first."""
        names = [[path for path, _ in _commands(_built(add_commands))] for _ in range(2)]
        require(names[0] == names[1], f"the second time there are {names[1]}, the first time {names[0]}")

    @rule(Grade.BRONZE)
    def test_no_name_is_taken(self, add_commands: Callable[[typer.Typer], object]) -> None:
        """The commands of mien itself keep their names."""
        from mien.plugins.commands import add_commands as add_beside

        app = _empty_app()
        for name in MIEN_COMMANDS:
            app.command(name)(_nothing)
        add_beside(app, add_commands)

    @rule(Grade.SILVER)
    def test_adding_is_silent_and_cheap(self, add_commands: Callable[[typer.Typer], object]) -> None:
        """It happens whenever mien is started: nothing is printed, and nothing heavy imported."""
        before = set(sys.modules)
        with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(io.StringIO()) as told:
            _built(add_commands)
        heavy = sorted(HEAVY_MODULES & (set(sys.modules) - before))
        require(not heavy, f"adding the commands imports {', '.join(heavy)}; import it where a command runs")
        require(not printed.getvalue() + told.getvalue(), "something was printed while commands were added")


MIEN_COMMANDS = ("analyze", "devices", "kiosk", "listen", "plugin", "plugins", "serve", "version")
"""Names that mien has itself."""


def _built(add_commands: Callable[[typer.Typer], object]) -> Any:
    from typer.main import get_command

    app = _empty_app()
    add_commands(app)
    require(bool(app.registered_commands or app.registered_groups), "no command was added")
    return get_command(app)


def _empty_app() -> typer.Typer:
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.callback()(_nothing)
    return app


def _nothing() -> None:
    """Nothing."""


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below a group, with its words."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, each in sorted(inner.items()):
        yield from _commands(each, (*path, name))
