"""The whole extension contract: the hooks that a plugin may implement.

A plugin is a module (or object) named by an entry point in the group ``mien.plugins``. The host calls each hook once
for one plugin at a time, so that a broken one costs only itself. See ``docs/plugins.md`` for a complete example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

import pluggy

from mien.interfaces import (
    Analyzer,
    AnalyzerInfo,
    BackendInfo,
    CustomerChoice,
    CustomerPolicyInfo,
    DetectorInfo,
    DetectorSettings,
    ExecutableNetwork,
    ExecutionBackend,
    FaceDetector,
    Fuser,
    FuserInfo,
    KioskView,
    Precision,
    Sink,
    SinkInfo,
    Transcriber,
    TranscriberInfo,
    ViewInfo,
    ViewPlace,
)

if TYPE_CHECKING:
    import typer
    from pydantic import BaseModel

    from mien.config import Settings

PROJECT = "mien"
"""The name of both the pluggy project and, with ``.plugins``, the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Info = TypeVar("Info", contravariant=True)
Factory = TypeVar("Factory", contravariant=True)
Model = TypeVar("Model", bound="BaseModel")


class Register(Protocol[Info, Factory]):
    """Registers one part: a unique name, what is known of it, and a factory that makes it when it is needed."""

    def __call__(self, name: str, info: Info, factory: Factory) -> None:
        """Register under a name that nobody has taken."""


DetectorFactory: TypeAlias = Callable[[DetectorSettings], FaceDetector]
BackendFactory: TypeAlias = Callable[[ExecutableNetwork, Precision], ExecutionBackend]
ViewFactory: TypeAlias = Callable[[ViewPlace], KioskView]

RegisterAnalyzer: TypeAlias = Register[AnalyzerInfo, Callable[[], Analyzer]]
RegisterFuser: TypeAlias = Register[FuserInfo, Callable[[], Fuser]]
RegisterTranscriber: TypeAlias = Register[TranscriberInfo, Callable[[], Transcriber]]
RegisterSink: TypeAlias = Register[SinkInfo, Callable[[], Sink]]
RegisterDetector: TypeAlias = Register[DetectorInfo, DetectorFactory]
RegisterBackend: TypeAlias = Register[BackendInfo, BackendFactory]
RegisterCustomerPolicy: TypeAlias = Register[CustomerPolicyInfo, Callable[[], CustomerChoice]]
RegisterView: TypeAlias = Register[ViewInfo, ViewFactory]


class PluginContext(Protocol):
    """What the host gives a plugin: one object for as long as the host lives. Keep it, and use it in factories."""

    @overload
    def settings(self, section: str) -> Mapping[str, Any]: ...

    @overload
    def settings(self, section: str, model: type[Model]) -> Model: ...

    def settings(self, section: str, model: type[Model] | None = None) -> Mapping[str, Any] | Model:
        """The table ``[plugins.<section>]`` of the configuration; empty where there is none.

        Args:
            section: Name of the table.
            model: A pydantic model of the table; without it the table comes as it is, unchecked.

        Raises:
            ConfigError: The table does not fit the model; names file and key, and lists every problem.
        """

    @property
    def configuration(self) -> Settings:
        """The whole configuration of this run, validated."""

    def fuser(self, name: str) -> Fuser:
        """A registered fusion rule; for use in a command."""

    def customer_choice(self, policy: str) -> CustomerChoice:
        """A session's state of a registered rule of who the customer is; for use in a command."""

    def transcriber(self, name: str) -> Transcriber:
        """Load a registered speech-to-text engine; for use in a factory, when all plugins have registered.

        Its ``open_stream`` always gives a stream, for one that has none of its own by recognising again and again.
        """

    def detector(self, name: str, settings: DetectorSettings) -> FaceDetector:
        """Make a registered face detector; for use in a factory."""

    def backend(self, name: str, network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
        """Have a registered execution backend take a network; for use in a factory."""


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
def mien_register_sinks(register: RegisterSink, context: PluginContext) -> None:
    """Register sinks, which are shown every result: ``register(name, info, factory)``. Open nothing here."""


@hookspec
def mien_register_detectors(register: RegisterDetector, context: PluginContext) -> None:
    """Register face detectors; the factory takes ``DetectorSettings``."""


@hookspec
def mien_register_backends(register: RegisterBackend, context: PluginContext) -> None:
    """Register execution backends; the factory takes an ``ExecutableNetwork`` and a ``Precision``."""


@hookspec
def mien_register_customer_policies(register: RegisterCustomerPolicy, context: PluginContext) -> None:
    """Register rules of who the customer is among several; the factory makes one session's state."""


@hookspec
def mien_register_views(register: RegisterView, context: PluginContext) -> None:
    """Register kiosk views; the factory takes a ``ViewPlace``."""


@hookspec
def mien_register_commands(app: typer.Typer, context: PluginContext) -> None:
    """Add commands to the ``mien`` command line; ``context`` is that of the run, for use when a command runs."""
