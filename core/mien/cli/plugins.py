"""``mien plugins``: what is installed (``list``), a new one (``new``), and whether one keeps the contract (``check``).

``mien plugin`` is the same group. ``list`` loads no model; with ``--json`` one array comes out, an object a part, whose
fields are those of ``PartRow``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import plugin_check, plugin_new
from mien.cli.state import state_of

if TYPE_CHECKING:
    from mien.plugins.host import PluginHost
    from mien.plugins.registry import PluginDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """One part that a plugin registered, or the plugin itself where it registered none.

    Attributes:
        plugin: Name of its entry point.
        version: Of its distribution.
        distribution: The installed package that brought it.
        state: ``loaded``, ``unavailable`` or ``failed``.
        reason: Why it is not loaded.
        kind: What it is, such as ``analyzer`` or ``customer policy``; empty where nothing was registered.
        name: Of the part.
        part_version: Of the part, its weights included.
        modality: Of an analyzer.
        labels: Of an analyzer.
        weights_license: Of an analyzer or a detector.
        enabled: It takes part where nothing is named.
        description: One line.
        accepts: Kinds of sample, of an analyzer.
        opt_in: An analyzer is off until the configuration names it.
        languages: BCP 47 tags, of a transcriber.
        hooks: Those that the plugin implements.
        api_version: Of the plugin contract, which the plugin and this mien have agreed on.
    """

    plugin: str
    version: str
    distribution: str
    state: str
    reason: str
    kind: str = ""
    name: str = ""
    part_version: str = ""
    modality: str = ""
    labels: tuple[str, ...] = ()
    weights_license: str = ""
    enabled: bool = False
    description: str = ""
    accepts: tuple[str, ...] = ()
    opt_in: bool = False
    languages: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    api_version: int = 0


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    for name, hidden in (("plugins", False), ("plugin", True)):
        group = typer.Typer(no_args_is_help=True)
        group.callback()(_group)
        group.command("list")(_list)
        plugin_new.register(group)
        plugin_check.register(group)
        app.add_typer(group, name=name, hidden=hidden)


def _group() -> None:
    """Look at the installed plugins, begin one of your own, check one."""


def _list(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array instead of a table.")] = False,
) -> None:
    """List plugins: what they bring, under which licence, and what failed."""
    rows = rows_of(state_of(context).host)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        _print_table(rows)


def rows_of(host: PluginHost) -> list[PartRow]:
    """A row for each registered part, in the order of plugins; a plugin without parts has one row of its own."""
    return [row for plugin in host.plugins() for row in _rows_of_plugin(host, plugin)]


def _rows_of_plugin(host: PluginHost, plugin: PluginDescription) -> list[PartRow]:
    def row(**fields: object) -> PartRow:
        return PartRow(
            plugin=plugin.name,
            version=plugin.version,
            distribution=plugin.distribution,
            state=plugin.state.value,
            reason=plugin.reason,
            hooks=plugin.hooks,
            api_version=plugin.api_version,
            **fields,  # type: ignore[arg-type]  # each caller below names fields of PartRow
        )

    from mien.plugins.parts import PART_TYPES, PartKind

    rows = []
    for name in plugin.analyzers:
        analyzer = host.analyzers[name]
        rows.append(
            row(
                kind="analyzer",
                name=name,
                part_version=analyzer.info.version,
                modality=analyzer.info.modality,
                labels=analyzer.info.labels,
                weights_license=analyzer.info.weights_license,
                enabled=analyzer.enabled,
                description=analyzer.info.description,
                accepts=tuple(sorted(kind.value for kind in analyzer.info.accepts)),
                opt_in=analyzer.info.opt_in,
            )
        )
    for kind, part_type in PART_TYPES.items():
        if kind is PartKind.ANALYZER:
            continue
        for name in getattr(plugin, part_type.plural):
            info = getattr(host, part_type.plural)[name].info
            rows.append(
                row(
                    kind=kind.value,
                    name=name,
                    part_version=info.version,
                    weights_license=getattr(info, "weights_license", ""),
                    enabled=True,
                    description=info.description,
                    languages=tuple(getattr(info, "languages", ())),
                )
            )
    return rows or [row()]


def _print_table(rows: list[PartRow]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    if not rows:
        console.print("no plugin is installed")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("plugin", "version", "brings", "modality", "licence of weights", "state"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        state = row.state if row.enabled or not row.kind else f"{row.state}, off"
        style = "red" if row.state == "failed" else ("dim" if row.kind == "analyzer" and not row.enabled else "")
        brings = f"{row.kind} {row.name}".strip()
        cells = (row.plugin, row.version, brings, row.modality, row.weights_license, state)
        table.add_row(*(escape(cell) for cell in cells), style=style)
    console.print(table)
    for name, reason in {row.plugin: row.reason for row in rows if row.reason}.items():
        console.print(f"{name}: {reason}", style="red", markup=False, soft_wrap=True)
