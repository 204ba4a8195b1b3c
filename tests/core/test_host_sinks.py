"""Sinks: what plugins register to be shown results."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from core.support import describe

from mien import (
    UNKNOWN_SATISFACTION,
    AnalysisResult,
    ConfigError,
    PluginContext,
    PluginHost,
    PluginState,
    Provenance,
    RegisterSink,
    Sink,
    SinkInfo,
    hookimpl,
    parse_settings,
)
from mien.config import Settings
from mien.plugins.guard import CallKind, Deadlines
from mien.plugins.sinks import Sinks
from mien.testing import FakePlugin, FakeSink, SinkConformance, make_prediction

RESULT = AnalysisResult(predictions=(), satisfaction=UNKNOWN_SATISFACTION)
AT_THE_DOOR = Provenance(source="door.mp4", session_id="s1", site="Harbour", at_seconds=2.0)


def test_a_sink_that_raises_is_counted_and_the_others_see_the_result(caplog: pytest.LogCaptureFixture) -> None:
    good, bad = FakeSink(), FakeSink(error=OSError("what the customer said"))
    host = PluginHost.from_plugins({"a": FakePlugin(sinks={"bad": lambda: bad, "good": lambda: good})})
    sinks = Sinks(host)
    sinks.notify(RESULT, AT_THE_DOOR)
    sinks.notify(RESULT, AT_THE_DOOR)
    sinks.close()
    assert good.written == [(RESULT, AT_THE_DOOR)] * 2
    assert sinks.failures == {"bad": 2}
    assert "customer said" not in caplog.text, "messages may hold what a customer said"
    assert len(caplog.records) == 1, "a sink that fails for each result must not fill the log"


def test_a_sink_is_opened_by_the_first_result_and_closed_with_the_host() -> None:
    opened: list[FakeSink] = []

    def factory() -> FakeSink:
        opened.append(FakeSink())
        return opened[-1]

    host = PluginHost.from_plugins({"keeper": FakePlugin(sinks={"keeper": factory})})
    assert list(host.sinks) == ["keeper"]
    assert host.plugins()[0].sinks == ("keeper",)
    assert opened == [], "listing plugins must open nothing"
    sinks = Sinks(host)
    for _ in range(2):
        sinks.notify(RESULT, Provenance())
    sinks.close()
    host.close()
    (sink,) = opened
    assert (len(sink.written), sink.closed) == (2, 1)


def happy() -> AnalysisResult:
    return AnalysisResult(predictions=(make_prediction(satisfaction=0.8),), satisfaction=UNKNOWN_SATISFACTION)


class Meddler(FakeSink):
    """Changes what it is shown."""

    def write(self, result: Any, provenance: Provenance) -> None:
        result.predictions[0].emotions.clear()
        super().write(result, provenance)


def test_a_sink_gets_a_copy_of_its_own() -> None:
    meddler, honest, result = Meddler(), FakeSink(), happy()
    host = PluginHost.from_plugins({"a": FakePlugin(sinks={"a": lambda: meddler, "b": lambda: honest})})
    sinks = Sinks(host)
    sinks.notify(result, AT_THE_DOOR)
    sinks.close()
    assert [shown for shown, _ in meddler.written] != [happy()]
    assert honest.written == [(happy(), AT_THE_DOOR)]
    assert result == happy()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_sink_that_exits_costs_only_itself(error: BaseException) -> None:
    good = FakeSink()
    host = PluginHost.from_plugins({"a": FakePlugin(sinks={"a": lambda: FakeSink(error=error), "good": lambda: good})})
    sinks = Sinks(host)
    sinks.notify(RESULT, AT_THE_DOOR)
    sinks.close()
    assert (len(good.written), sinks.failures) == (1, {"a": 1})


class Hanging(FakeSink):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.asked = 0

    def write(self, result: Any, provenance: Provenance) -> None:
        self.asked += 1
        self.go_on.wait()


def test_a_sink_that_hangs_is_given_up_on_and_the_others_see_all(caplog: pytest.LogCaptureFixture) -> None:
    hanging, good = Hanging(), FakeSink()
    host = PluginHost.from_plugins({"a": FakePlugin(sinks={"a": lambda: hanging, "good": lambda: good})})
    sinks = Sinks(host, deadlines=Deadlines({**Deadlines.of(Settings()).seconds, CallKind.SINK: 0.05}))
    try:
        for _ in range(3):
            sinks.notify(RESULT, AT_THE_DOOR)
        sinks.close()
    finally:
        hanging.go_on.set()
    assert len(good.written) == 3
    assert (hanging.asked, sinks.failures) == (1, {"a": 3})
    assert [record.getMessage() for record in caplog.records] == [
        "sink 'a': it did not answer for 0.05 s; more of the same are counted only",
        "sink 'a': it has not returned from a call that ran out of time, and takes no new one until it does; more of "
        "the same are counted only",
    ]


def test_closing_waits_for_no_sink_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    hanging = Hanging()
    sinks = Sinks(PluginHost.from_plugins({"a": FakePlugin(sinks={"a": lambda: hanging})}), close_seconds=0.05)
    try:
        sinks.notify(RESULT, AT_THE_DOOR)
        sinks.close()
        sinks.close()
        sinks.notify(RESULT, AT_THE_DOOR)
    finally:
        hanging.go_on.set()
    assert "sinks have not returned for 0.05 s" in caplog.text


def test_results_beyond_what_may_wait_are_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    hanging = Hanging()
    host = PluginHost.from_plugins({"a": FakePlugin(sinks={"a": lambda: hanging})})
    sinks = Sinks(host, max_waiting=2)
    for _ in range(10):
        sinks.notify(RESULT, AT_THE_DOOR)
    hanging.go_on.set()
    sinks.close()
    assert hanging.asked + sinks.left_out == 10
    assert sinks.left_out in (7, 8), "two wait, and perhaps one is being written"
    assert caplog.text.count("sinks are too slow: 2 results wait") == 1


def test_a_sink_is_flushed_when_the_results_have_ended() -> None:
    sink = FakeSink()
    sinks = Sinks(PluginHost.from_plugins({"a": FakePlugin(sinks={"a": lambda: sink})}))
    sinks.notify(RESULT, AT_THE_DOOR)
    sinks.close()
    assert (len(sink.written), sink.flushed) == (1, 1)


def test_sinks_are_opened_by_no_run_without_results() -> None:
    def factory() -> Sink:
        raise AssertionError("opened")

    sinks = Sinks(PluginHost.from_plugins({"a": FakePlugin(sinks={"a": factory})}))
    sinks.close()
    assert sinks.failures == {}


class Checked:
    """A plugin whose settings are checked while it registers."""

    @hookimpl
    def mien_register_sinks(self, register: RegisterSink, context: PluginContext) -> None:
        if context.settings("sink").get("path") == "":
            raise ConfigError("[plugins.sink] path must not be empty")
        register("sink", SinkInfo(version="0"), FakeSink)


def test_a_sink_with_wrong_settings_is_left_out() -> None:
    host = PluginHost.from_plugins({"sink": Checked()}, parse_settings({"plugins": {"sink": {"path": ""}}}))
    assert host.plugins()[0].reason == "its settings are wrong: [plugins.sink] path must not be empty"
    assert not host.sinks


class RaisesOnClose(FakeSink):
    def close(self) -> None:
        raise OSError("the disk is gone")


def test_a_sink_that_cannot_be_closed_is_logged_and_the_others_are_closed(caplog: pytest.LogCaptureFixture) -> None:
    other = FakeSink()
    host = PluginHost.from_plugins(
        {"a": FakePlugin(sinks={"a": RaisesOnClose}), "b": FakePlugin(sinks={"b": lambda: other})}
    )
    host.sink("a")
    host.sink("b")
    host.close()
    assert "the disk is gone" in caplog.text
    assert other.closed == 1


def test_a_factory_that_makes_no_sink_is_told() -> None:
    made: Any = FakePlugin(sinks={"odd": object})  # type: ignore[dict-item]
    sinks = Sinks(PluginHost.from_plugins({"odd": made}))
    sinks.notify(RESULT, Provenance())
    sinks.close()
    assert sinks.failures == {"odd": 1}


def test_two_sinks_of_one_name_cost_the_second_plugin() -> None:
    host = PluginHost.from_plugins(
        {"a": FakePlugin(sinks={"same": FakeSink}), "b": FakePlugin(sinks={"same": FakeSink})}
    )
    assert describe(host, "b").state is PluginState.FAILED
    assert describe(host, "b").reason == "sink 'same' is already registered by plugin 'a'"


class Shelf(FakeSink):
    """Keeps what it is shown where the test can count it."""

    def __init__(self, kept: list[Any]) -> None:
        super().__init__()
        self.written = kept


class TestConformance(SinkConformance):
    @pytest.fixture
    def kept(self) -> deque[Any]:
        return deque(maxlen=50)  # a shelf that keeps everything would grow, as no sink may

    @pytest.fixture
    def make_sink(self, kept: deque[Any]) -> Callable[[], Sink]:
        return lambda: Shelf(kept)

    @pytest.fixture
    def count(self, kept: deque[Any]) -> Callable[[], int]:
        return lambda: len(kept)
