"""What plugins have registered, and the loading of it: once, when it is first needed, from whichever thread asks first.

It holds names, descriptions and factories. Finding plugins is ``mien.plugins.discovery``; giving names a meaning for
callers is ``mien.plugins.host``.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from mien.errors import MienError, PluginError
from mien.interfaces import Analyzer, AnalyzerInfo, Fuser, FuserInfo, Transcriber, TranscriberInfo
from mien.types import SampleKind

Info = TypeVar("Info", bound=AnalyzerInfo | FuserInfo | TranscriberInfo)
Part = TypeVar("Part", bound=Analyzer | Fuser | Transcriber)

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
"""What the name of an analyzer, fuser or transcriber may look like."""


class PluginState(StrEnum):
    """What became of an installed plugin."""

    LOADED = "loaded"
    UNAVAILABLE = "unavailable"
    """An optional package that it needs is not installed. That is no fault, and ``strict`` does not mind it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginDescription:
    """One installed plugin, whether it could be loaded or not.

    Attributes:
        name: Of its entry point.
        version: Of its distribution; empty if unknown.
        distribution: The installed package that brought it; empty if unknown.
        state: LOADED where everything it registered can be used.
        reason: One sentence for a person where something went wrong.
        analyzers: Names it registered.
        fusers: Names it registered.
        transcribers: Names it registered.
    """

    name: str
    version: str = ""
    distribution: str = ""
    state: PluginState = PluginState.LOADED
    reason: str = ""
    analyzers: tuple[str, ...] = ()
    fusers: tuple[str, ...] = ()
    transcribers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Generic[Info]):
    """Something a plugin registered.

    Attributes:
        name: Unique among its kind.
        info: What the plugin says of it.
        plugin: Name of the plugin.
        enabled: It takes part in requests that name nothing; a disabled analyzer cannot be used at all.
    """

    name: str
    info: Info
    plugin: str
    enabled: bool = True


RegisteredAnalyzer = Registered[AnalyzerInfo]
RegisteredFuser = Registered[FuserInfo]
RegisteredTranscriber = Registered[TranscriberInfo]


class Slot(Generic[Info, Part]):
    """One registered factory and, once it was needed, what it made."""

    def __init__(
        self, *, kind: str, name: str, info: Info, plugin: str, factory: Callable[[], Part], part_type: type[Any]
    ) -> None:
        self.kind = kind
        self.name = name
        self.info = info
        self.plugin = plugin
        self._factory = factory
        self._part_type = part_type
        self._lock = threading.RLock()
        self._loading = False
        self._part: Part | None = None
        self._failure = ""

    @property
    def loaded(self) -> bool:
        """Whether ``load`` would answer at once, with the part or with the reason why there is none."""
        return self._part is not None or bool(self._failure)

    def load(self) -> Part:
        """Make the part, once; a failure is remembered and raised again.

        Raises:
            PluginError: The factory raised, made something else, or needs itself.
        """
        with self._lock:
            if self._part is not None:
                return self._part
            if not self._failure:
                self._failure = self._make()
            if self._part is None:
                raise PluginError(self._failure)
            return self._part

    def close(self) -> None:
        """Close the part if it was made. What its ``close`` raises is passed on."""
        with self._lock:
            part, self._part = self._part, None
            self._failure = f"{self.kind} {self.name!r} is closed"
        if isinstance(part, Analyzer | Transcriber):
            part.close()

    def _make(self) -> str:
        """Run the factory; the reason if it failed, else an empty text."""
        where = f"{self.kind} {self.name!r} of plugin {self.plugin!r}"
        if self._loading:
            return f"{where} needs itself to load"
        self._loading = True
        try:
            part = self._factory()
        except (Exception, SystemExit) as error:
            return f"{where} could not be loaded: {explain(error)}"
        finally:
            self._loading = False
        if not isinstance(part, self._part_type):
            return f"{where}: its factory made a {type(part).__name__}, expected a mien.{self._part_type.__name__}"
        self._part = part
        return ""


