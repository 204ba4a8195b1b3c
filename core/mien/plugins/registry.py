"""What plugins have registered, and the loading of it: once, when it is first needed, from whichever thread asks first.

It holds names, descriptions and factories. Finding plugins is ``mien.plugins.discovery``; giving names a meaning for
callers is ``mien.plugins.host``.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final, Generic, TypeVar

from mien.errors import MienError, PluginError
from mien.hookspecs import BackendFactory, DetectorFactory, ViewFactory
from mien.interfaces import (
    Analyzer,
    AnalyzerInfo,
    BackendInfo,
    CustomerChoice,
    CustomerPolicyInfo,
    DetectorInfo,
    ExecutionBackend,
    FaceDetector,
    Fuser,
    FuserInfo,
    KioskView,
    Sink,
    SinkInfo,
    Transcriber,
    TranscriberInfo,
    ViewInfo,
)
from mien.plugins.guard import CallKind, Deadlines, Guard, GuardedCall, PluginCallError
from mien.types import SampleKind

Info = TypeVar("Info")
Part = TypeVar("Part")
Result = TypeVar("Result")
Factory = TypeVar("Factory", bound=Callable[..., Any])

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
"""What the name of a part may look like."""


class PartKind(StrEnum):
    """What a plugin can register; the value is what a message calls it."""

    ANALYZER = "analyzer"
    FUSER = "fuser"
    TRANSCRIBER = "transcriber"
    SINK = "sink"
    DETECTOR = "detector"
    BACKEND = "backend"
    CUSTOMER_POLICY = "customer policy"
    VIEW = "view"


@dataclass(frozen=True, slots=True)
class PartType:
    """How parts of one kind are registered.

    Attributes:
        plural: Their name in ``Registrations`` and ``PluginDescription``; with ``mien_register_`` before it, the hook.
        info: What is known of one.
        part: What its factory makes.
        is_shared: One is made and kept for all; others are made anew, to order, each time.
    """

    plural: str
    info: type[Any]
    part: type[Any]
    is_shared: bool

    @property
    def hook(self) -> str:
        """The hook that registers them."""
        return f"mien_register_{self.plural}"


PART_TYPES: Final[Mapping[PartKind, PartType]] = {
    PartKind.ANALYZER: PartType("analyzers", AnalyzerInfo, Analyzer, True),
    PartKind.FUSER: PartType("fusers", FuserInfo, Fuser, True),
    PartKind.TRANSCRIBER: PartType("transcribers", TranscriberInfo, Transcriber, True),
    PartKind.SINK: PartType("sinks", SinkInfo, Sink, True),
    PartKind.DETECTOR: PartType("detectors", DetectorInfo, FaceDetector, False),
    PartKind.BACKEND: PartType("backends", BackendInfo, ExecutionBackend, False),
    PartKind.CUSTOMER_POLICY: PartType("customer_policies", CustomerPolicyInfo, CustomerChoice, False),
    PartKind.VIEW: PartType("views", ViewInfo, KioskView, False),
}


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
    analyzers: tuple[str, ...] = ()
    fusers: tuple[str, ...] = ()
    transcribers: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    customer_policies: tuple[str, ...] = ()
    views: tuple[str, ...] = ()


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
RegisteredSink = Registered[SinkInfo]
RegisteredDetector = Registered[DetectorInfo]
RegisteredBackend = Registered[BackendInfo]
RegisteredCustomerPolicy = Registered[CustomerPolicyInfo]
RegisteredView = Registered[ViewInfo]


class Slot(Generic[Info, Part]):
    """One registered factory and, once it was needed, what it made.

    Attributes:
        guard: Stands before the part; its factory and its ``close`` are called through it here.
    """

    def __init__(
        self,
        *,
        kind: str,
        name: str,
        info: Info,
        plugin: str,
        factory: Callable[[], Part],
        part_type: type[Any],
        deadlines: Deadlines,
    ) -> None:
        self.kind = kind
        self.name = name
        self.info = info
        self.plugin = plugin
        self.guard = Guard(f"{kind} {name!r}", deadlines)
        self._where = f"{kind} {name!r} of plugin {plugin!r}"
        self._factory = factory
        self._part_type = part_type
        self._lock = threading.Lock()
        self._part: Part | None = None
        self._failure = ""
        self._closed = False

    @property
    def loaded(self) -> bool:
        """Whether ``load`` would answer at once, with the part or with the reason why there is none."""
        return self._part is not None or bool(self._failure)

    def load(self) -> Part:
        """Make the part, once; a failure is remembered and raised again.

        Raises:
            PluginError: The factory raised, made something else, needs itself, or has not answered in time. What it
                makes after its time is used from then on.
        """
        if not self.loaded:
            self._load()
        if self._part is None:
            raise PluginError(self._failure)
        return self._part

    def begin_close(self) -> GuardedCall[None] | None:
        """Begin to close the part; None where there is nothing to close. The slot makes no other."""
        self._closed = True
        part, self._part = self._part, None
        self._failure = f"{self.kind} {self.name!r} is closed"
        if not isinstance(part, Analyzer | Transcriber | Sink):
            return None
        return self.guard.submit(CallKind.CLOSE, outspoken(part.close))

    def _load(self) -> None:
        if self in _loading.get():
            raise PluginError(f"{self._where} needs itself to load")
        seconds = self.guard.seconds_of(CallKind.FACTORY)
        if not self._lock.acquire(timeout=-1 if seconds is None else seconds):
            raise PluginError(f"{self._where} could not be loaded: it has been loading for {seconds:g} s")
        try:
            if not self.loaded:
                self.guard.call(CallKind.FACTORY, self._make)
        except PluginCallError as error:
            raise PluginError(f"{self._where} could not be loaded: {error.reason}") from None
        finally:
            self._lock.release()

    def _make(self) -> None:
        """Run the factory, and keep what it made, or the reason why it made nothing."""
        token = _loading.set(_loading.get() | {self})
        try:
            part = self._factory()
            fits = isinstance(part, self._part_type)
        except BaseException as error:
            self._failure = self._failure or f"{self._where} could not be loaded: {explain(error)}"
            return
        finally:
            _loading.reset(token)
        if not fits:
            made, expected = type(part).__name__, self._part_type.__name__
            self._failure = f"{self._where}: its factory made a {made}, expected a mien.{expected}"
        elif self._closed:  # meanwhile
            with contextlib.suppress(BaseException):
                part.close()  # type: ignore[attr-defined]  # a fuser has none, which is suppressed with the rest
        else:
            self._part = part


_loading: ContextVar[frozenset[Slot[Any, Any]]] = ContextVar("mien_loading", default=frozenset())
"""The slots whose factories the code runs in, across the threads of their guards."""


class Recipe(Generic[Info, Factory]):
    """One registered factory of parts that are made to order, and kept by whoever asked.

    Attributes:
        guard: Stands before the factory.
    """

    def __init__(
        self,
        *,
        kind: str,
        name: str,
        info: Info,
        plugin: str,
        factory: Factory,
        part_type: type[Any],
        deadlines: Deadlines,
    ) -> None:
        self.kind = kind
        self.name = name
        self.info = info
        self.plugin = plugin
        self.guard = Guard(f"{kind} {name!r}", deadlines)
        self._factory = factory
        self._part_type = part_type

    def make(self, *order: Any) -> Any:
        """Make one, of the recipe's part type.

        Raises:
            MienError: The factory raised it: its message is for whoever gave the order.
            PluginError: The factory raised something else, made something else, or has not answered in time.
        """
        where = f"{self.kind} {self.name!r} of plugin {self.plugin!r}"

        factory = outspoken(partial(self._factory, *order), f"{where} could not be made: ")
        try:
            part = self.guard.call(CallKind.FACTORY, factory)
        except PluginCallError as error:
            raise PluginError(f"{where} could not be made: {error.reason}") from None
        if not isinstance(part, self._part_type):
            what, expected = type(part).__name__, self._part_type.__name__
            raise PluginError(f"{where}: its factory made a {what}, expected a mien.{expected}")
        return part


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


def outspoken(function: Callable[[], Result], prefix: str = "") -> Callable[[], Result]:
    """The function, but what it raises is told with its message, for the plugin's developer.

    For calls that see nothing of a customer. Errors of mien's pass as they are; others become ``PluginError``.
    """

    def call() -> Result:
        try:
            return function()
        except MienError:
            raise
        except BaseException as error:
            raise PluginError(f"{prefix}{explain(error)}") from error

    return call


def explain(error: BaseException) -> str:
    """What went wrong, in one line for a person: mien's own messages as they are, others with their type."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # an exception of a plugin's can raise where it is looked at
        text = ""
    if isinstance(error, MienError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
