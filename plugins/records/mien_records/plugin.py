"""The entry point of the records plugin: its sinks, which the configuration turns on, and ``mien report``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from mien import AnalysisResult, PluginContext, SessionSummary, hookimpl
from mien_records.recorder import Recorder
from mien_records.settings import parse_plugin_settings

if TYPE_CHECKING:
    import typer

MIEN_API_VERSION: Final = 1

_recorders: WeakKeyDictionary[PluginContext, Recorder] = WeakKeyDictionary()


@hookimpl
def mien_on_start(context: PluginContext) -> None:
    """Make the sinks that ``[plugins.records]`` asks for; without the table there are none, and nothing is written."""
    settings = parse_plugin_settings(context.settings("records"))
    if settings.has_sinks:
        _recorders[context] = Recorder(settings)


@hookimpl
def mien_on_result(session_id: str, result: AnalysisResult | SessionSummary, context: PluginContext) -> None:
    """Write the result to each sink."""
    recorder = _recorders.get(context)
    if recorder is not None:
        recorder.write(session_id, result)


@hookimpl
def mien_on_close(context: PluginContext) -> None:
    """Close the sinks."""
    recorder = _recorders.pop(context, None)
    if recorder is not None:
        recorder.close()


@hookimpl
def mien_register_commands(app: typer.Typer) -> None:
    """Add ``mien report``."""
    from mien_records.report.command import report

    app.command("report")(report)
