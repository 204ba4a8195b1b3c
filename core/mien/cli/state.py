"""What the commands of one run share: the settings, and the plugin host and engine once somebody asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.config import Settings, load_settings

if TYPE_CHECKING:
    from mien.engine import Engine
    from mien.plugins.guard import Deadlines
    from mien.plugins.host import PluginHost


class CliState:
    """Hangs at the context of every command (``state_of``). Loads lazily, closes what it loaded."""

    def __init__(self, *, config: Path | None = None, strict: bool = False) -> None:
        self.config = config
        self.strict = strict
        self._settings: Settings | None = None
        self._waits = False
        self._host: PluginHost | None = None
        self._engine: Engine | None = None

    @property
    def settings(self) -> Settings:
        """The validated configuration.

        Raises:
            ConfigError: It cannot be read or is wrong.
        """
        if self._settings is None:
            self._settings = load_settings(self.config)
        return self._settings

    def enable_only(self, analyzers: Sequence[str]) -> None:
        """Put these analyzers in the configuration's place; call it before the host is asked for."""
        if self._host is not None:
            raise RuntimeError("the analyzers must be chosen before the plugins are loaded")
        engine = self.settings.engine.model_copy(update={"analyzers": tuple(analyzers)})
        self._settings = self.settings.model_copy(update={"engine": engine})

    def redact_transcripts(self) -> None:
        """Take the words of transcripts out of every answer, whatever the configuration says."""
        privacy = self.settings.privacy.model_copy(update={"redact_transcript": True})
        self._settings = self.settings.model_copy(update={"privacy": privacy})

    def wait_for_analyses(self) -> None:
        """Let every analysis take what it takes: somebody waits for it, and Ctrl-C ends it.

        Call it before the engine is asked for.
        """
        if self._engine is not None:
            raise RuntimeError("who waits must say so before the engine is made")
        self._waits = True

    @property
    def deadlines(self) -> Deadlines:
        """How long calls into plugins may take."""
        from mien.plugins.guard import Deadlines

        return Deadlines.patient(self.settings) if self._waits else Deadlines.of(self.settings)

    @property
    def host(self) -> PluginHost:
        """The installed plugins.

        Raises:
            ConfigError: The configuration is wrong, or names an analyzer or fuser that does not exist.
            PluginError: ``--strict``, and a plugin could not be loaded.
        """
        if self._host is None:
            from mien.plugins.host import PluginHost

            self._host = PluginHost.discover(self.settings, strict=self.strict)
        return self._host

    @property
    def engine(self) -> Engine:
        """An engine over the host. Raises as ``host`` does."""
        if self._engine is None:
            from mien.engine import Engine

            self._engine = Engine(self.host, self.settings, deadlines=self.deadlines)
        return self._engine

    def close(self) -> None:
        """Close what was loaded. May be called twice."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._host is not None:
            self._host.close()
            self._host = None


def state_of(context: typer.Context) -> CliState:
    """The state that the global options left at the context."""
    state = context.find_root().obj
    if not isinstance(state, CliState):
        raise TypeError("the command was run without mien's global options")
    return state
