"""Sinks: plugins that are told results."""

from __future__ import annotations

from typing import Any

import pytest

from mien import (
    UNKNOWN_SATISFACTION,
    AnalysisResult,
    ConfigError,
    PluginContext,
    hookimpl,
)
from mien.config import parse_settings
from mien.plugins.host import PluginHost
from mien.testing import FakePlugin

RESULT = AnalysisResult(predictions=(), satisfaction=UNKNOWN_SATISFACTION)


def test_a_sink_that_raises_is_counted_and_the_others_see_the_result(caplog: pytest.LogCaptureFixture) -> None:
    good = FakePlugin()
    host = PluginHost.from_plugins({"a_bad": FakePlugin(sink_raises=True), "good": good})
    host.notify_result("s1", RESULT)
    host.notify_result("s1", RESULT)
    assert good.results == [("s1", RESULT)] * 2
    assert host.sink_failures == {"a_bad": 2}
    assert "told to raise" not in caplog.text, "messages may hold what a customer said"
    assert len(caplog.records) == 1, "a sink that fails for each result must not fill the log"


class Sink:
    """Notes what it is told, with the settings that it was started with."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    @hookimpl
    def mien_on_start(self, context: PluginContext) -> None:
        if context.settings("sink").get("path") == "":
            raise ConfigError("[plugins.sink] path must not be empty")
        self.told.append(("start", context))

    @hookimpl
    def mien_on_result(self, result: Any, context: PluginContext) -> None:
        self.told.append(("result", context))

    @hookimpl
    def mien_on_close(self, context: PluginContext) -> None:
        self.told.append(("close", context))


def test_a_sink_is_started_told_and_closed_with_one_context() -> None:
    sink = Sink()
    settings = parse_settings({"plugins": {"sink": {"path": "x"}}})
    host = PluginHost.from_plugins({"sink": sink}, settings)
    host.notify_result("s1", RESULT)
    host.close()
    assert [what for what, _ in sink.told] == ["start", "result", "close"]
    (context,) = {context for _, context in sink.told}
    assert context.settings("sink") == {"path": "x"}


def test_a_sink_with_wrong_settings_is_left_out() -> None:
    host = PluginHost.from_plugins({"sink": Sink()}, parse_settings({"plugins": {"sink": {"path": ""}}}))
    assert host.plugins()[0].reason == "its settings are wrong: [plugins.sink] path must not be empty"


class RaisesOnClose(Sink):
    @hookimpl
    def mien_on_close(self, context: PluginContext) -> None:
        raise OSError("the disk is gone")


def test_a_sink_that_cannot_be_closed_is_logged_and_the_others_are_closed(caplog: pytest.LogCaptureFixture) -> None:
    other = Sink()
    host = PluginHost.from_plugins({"a": RaisesOnClose(), "b": other})
    host.close()
    assert "the disk is gone" in caplog.text
    assert other.told[-1][0] == "close"
