"""An engine for each test, and something that hangs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from core.engines import KINDS, Answer, Hang, MakeEngine

from mien import (
    Analyzer,
    Fuser,
)
from mien.config import Settings
from mien.engine import Engine
from mien.plugins.guard import Deadlines
from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info


@pytest.fixture
def make_engine() -> Iterator[MakeEngine]:
    engines: list[Engine] = []

    def make(
        analyzers: Mapping[str, Analyzer | Answer | None],
        *,
        fuser: Fuser | None = None,
        settings: Settings | None = None,
        opt_in: tuple[str, ...] = (),
        deadlines: Deadlines | None = None,
    ) -> Engine:
        """An engine whose analyzers (face, voice, text) answer as given; None is a healthy one."""
        parts: dict[str, Any] = {}
        for name, given in analyzers.items():
            analyzer = given if isinstance(given, Analyzer) else FakeAnalyzer(name, answer=given)
            info = analyzer_info(name, KINDS[name], opt_in=name in opt_in)
            parts[name] = (info, lambda analyzer=analyzer: analyzer)
        chosen = settings or Settings()
        plugin = FakePlugin(analyzers=parts, fusers={"fitted": lambda: fuser or FakeFuser()})
        engines.append(Engine(PluginHost.from_plugins({"p": plugin}, chosen), chosen, deadlines=deadlines))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def hang() -> Iterator[Hang]:
    made = Hang()
    yield made
    made.release.set()
