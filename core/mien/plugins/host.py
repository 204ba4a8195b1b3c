"""The plugin host: what is installed, what of it works, and the parts that plugins have registered, by name.

It loads a model when that is first asked for and not before, so that listing plugins is cheap. It runs nothing: that
is ``mien.engine``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pluggy

from mien.config import Settings
from mien.errors import AnalyzerNotFoundError, MienError, PluginError
from mien.hookspecs import PluginContext
from mien.interfaces import (
    Analyzer,
    AnalyzerInfo,
    CustomerChoice,
    DetectorSettings,
    ExecutableNetwork,
    ExecutionBackend,
    FaceDetector,
    Fuser,
    KioskView,
    Precision,
    Sink,
    Transcriber,
    ViewPlace,
)
from mien.plugins.commands import add_commands
from mien.plugins.context import HostContext
from mien.plugins.discovery import BUILT_IN, Candidate, find_candidates, given_candidates, load_built_in, load_plugin
from mien.plugins.guard import CallKind, Deadlines, Guard, PluginCallError
from mien.plugins.guarded import GuardedChoice, GuardedView
from mien.plugins.parts import (
    PartKind,
    Registered,
    RegisteredAnalyzer,
    RegisteredBackend,
    RegisteredCustomerPolicy,
    RegisteredDetector,
    RegisteredFuser,
    RegisteredSink,
    RegisteredTranscriber,
    RegisteredView,
)
from mien.plugins.registry import PluginDescription, PluginState, Registrations
from mien.plugins.selection import check_selection, names_of, warn_of_unknown_weights, warn_of_unread_tables
from mien.plugins.slots import Slot, explain, outspoken
from mien.plugins.transcription import HostedTranscriber
from mien.types import Modality

if TYPE_CHECKING:
    import typer

__all__ = [
    "PluginDescription",
    "PluginHost",
    "PluginState",
    "RegisteredAnalyzer",
    "RegisteredBackend",
    "RegisteredCustomerPolicy",
    "RegisteredDetector",
    "RegisteredFuser",
    "RegisteredSink",
    "RegisteredTranscriber",
    "RegisteredView",
]

_NOT_LOADED: Final = (PluginState.FAILED, PluginState.UNAVAILABLE)
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
        self._deadlines = Deadlines.of(settings)
        self._hosted: dict[str, HostedTranscriber] = {}
        self._context = context = HostContext(self, settings)
        self._parts.update(load_built_in(context, self._deadlines))
        for candidate in candidates:
            loaded = load_plugin(candidate, context, self._parts, self._deadlines)
            self._descriptions.append(loaded.description)
            if loaded.manager is not None and loaded.added is not None:
                self._managers[loaded.description.name] = loaded.manager
                self._parts.update(loaded.added)
            else:
                level = logging.WARNING if loaded.description.state is PluginState.FAILED else logging.INFO
                _log.log(level, "plugin %r left out: %s", loaded.description.name, loaded.description.reason)
        self._analyzers = _listing(self._parts.analyzers, self._is_enabled)
        self._refuse_failures()
        check_selection(settings, self._parts, left_out=self._left_out(*_NOT_LOADED))
        known = context.sections_read | {description.name for description in self._descriptions}
        warn_of_unread_tables(settings, known)
        warn_of_unknown_weights(settings, self.modalities)

    @classmethod
    def discover(cls, settings: Settings, *, strict: bool = False) -> PluginHost:
        """Load every installed plugin, each by itself.

        Args:
            settings: Which analyzers are enabled, and the plugins' own tables.
            strict: Refuse to start where any plugin had to be left out; ``settings.engine.strict`` does the same.

        Raises:
            PluginError: ``strict``, and plugins could not be loaded; all are named with their reasons.
            ConfigError: The settings name an analyzer, a fuser or a customer policy that does not exist.
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
        return _listing(self._parts.fusers)

    @property
    def transcribers(self) -> Mapping[str, RegisteredTranscriber]:
        """The registered speech-to-text engines by name, in the order of names."""
        return _listing(self._parts.transcribers)

    @property
    def sinks(self) -> Mapping[str, RegisteredSink]:
        """The registered sinks by name, in the order of names."""
        return _listing(self._parts.sinks)

    @property
    def detectors(self) -> Mapping[str, RegisteredDetector]:
        """The registered face detectors by name, in the order of names."""
        return _listing(self._parts.detectors)

    @property
    def backends(self) -> Mapping[str, RegisteredBackend]:
        """The registered execution backends by name, in the order of names."""
        return _listing(self._parts.backends)

    @property
    def customer_policies(self) -> Mapping[str, RegisteredCustomerPolicy]:
        """The registered customer policies by name, in the order of names."""
        return _listing(self._parts.customer_policies)

    @property
    def views(self) -> Mapping[str, RegisteredView]:
        """The registered kiosk views by name, in the order of names."""
        return _listing(self._parts.views)

    @property
    def context(self) -> PluginContext:
        """What every plugin of this host is given."""
        return self._context

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
        self._find(PartKind.ANALYZER, name)
        registered = self._analyzers[name]
        if not registered.enabled:
            raise AnalyzerNotFoundError(
                f"analyzer {name!r} is installed but not enabled here; enabled are: {names_of(self._enabled())}. "
                f"Name it in [engine] analyzers of the configuration to use it"
            )
        return registered

    def fuser(self, name: str) -> Fuser:
        """The fuser of that name. Raises as ``analyzer`` does."""
        self._find(PartKind.FUSER, name)
        return self._parts.fusers[name].load()

    def transcriber(self, name: str) -> Transcriber:
        """The speech-to-text engine of that name. Raises as ``analyzer`` does."""
        self._find(PartKind.TRANSCRIBER, name)
        return self._parts.transcribers[name].load()

    def hosted_transcriber(self, name: str) -> HostedTranscriber:
        """The same as plugins are given it: it streams, and no part of it holds up who pushes sound."""
        engine = self.transcriber(name)
        with self._lock:
            if name not in self._hosted:
                self._hosted[name] = HostedTranscriber(name, engine, self._deadlines)
            return self._hosted[name]

    def sink(self, name: str) -> Sink:
        """The sink of that name, opened when it is first asked for. Raises as ``analyzer`` does."""
        self._find(PartKind.SINK, name)
        return self._parts.sinks[name].load()

    def detector(self, name: str, settings: DetectorSettings) -> FaceDetector:
        """A new face detector of that name, for whoever asks to keep.

        Raises:
            AnalyzerNotFoundError: There is none of that name.
            PluginError: It could not be made.
            MienError: What its factory says of the settings.
        """
        made: FaceDetector = self._find(PartKind.DETECTOR, name).make(settings)
        return made

    def backend(self, name: str, network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
        """The network on a new execution backend of that name. Raises as ``detector`` does."""
        made: ExecutionBackend = self._find(PartKind.BACKEND, name).make(network, precision)
        return made

    def customer_choice(self, policy: str) -> CustomerChoice:
        """One session's state of the customer policy of that name. Raises as ``detector`` does."""
        recipe = self._find(PartKind.CUSTOMER_POLICY, policy)
        made: CustomerChoice = recipe.make()
        return made if recipe.plugin == BUILT_IN else GuardedChoice(made, recipe.guard)

    def view(self, name: str, place: ViewPlace) -> KioskView:
        """A new kiosk view of that name. Raises as ``detector`` does."""
        recipe = self._find(PartKind.VIEW, name)
        made: KioskView = recipe.make(place)
        return made if recipe.plugin == BUILT_IN else GuardedView(made, recipe.guard)

    def guard(self, name: str, kind: PartKind) -> Guard:
        """What stands before a part; every call into it goes through there.

        Raises:
            AnalyzerNotFoundError: There is none of that name.
        """
        guard: Guard = self._find(kind, name).guard
        return guard

    def opening_guard(self, analyzer: str) -> Guard:
        """What stands before an analyzer's ``open_stream``. Raises as ``guard`` does."""
        guard: Guard = self._find(PartKind.ANALYZER, analyzer).opening
        return guard

    def guards(self, plugin: str) -> tuple[Guard, ...]:
        """What stands before the parts that a plugin has registered."""
        return tuple(part.guard for part in self._parts.all() if part.plugin == plugin)

    @property
    def modalities(self) -> frozenset[str]:
        """Those that mien speaks of itself, and those of the registered analyzers."""
        return frozenset(str(modality) for modality in Modality) | {
            entry.info.modality for entry in self._analyzers.values()
        }

    def is_loaded(self, analyzer: str) -> bool:
        """Whether asking for this analyzer would answer at once, be it with an error."""
        slot = self._parts.analyzers.get(analyzer)
        return slot is None or slot.loaded

    def register_commands(self, app: typer.Typer, context: PluginContext | None = None) -> None:
        """Let each plugin add its commands; of one that raises, or takes a name that is taken, none is added.

        It is reported in ``plugins()``; the analyzers and fusers that it registered stay.

        Args:
            app: Takes the commands.
            context: What the commands are given; None gives them this host's own.

        Raises:
            PluginError: The host is strict, and commands could not be added.
        """
        given = self._context if context is None else context
        for name, manager in self._managers.items():
            guard = Guard(f"plugin {name!r}", self._deadlines, threads=1)
            add = partial(_add_commands, guard, manager, given)
            try:
                add_commands(app, add)
            except PluginCallError as error:
                self._report(name, f"its commands could not be added: {error.reason}")
            except (Exception, SystemExit) as error:
                self._report(name, f"its commands could not be added: {explain(error)}")
            finally:
                guard.close()
        self._refuse_failures()

    def close(self) -> None:
        """Close everything that was loaded, all at once. What cannot be closed is logged. May be called twice."""
        for transcriber in self._hosted.values():
            transcriber.close()
        closing = [(slot, slot.begin_close()) for slot in self._parts.shared()]
        for slot, call in closing:
            if call is None:
                continue
            call.join()
            try:
                call.result()
            except MienError as error:
                reason = error.reason if isinstance(error, PluginCallError) else explain(error)
                _log.warning("%s %r of plugin %r could not be closed: %s", slot.kind, slot.name, slot.plugin, reason)
        for part in self._parts.all():
            part.guard.close()

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

    def _find(self, kind: PartKind, name: str) -> Any:
        """The slot or recipe of a part."""
        found = self._parts.of(kind).get(name)
        if found is None:
            left_out = "".join(f"; plugin left out: {failure}" for failure in self._left_out(*_NOT_LOADED))
            registered = names_of(self._parts.of(kind))
            raise AnalyzerNotFoundError(f"there is no {kind} {name!r}; registered are: {registered}{left_out}")
        return found


def _add_commands(guard: Guard, manager: pluggy.PluginManager, context: PluginContext, app: typer.Typer) -> None:
    guard.call(CallKind.COMMANDS, outspoken(lambda: manager.hook.mien_register_commands(app=app, context=context)))


def _listing(
    parts: Mapping[str, Any], enabled: Callable[[Any], bool] = lambda _: True
) -> Mapping[str, Registered[Any]]:
    return MappingProxyType(
        {
            name: Registered(name=name, info=parts[name].info, plugin=parts[name].plugin, enabled=enabled(parts[name]))
            for name in sorted(parts)
        }
    )
