"""What plugins have registered, and the checking of it while they register.

It holds names, descriptions and factories. Finding plugins is ``mien.plugins.discovery``; giving names a meaning for
callers is ``mien.plugins.host``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from mien.errors import PluginError
from mien.hookspecs import BackendFactory, DetectorFactory, ViewFactory
from mien.interfaces import (
    API_VERSION,
    Analyzer,
    AnalyzerInfo,
    BackendInfo,
    CustomerChoice,
    CustomerPolicyInfo,
    DetectorInfo,
    Fuser,
    FuserInfo,
    Sink,
    SinkInfo,
    Transcriber,
    TranscriberInfo,
    ViewInfo,
)
from mien.plugins.guard import Deadlines
from mien.plugins.parts import PART_TYPES, PartKind
from mien.plugins.slots import Recipe, Slot
from mien.types import SampleKind

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
"""What the name of a part may look like."""


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
        api_version: Of the plugin contract, which host and plugin have agreed on.
        hooks: Names of those it implements, in order.
        analyzers: Names it registered; as with all that follow.
        fusers: Of fusion rules.
        transcribers: Of speech-to-text engines.
        sinks: Of sinks.
        detectors: Of face detectors.
        backends: Of execution backends.
        customer_policies: Of rules who the customer is.
        views: Of kiosk views.
    """

    name: str
    version: str = ""
    distribution: str = ""
    state: PluginState = PluginState.LOADED
    reason: str = ""
    api_version: int = API_VERSION
    hooks: tuple[str, ...] = ()
    analyzers: tuple[str, ...] = ()
    fusers: tuple[str, ...] = ()
    transcribers: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    customer_policies: tuple[str, ...] = ()
    views: tuple[str, ...] = ()


@dataclass(slots=True)
class Registrations:
    """What one plugin has registered, or all plugins together."""

    analyzers: dict[str, Slot[AnalyzerInfo, Analyzer]] = field(default_factory=dict)
    fusers: dict[str, Slot[FuserInfo, Fuser]] = field(default_factory=dict)
    transcribers: dict[str, Slot[TranscriberInfo, Transcriber]] = field(default_factory=dict)
    sinks: dict[str, Slot[SinkInfo, Sink]] = field(default_factory=dict)
    detectors: dict[str, Recipe[DetectorInfo, DetectorFactory]] = field(default_factory=dict)
    backends: dict[str, Recipe[BackendInfo, BackendFactory]] = field(default_factory=dict)
    customer_policies: dict[str, Recipe[CustomerPolicyInfo, Callable[[], CustomerChoice]]] = field(default_factory=dict)
    views: dict[str, Recipe[ViewInfo, ViewFactory]] = field(default_factory=dict)

    def of(self, kind: PartKind) -> dict[str, Any]:
        """The parts of one kind by name."""
        parts: dict[str, Any] = getattr(self, PART_TYPES[kind].plural)
        return parts

    def names(self) -> dict[str, Any]:
        """Plural of a kind -> names, in order; as ``PluginDescription`` has them."""
        return {PART_TYPES[kind].plural: tuple(sorted(self.of(kind))) for kind in PartKind}

    def all(self) -> Iterator[Slot[Any, Any] | Recipe[Any, Any]]:
        """Everything."""
        for kind in PartKind:
            yield from self.of(kind).values()

    def shared(self) -> Iterator[Slot[Any, Any]]:
        """All that may have been made and is kept."""
        for kind, part_type in PART_TYPES.items():
            if part_type.is_shared:
                yield from self.of(kind).values()

    def update(self, other: Registrations) -> None:
        """Take in what one plugin registered."""
        for kind in PartKind:
            self.of(kind).update(other.of(kind))


class Registrar:
    """Takes the registrations of one plugin; they count only if all of them are right.

    A wrong registration raises, and is kept in ``problems`` as well, so that a plugin cannot hide it.
    """

    def __init__(self, plugin: str, taken: Registrations, deadlines: Deadlines) -> None:
        self.plugin = plugin
        self._deadlines = deadlines
        self.added = Registrations()
        self.problems: list[str] = []
        self._taken = taken

    def callback(self, kind: PartKind) -> Callable[[str, Any, Any], None]:
        """The ``register`` of the hook for parts of this kind; it raises PluginError where something is wrong."""

        def register(name: str, info: Any, factory: Any) -> None:
            self._add(kind, name, info, factory)

        return register

    def _add(self, kind: PartKind, name: str, info: Any, factory: Any) -> None:
        expected = PART_TYPES[kind]
        if isinstance(info, AnalyzerInfo):
            self._check_analyzer_info(name, info)
        if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
            self._refuse(f"{name!r} is no name for a {kind}: expected a-z first, then a-z, 0-9, '_' or '-', up to 64")
        if not isinstance(info, expected.info):
            self._refuse(f"{kind} {name!r}: info is a {type(info).__name__}, expected a mien.{expected.info.__name__}")
        if not callable(factory):
            self._refuse(f"{kind} {name!r}: factory is a {type(factory).__name__}, expected something to call")
        other = self.added.of(kind).get(name) or self._taken.of(kind).get(name)
        if other is not None:
            self._refuse(f"{kind} {name!r} is already registered by plugin {other.plugin!r}")
        entry = Slot if expected.is_shared else Recipe
        self.added.of(kind)[name] = entry(
            kind=kind,
            name=name,
            info=info,
            plugin=self.plugin,
            factory=factory,
            part_type=expected.part,
            deadlines=self._deadlines,
        )

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