@dataclass(slots=True)
class Registrations:
    """The slots of one plugin, or of all plugins together."""

    analyzers: dict[str, Slot[AnalyzerInfo, Analyzer]] = field(default_factory=dict)
    fusers: dict[str, Slot[FuserInfo, Fuser]] = field(default_factory=dict)
    transcribers: dict[str, Slot[TranscriberInfo, Transcriber]] = field(default_factory=dict)

    def update(self, other: Registrations) -> None:
        """Take in what one plugin registered."""
        self.analyzers.update(other.analyzers)
        self.fusers.update(other.fusers)
        self.transcribers.update(other.transcribers)


class Registrar:
    """Takes the registrations of one plugin; they count only if all of them are right.

    Each ``add_*`` method is the ``register`` callback of one hook. A wrong registration raises, and is kept in
    ``problems`` as well, so that a plugin cannot hide it.
    """

    def __init__(self, plugin: str, taken: Registrations) -> None:
        self.plugin = plugin
        self.added = Registrations()
        self.problems: list[str] = []
        self._taken = taken

    def add_analyzer(self, name: str, info: AnalyzerInfo, factory: Callable[[], Analyzer]) -> None:
        """Register an analyzer; raises PluginError where a part of it is wrong."""
        if isinstance(info, AnalyzerInfo):
            self._check_analyzer_info(name, info)
        self._add("analyzer", name, info, factory, AnalyzerInfo, Analyzer, self.added.analyzers, self._taken.analyzers)

    def add_fuser(self, name: str, info: FuserInfo, factory: Callable[[], Fuser]) -> None:
        """Register a fuser; raises PluginError where a part of it is wrong."""
        self._add("fuser", name, info, factory, FuserInfo, Fuser, self.added.fusers, self._taken.fusers)

    def add_transcriber(self, name: str, info: TranscriberInfo, factory: Callable[[], Transcriber]) -> None:
        """Register a transcriber; raises PluginError where a part of it is wrong."""
        added, taken = self.added.transcribers, self._taken.transcribers
        self._add("transcriber", name, info, factory, TranscriberInfo, Transcriber, added, taken)

    def _add(
        self,
        kind: str,
        name: str,
        info: Info,
        factory: Callable[[], Part],
        info_type: type[Any],
        part_type: type[Any],
        added: dict[str, Slot[Info, Part]],
        taken: dict[str, Slot[Info, Part]],
    ) -> None:
        if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
            self._refuse(f"{name!r} is no name for a {kind}: expected a-z first, then a-z, 0-9, '_' or '-', up to 64")
        if not isinstance(info, info_type):
            self._refuse(f"{kind} {name!r}: info is a {type(info).__name__}, expected a mien.{info_type.__name__}")
        if not callable(factory):
            self._refuse(f"{kind} {name!r}: factory is a {type(factory).__name__}, expected something to call")
        other = added.get(name) or taken.get(name)
        if other is not None:
            self._refuse(f"{kind} {name!r} is already registered by plugin {other.plugin!r}")
        added[name] = Slot(kind=kind, name=name, info=info, plugin=self.plugin, factory=factory, part_type=part_type)

    def _check_analyzer_info(self, name: str, info: AnalyzerInfo) -> None:
        if not info.modality:
            self._refuse(f"analyzer {name!r}: info.modality is empty")
        if not info.accepts or not all(isinstance(kind, SampleKind) for kind in info.accepts):
            self._refuse(f"analyzer {name!r}: info.accepts must name mien.SampleKind members, got {info.accepts!r}")
        if not info.labels or len(set(info.labels)) != len(info.labels):
            self._refuse(f"analyzer {name!r}: info.labels must be unique and not empty, got {info.labels!r}")

    def _refuse(self, problem: str) -> None:
        self.problems.append(problem)
        raise PluginError(problem)


def explain(error: BaseException) -> str:
    """What went wrong, in one line for a person: mien's own messages as they are, others with their type."""
    text = " ".join(str(error).split())
    if isinstance(error, MienError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
