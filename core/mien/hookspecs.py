"""The whole extension contract: the hooks that a plugin may implement.

A plugin is a module (or object) named by an entry point in the group ``mien.plugins``. The host calls each hook once
for one plugin at a time, so that a broken one costs only itself. See ``docs/plugins.md`` for a complete example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    import typer

    from mien.interfaces import Analyzer, AnalyzerInfo, Fuser, FuserInfo, Transcriber, TranscriberInfo
    from mien.session import SessionSummary
    from mien.types import AnalysisResult

PROJECT = "mien"
"""The name of both the pluggy project and, with ``.plugins``, the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class RegisterAnalyzer(Protocol):
    """Registers one analyzer: a unique name, what is known of it, and a factory that loads it when it is needed."""

    def __call__(self, name: str, info: AnalyzerInfo, factory: Callable[[], Analyzer]) -> None:
        """Register under a name that nobody has taken."""


class RegisterFuser(Protocol):
    """Registers one fuser."""

    def __call__(self, name: str, info: FuserInfo, factory: Callable[[], Fuser]) -> None:
        """Register under a name that nobody has taken."""


class RegisterTranscriber(Protocol):
    """Registers one speech-to-text engine."""

    def __call__(self, name: str, info: TranscriberInfo, factory: Callable[[], Transcriber]) -> None:
        """Register under a name that nobody has taken."""


class PluginContext(Protocol):
    """What the host gives a plugin: one object for as long as the host lives. Keep it, and use it in factories."""

    def settings(self, section: str) -> Mapping[str, Any]:
        """The table ``[plugins.<section>]`` of the configuration; empty where there is none."""

    def transcriber(self, name: str) -> Transcriber:
        """Load a registered speech-to-text engine; for use in a factory, when all plugins have registered."""


@hookspec
def mien_register_analyzers(register: RegisterAnalyzer, context: PluginContext) -> None:
    """Register analyzers: ``register(name, info, factory)``. Import no model here."""


@hookspec
def mien_register_fusers(register: RegisterFuser, context: PluginContext) -> None:
    """Register fusion rules: ``register(name, info, factory)``."""


@hookspec
def mien_register_transcribers(register: RegisterTranscriber, context: PluginContext) -> None:
    """Register speech-to-text engines: ``register(name, info, factory)``."""


@hookspec
def mien_register_commands(app: typer.Typer) -> None:
    """Add commands to the ``mien`` command line."""


@hookspec
def mien_on_start(context: PluginContext) -> None:
    """Read and check settings that no registration needs; a ``ConfigError`` leaves the plugin out. Open nothing yet."""


@hookspec
def mien_on_result(session_id: str, result: AnalysisResult | SessionSummary, context: PluginContext) -> None:
    """See a result, or a session's summary, as it is given out: for sinks. Raising costs the sink, never the answer."""


@hookspec
def mien_on_close(context: PluginContext) -> None:
    """Close what was opened since ``mien_on_start``; no result comes after it."""
