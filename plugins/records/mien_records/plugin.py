"""The entry point of the records plugin: its sink, which the configuration turns on, and ``mien report``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from mien import PluginContext, RegisterSink, SinkInfo, __version__, hookimpl
from mien_records.recorder import Recorder
from mien_records.settings import RecordsSettings

if TYPE_CHECKING:
    import typer

MIEN_API_VERSION: Final = 1


@hookimpl
def mien_register_sinks(register: RegisterSink, context: PluginContext) -> None:
    """Register ``records`` where ``[plugins.records]`` names a file; without one there is no sink at all."""
    settings = context.settings("records", RecordsSettings)
    if settings.has_files:
        files = ", ".join(name for name in ("jsonl", "csv", "sqlite", "drift") if getattr(settings, name) is not None)
        register("records", SinkInfo(version=__version__, description=f"records: {files}"), partial(Recorder, settings))


@hookimpl
def mien_register_commands(app: typer.Typer, context: PluginContext) -> None:
    """Add ``mien report`` and ``mien replay``."""
    from mien_records import replay_command
    from mien_records.report import command

    command.register(app, context)
    replay_command.register(app, context)
