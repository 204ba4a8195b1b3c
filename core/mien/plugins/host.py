"""The plugin host: what is installed, what of it works, and the analyzers, fusers and transcribers by name.

It loads a model when that is first asked for and not before, so that listing plugins is cheap. It runs nothing: that
is ``mien.engine``.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pluggy

from mien.config import Settings
from mien.errors import AnalyzerNotFoundError, ConfigError, PluginError
from mien.interfaces import Analyzer, AnalyzerInfo, Fuser, Transcriber
from mien.plugins.commands import add_commands
from mien.plugins.discovery import Candidate, find_candidates, given_candidates, load_plugin
from mien.plugins.registry import (
    Info,
    Part,
    PluginDescription,
    PluginState,
    Registered,
    RegisteredAnalyzer,
    RegisteredFuser,
    RegisteredTranscriber,
    Registrations,
    Slot,
    explain,
)
from mien.types import AnalysisResult

if TYPE_CHECKING:
    import typer

    from mien.session import SessionSummary

__all__ = [
    "PluginDescription",
    "PluginHost",
    "PluginState",
    "RegisteredAnalyzer",
    "RegisteredFuser",
    "RegisteredTranscriber",
]

_NOT_LOADED: Final = (PluginState.FAILED, PluginState.UNAVAILABLE)
_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
_log = logging.getLogger("mien.plugins.host")


class PluginHost:
    """Holds the plugins of one process. Thread-safe once it is made.

    Make one with ``discover`` (installed plugins) or ``from_plugins`` (plugins at hand, for tests).
    """

    def __init__(self, candidates: Iterable[Candidate], settings: Settings, *, strict: bool = False) -> None:
        """Load the candidates in order; see ``discover`` for what is raised."""
        self._settings = settings
        self._strict = strict or settings.engine.strict
        self._lock = threading.Lock()
        self._parts = Registrations()
        self._managers: dict[str, pluggy.PluginManager] = {}
        self._descriptions: list[PluginDescription] = []
        self._sink_failures: Counter[str] = Counter()
        self._logged_sinks: set[tuple[str, str]] = set()
        self._context = context = _Context(self, settings)
        for candidate in candidates:
            loaded = load_plugin(candidate, context, self._parts)
            self._descriptions.append(loaded.description)
            if loaded.manager is not None and loaded.added is not None:
                self._managers[loaded.description.name] = loaded.manager
                self._parts.update(loaded.added)
            else:
                level = logging.WARNING if loaded.description.state is PluginState.FAILED else logging.INFO
                _log.log(level, "plugin %r left out: %s", loaded.description.name, loaded.description.reason)
        self._analyzers = _listing(self._parts.analyzers, self._is_enabled)
        self._fusers = _listing(self._parts.fusers, lambda _: True)
        self._transcribers = _listing(self._parts.transcribers, lambda _: True)
        self._refuse_failures()
        self._check_selection()
        self._warn_of_unread_tables(context.sections_read)

    @classmethod
    def discover(cls, settings: Settings, *, strict: bool = False) -> PluginHost:
        """Load every installed plugin, each by itself.

        Args:
            settings: Which analyzers are enabled, and the plugins' own tables.
            strict: Refuse to start where any plugin had to be left out; ``settings.engine.strict`` does the same.

        Raises:
            PluginError: ``strict``, and plugins could not be loaded; all are named with their reasons.
            ConfigError: The settings name an analyzer or fuser that does not exist.
        """
        return cls(find_candidates(), settings, strict=strict)

    @classmethod
    def from_plugins(
        cls, plugins: Mapping[str, object], settings: Settings | None = None, *, strict: bool = False
    ) -> PluginHost:
        """A host with exactly these plugins, by name; looks at no installed one. Raises as ``discover`` does."""
        return cls(given_candidates(plugins), settings or Settings(), strict=strict)

    def plugins(self) -> tuple[PluginDescription, ...]:
        """All plugins found, by name, those that were left out among them."""
        with self._lock:
            return tuple(self._descriptions)

    @property
    def analyzers(self) -> Mapping[str, RegisteredAnalyzer]:
        """The registered analyzers by name, in the order of names."""
        return self._analyzers

    @property
    def fusers(self) -> Mapping[str, RegisteredFuser]:
        """The registered fusers by name, in the order of names."""
        return self._fusers

    @property
    def transcribers(self) -> Mapping[str, RegisteredTranscriber]:
        """The registered speech-to-text engines by name, in the order of names."""
        return self._transcribers

    def analyzer(self, name: str) -> Analyzer:
        """The analyzer of that name, loaded when it is first asked for.

        Raises:
            AnalyzerNotFoundError: There is none, or it is not enabled.
            PluginError: It could not be loaded.
        """
        self.enabled_analyzer(name)
        return self._parts.analyzers[name].load()

    def enabled_analyzer(self, name: str) -> RegisteredAnalyzer:
        """What is known of the analyzer of that name, which is not loaded for it.

        Raises:
            AnalyzerNotFoundError: There is none, or it is not enabled.
        """
        self._find("analyzer", name, self._parts.analyzers)
        registered = self._analyzers[name]
        if not registered.enabled:
            raise AnalyzerNotFoundError(
                f"analyzer {name!r} is installed but not enabled here; enabled are: {_names(self._enabled())}. "
                f"Name it in [engine] analyzers of the configuration to use it"
            )
        return registered

    def fuser(self, name: str) -> Fuser:
        """The fuser of that name. Raises as ``analyzer`` does."""
        return self._find("fuser", name, self._parts.fusers).load()

    def transcriber(self, name: str) -> Transcriber:
        """The speech-to-text engine of that name. Raises as ``analyzer`` does."""
        return self._find("transcriber", name, self._parts.transcribers).load()

    def is_loaded(self, analyzer: str) -> bool:
        """Whether asking for this analyzer would answer at once, be it with an error."""
        slot = self._parts.analyzers.get(analyzer)
        return slot is None or slot.loaded

    def notify_result(self, session_id: str, result: AnalysisResult | SessionSummary) -> None:
        """Show a result, or a session's summary, to all sinks.

        A sink that raises is counted, and logged once for each kind of error; the others still see the result.
        """
        for name, manager in self._managers.items():
            try:
                manager.hook.mien_on_result(session_id=session_id, result=result, context=self._context)
            except (Exception, SystemExit) as error:
                self._note_sink_failure(name, type(error).__name__)

    @property
    def sink_failures(self) -> Mapping[str, int]:
        """Plugin -> how often its ``mien_on_result`` has raised."""
        with self._lock:
            return dict(self._sink_failures)

    def register_commands(self, app: typer.Typer) -> None:
        """Let each plugin add its commands; of one that raises, or takes a name that is taken, none is added.

        It is reported in ``plugins()``; the analyzers and fusers that it registered stay.

        Raises:
            PluginError: The host is strict, and commands could not be added.
        """
        for name, manager in self._managers.items():
            try:
                add_commands(app, partial(manager.hook.mien_register_commands, app=app))
            except (Exception, SystemExit) as error:
                self._report(name, f"its commands could not be added: {explain(error)}")
        self._refuse_failures()

    def close(self) -> None:
        """Close everything that was loaded or started. What cannot be closed is logged. May be called twice."""
        for name, manager in self._managers.items():
            try:
                manager.hook.mien_on_close(context=self._context)
            except (Exception, SystemExit) as error:
                _log.warning("plugin %r raised in mien_on_close: %s", name, explain(error))
        slots: tuple[Slot[Any, Any], ...] = (
            *self._parts.analyzers.values(),
            *self._parts.fusers.values(),
            *self._parts.transcribers.values(),
        )
        for slot in slots:
            try:
                slot.close()
            except Exception as error:
                _log.warning(
                    "%s %r of plugin %r raised on close: %s", slot.kind, slot.name, slot.plugin, explain(error)
                )

    def _note_sink_failure(self, plugin: str, error: str) -> None:
        """Count and perhaps log it; without the error's message, which may hold the caller's words."""
        with self._lock:
            self._sink_failures[plugin] += 1
            is_new = (plugin, error) not in self._logged_sinks
            self._logged_sinks.add((plugin, error))
        if is_new:
            _log.warning("plugin %r raised %s in mien_on_result; more of the same are counted only", plugin, error)

    def _report(self, name: str, reason: str) -> None:
        _log.warning("plugin %r: %s", name, reason)
        with self._lock:
            self._descriptions = [
                replace(description, state=PluginState.FAILED, reason=reason)
                if description.name == name and description.state is PluginState.LOADED
                else description
                for description in self._descriptions
            ]

    def _refuse_failures(self) -> None:
        failures = self._left_out(PluginState.FAILED)
        if self._strict and failures:
            listed = "\n".join(f"  {failure}" for failure in failures)
            raise PluginError(f"plugins that could not be loaded, and strict is asked for:\n{listed}")

    def _left_out(self, *states: PluginState) -> list[str]:
        return [f"{d.name}: {d.reason}" for d in self._descriptions if d.state in states]

    def _is_enabled(self, slot: Slot[AnalyzerInfo, Analyzer]) -> bool:
        chosen = self._settings.engine.analyzers
        return slot.name in chosen if chosen else not slot.info.opt_in

    def _enabled(self) -> list[str]:
        return [name for name, slot in self._parts.analyzers.items() if self._is_enabled(slot)]

    def _check_selection(self) -> None:
        problems = [
            f"[engine] analyzers names {name!r}, which is not registered; known are: {_names(self._parts.analyzers)}"
            for name in self._settings.engine.analyzers
            if name not in self._parts.analyzers
        ]
        fusion = self._settings.fusion
        # The default's absence is no mistake of the configuration; it is told when a score is asked for.
        if "fuser" in fusion.model_fields_set and fusion.fuser not in self._parts.fusers:
            known = _names(self._parts.fusers)
            problems.append(f"[fusion] fuser names {fusion.fuser!r}, which is not registered; known are: {known}")
        if problems:
            problems += [f"plugin left out: {failure}" for failure in self._left_out(*_NOT_LOADED)]
            raise ConfigError("; ".join(problems))

    def _warn_of_unread_tables(self, read: set[str]) -> None:
        known = read | {description.name for description in self._descriptions}
        for section in sorted(set(self._settings.plugins) - known):
            _log.warning("no plugin reads the table [plugins.%s]; tables read are: %s", section, _names(known))

    def _find(self, kind: str, name: str, slots: Mapping[str, Slot[Info, Part]]) -> Slot[Info, Part]:
        slot = slots.get(name)
        if slot is None:
            left_out = "".join(f"; plugin left out: {failure}" for failure in self._left_out(*_NOT_LOADED))
            raise AnalyzerNotFoundError(f"there is no {kind} {name!r}; registered are: {_names(slots)}{left_out}")
        return slot


class _Context:
    """What a plugin is given while it registers; see ``mien.hookspecs.PluginContext``."""

    def __init__(self, host: PluginHost, settings: Settings) -> None:
        self._host = host
        self._tables = settings.plugins
        self.sections_read: set[str] = set()

    def settings(self, section: str) -> Mapping[str, Any]:
        self.sections_read.add(section)
        return MappingProxyType(self._tables[section]) if section in self._tables else _EMPTY

    def transcriber(self, name: str) -> Transcriber:
        return self._host.transcriber(name)


def _listing(
    slots: Mapping[str, Slot[Info, Part]], enabled: Callable[[Slot[Info, Part]], bool]
) -> Mapping[str, Registered[Info]]:
    return MappingProxyType(
        {
            name: Registered(name=name, info=slots[name].info, plugin=slots[name].plugin, enabled=enabled(slots[name]))
            for name in sorted(slots)
        }
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
