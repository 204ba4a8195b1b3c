"""What plugins' commands are given: settings and parts of the run, found out when a command asks and not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

from mien.cli.state import CliState
from mien.config import Settings
from mien.errors import PluginError
from mien.plugins.context import plugin_settings, plugin_table

if TYPE_CHECKING:
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


class RunContext:
    """A ``mien.PluginContext`` over the state that the global options leave (``--config``, ``--strict``).

    Settings are read without loading plugins; parts load them.
    """

    def __init__(self) -> None:
        self._known: CliState | None = None

    def begin(self, state: CliState) -> None:
        """The global options are parsed; a command comes next."""
        self._known = state

    @overload
    def settings(self, section: str) -> Mapping[str, Any]: ...

    @overload
    def settings(self, section: str, model: type[Model]) -> Model: ...

    def settings(self, section: str, model: type[Model] | None = None) -> Mapping[str, Any] | Model:
        """The table ``[plugins.<section>]`` of ``--config``. Raises ConfigError where it is wrong."""
        settings = self.configuration
        return plugin_table(settings, section) if model is None else plugin_settings(settings, section, model)

    @property
    def configuration(self) -> Settings:
        """The whole of ``--config``. Raises ConfigError where it cannot be read or is wrong."""
        return self._state.settings

    def fuser(self, name: str) -> Fuser:
        """A fusion rule, of whichever plugin."""
        return self._state.host.fuser(name)

    def customer_choice(self, policy: str) -> CustomerChoice:
        """A session's state of a rule of who the customer is."""
        return self._state.host.customer_choice(policy)

    def transcriber(self, name: str) -> Transcriber:
        """A speech-to-text engine, of whichever plugin."""
        return self._state.host.hosted_transcriber(name)

    def detector(self, name: str, settings: DetectorSettings) -> FaceDetector:
        """A face detector, of whichever plugin."""
        return self._state.host.detector(name, settings)

    def backend(self, name: str, network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
        """A network on an execution backend, of whichever plugin."""
        return self._state.host.backend(name, network, precision)

    @property
    def _state(self) -> CliState:
        if self._known is None:
            raise PluginError("settings and parts are known when a command runs; ask for them there, and not before")
        return self._known
