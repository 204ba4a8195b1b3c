"""What a plugin is given: its settings, checked, and the parts that others have registered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, overload

from mien.config import Settings, validated
from mien.hookspecs import Model
from mien.interfaces import (
    CustomerChoice,
    DetectorSettings,
    ExecutableNetwork,
    ExecutionBackend,
    FaceDetector,
    Fuser,
    Precision,
    Transcriber,
)

if TYPE_CHECKING:
    from mien.plugins.host import PluginHost

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class HostContext:
    """The ``mien.hookspecs.PluginContext`` of one host."""

    def __init__(self, host: PluginHost, settings: Settings) -> None:
        self._host = host
        self._settings = settings
        self.sections_read: set[str] = set()

    @overload
    def settings(self, section: str) -> Mapping[str, Any]: ...

    @overload
    def settings(self, section: str, model: type[Model]) -> Model: ...

    def settings(self, section: str, model: type[Model] | None = None) -> Mapping[str, Any] | Model:
        """The table ``[plugins.<section>]``, as it is or as a model; see ``PluginContext``."""
        self.sections_read.add(section)
        return (
            plugin_table(self._settings, section) if model is None else plugin_settings(self._settings, section, model)
        )

    @property
    def configuration(self) -> Settings:
        """The whole configuration of this run."""
        return self._settings

    def fuser(self, name: str) -> Fuser:
        """A fusion rule, of whichever plugin."""
        return self._host.fuser(name)

    def customer_choice(self, policy: str) -> CustomerChoice:
        """A session's state of a rule of who the customer is."""
        return self._host.customer_choice(policy)

    def transcriber(self, name: str) -> Transcriber:
        """A speech-to-text engine, of whichever plugin; it streams."""
        return self._host.hosted_transcriber(name)

    def detector(self, name: str, settings: DetectorSettings) -> FaceDetector:
        """A face detector, of whichever plugin."""
        return self._host.detector(name, settings)

    def backend(self, name: str, network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
        """A network on an execution backend, of whichever plugin."""
        return self._host.backend(name, network, precision)


def plugin_table(settings: Settings, section: str) -> Mapping[str, Any]:
    """``[plugins.<section>]``, read-only; empty where there is none."""
    return MappingProxyType(settings.plugins[section]) if section in settings.plugins else _EMPTY


def plugin_settings(settings: Settings, section: str, model: type[Model]) -> Model:
    """``[plugins.<section>]`` as a model.

    Raises:
        ConfigError: The table does not fit; names the file that it came from, and lists every problem.
    """
    where = f" of {settings.source}" if settings.source else ""
    return validated(model, plugin_table(settings, section), name=f"[plugins.{section}]{where}")
