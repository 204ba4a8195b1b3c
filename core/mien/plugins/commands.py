"""Lets a plugin add commands to the command line, all of them or none. The commands of mien itself are ``mien.cli``.

Groups of one name become one group, so that several plugins may each add to ``mien train``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mien.errors import PluginError

if TYPE_CHECKING:
    import typer


def add_commands(app: typer.Typer, add: Callable[[typer.Typer], object]) -> None:
    """Have ``add`` add commands, and take them into ``app``; where anything of it is wrong, none is taken.

    Args:
        app: The application.
        add: Called with an application of its own, which has the groups of ``app`` (empty) to add to: what it does to
            that later, or wrongly, is nobody's.

    Raises:
        PluginError: It took the name of a command that exists already.
        Exception: Whatever ``add`` raised, or typer where a command's parameters are not for a command line.
    """
    from typer.main import get_command

    own = _empty_copy(app)
    add(own)
    commands, groups = list(own.registered_commands), list(own.registered_groups)
    before = [(each, list(each.registered_commands), list(each.registered_groups)) for each in _apps(app)]
    try:
        app.registered_commands += commands
        app.registered_groups += groups
        _merge_groups(app)
        for each in _apps(app):
            _check_names(each)
        if app.registered_commands or app.registered_groups:
            get_command(app)
    except BaseException:
        for each, commands, groups in before:
            each.registered_commands[:] = commands
            each.registered_groups[:] = groups
        raise


def _empty_copy(app: typer.Typer) -> typer.Typer:
    """An application with the same groups, at any depth, and no commands."""
    copy = type(app)()
    for group in app.registered_groups:
        if isinstance(group.name, str) and group.typer_instance is not None:
            copy.add_typer(_empty_copy(group.typer_instance), name=group.name)
    return copy


def _merge_groups(app: typer.Typer) -> None:
    """Move the commands of a group into the first group of its name, at any depth."""
    first: dict[str, typer.Typer] = {}
    for group in list(app.registered_groups):
        if not isinstance(group.name, str) or group.typer_instance is None:
            continue
        into = first.setdefault(group.name, group.typer_instance)
        if into is not group.typer_instance:
            into.registered_commands += group.typer_instance.registered_commands
            into.registered_groups += group.typer_instance.registered_groups
            app.registered_groups.remove(group)
    for each in first.values():
        _merge_groups(each)


def _apps(app: typer.Typer) -> list[typer.Typer]:
    """The application and all groups in it, at any depth."""
    inner = [group.typer_instance for group in app.registered_groups if group.typer_instance is not None]
    return [app, *(each for one in inner for each in _apps(one))]


def _check_names(app: typer.Typer) -> None:
    names = Counter(
        [_name(each.name, each.callback) for each in app.registered_commands]
        + [each.name for each in app.registered_groups if isinstance(each.name, str)]
    )
    taken = sorted(name for name, count in names.items() if name and count > 1)
    if taken:
        raise PluginError(f"the command {taken[0]!r} exists already")


def _name(name: str | None, callback: Callable[..., Any] | None) -> str:
    """The name that typer gives a command."""
    return name or (callback.__name__.lower().replace("_", "-") if callback else "")
