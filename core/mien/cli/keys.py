"""``mien keys``: makes, lists and revokes the bearer keys of a server. See ``mien.access``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.state import CliState, state_of
from mien.errors import ConfigError

if TYPE_CHECKING:
    from mien.access import Key

_File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="The file of keys; [server] keys by default.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = typer.Typer(
        help="Make, list and revoke the keys that a server asks for.", no_args_is_help=True, rich_markup_mode=None
    )
    keys.command("new")(_new)
    keys.command("list")(_list)
    keys.command("revoke")(_revoke)
    app.add_typer(keys, name="keys")


def _new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is, such as kiosk-3.")],
    file: _File = None,
    call: Annotated[
        list[str] | None,
        typer.Option(metavar="CALL", help="Allow this call, such as Analyze, and only those named; repeatable."),
    ] = None,
    analyzer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Allow this analyzer, and only those named; repeatable."),
    ] = None,
    calls_per_minute: Annotated[int | None, typer.Option(min=1, metavar="N", show_default=False)] = None,
    sessions: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Sessions and streams that are open at once.", show_default=False),
    ] = None,
    bytes_per_minute: Annotated[int | None, typer.Option(min=1, metavar="N", show_default=False)] = None,
    days: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="It counts for so long.", show_default=False)
    ] = None,
) -> None:
    """Make a key and print it, once: the file keeps only its hash."""
    from mien.access import KeyLimits, KeyScopes, add_key
    from mien.config import validated

    scopes = validated(KeyScopes, {"calls": tuple(call or ()), "analyzers": tuple(analyzer or ())}, name="the key")
    token, _ = add_key(
        _file(state_of(context), file),
        name,
        scopes=scopes,
        limits=KeyLimits(calls_per_minute=calls_per_minute, sessions=sessions, bytes_per_minute=bytes_per_minute),
        lasts=None if days is None else timedelta(days=days),
    )
    typer.echo(token)
    typer.echo("This is the only time that the key is shown; give it to its bearer, and keep no copy.", err=True)


def _list(context: typer.Context, file: _File = None) -> None:
    """Show the keys: names, what each allows, and whether it counts; never the keys themselves."""
    from mien.access import load_keys

    for key in load_keys(_file(state_of(context), file)):
        typer.echo("\t".join([key.id, key.state, key.name, _described(key)]))


def _revoke(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="NAME|ID", help="The key's name, or its id.")],
    file: _File = None,
) -> None:
    """Have a key count no more: a server sees it within a second, and ends what is open with it."""
    from mien.access import revoke_key

    key = revoke_key(_file(state_of(context), file), which)
    typer.echo(f"revoked {key.id} ({key.name})", err=True)


def _file(state: CliState, file: Path | None) -> Path:
    chosen = file or state.settings.server.keys
    if chosen is None:
        raise ConfigError("which file of keys? Name it with --file, or with [server] keys in the configuration")
    return chosen


def _described(key: Key) -> str:
    limits = key.limits
    said = {
        "calls": ", ".join(key.scopes.calls),
        "analyzers": ", ".join(key.scopes.analyzers),
        "calls a minute": limits.calls_per_minute,
        "sessions": limits.sessions,
        "bytes a minute": limits.bytes_per_minute,
        "until": None if key.expires_at is None else f"{key.expires_at:%Y-%m-%d %H:%M} UTC",
    }
    return "; ".join(f"{name}: {value}" for name, value in said.items() if value) or "everything"
