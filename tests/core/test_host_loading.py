"""What the host makes of factories: loads once, when asked for, and closes what it loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from core.support import INFO

from mien import (
    Analyzer,
    AnalyzerInfo,
    AudioClip,
    PluginError,
    SampleKind,
    WeightsError,
    hookimpl,
)
from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, FakeTranscriber, analyzer_info


def test_an_analyzer_is_loaded_once_for_all_threads_and_only_when_asked_for() -> None:
    made: list[Analyzer] = []
    threads_ready = threading.Barrier(4)

    def factory() -> Analyzer:
        made.append(FakeAnalyzer())
        return made[-1]

    host = PluginHost.from_plugins({"p": FakePlugin(analyzers={"face": (INFO, factory)})})
    assert not made
    assert not host.is_loaded("face")
    found: list[Analyzer] = []

    def load() -> None:
        threads_ready.wait(30)
        found.append(host.analyzer("face"))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert host.is_loaded("face")
    assert len(made) == 1
    assert found == made * 4


def test_a_factory_that_raises_is_asked_once_and_its_reason_kept() -> None:
    calls = []

    def factory() -> Analyzer:
        calls.append(1)
        raise WeightsError("the weights are damaged")

    host = PluginHost.from_plugins({"p": FakePlugin(analyzers={"face": (INFO, factory)})})
    for _ in range(2):
        with pytest.raises(PluginError, match=r"'face' of plugin 'p' could not be loaded: the weights are damaged"):
            host.analyzer("face")
    assert len(calls) == 1


def test_a_factory_that_makes_something_else_is_refused() -> None:
    wrong: Any = FakeFuser
    host = PluginHost.from_plugins({"p": FakePlugin(analyzers={"face": (INFO, wrong)})})
    with pytest.raises(PluginError, match=r"made a FakeFuser, expected a mien\.Analyzer"):
        host.analyzer("face")


class NeedsEar:
    """A voice plugin in small: its analyzer needs a transcriber, possibly of another plugin."""

    @hookimpl
    def mien_register_analyzers(self, register: Any, context: Any) -> None:
        info = analyzer_info("voice", SampleKind.AUDIO)
        silence = AudioClip(np.zeros(160, np.float32), 16_000)
        register("voice", info, lambda: FakeAnalyzer(context.transcriber("ear").transcribe(silence).engine))


def test_a_factory_can_have_the_transcriber_of_a_plugin_that_registers_later() -> None:
    host = PluginHost.from_plugins({"a": NeedsEar(), "b": FakePlugin(transcribers={"ear": FakeTranscriber})})
    assert isinstance(host.analyzer("voice"), FakeAnalyzer)


def test_a_missing_transcriber_is_named_where_the_analyzer_is_loaded() -> None:
    host = PluginHost.from_plugins({"a": NeedsEar()})
    with pytest.raises(PluginError, match="there is no transcriber 'ear'"):
        host.analyzer("voice")


def test_something_that_needs_itself_is_told_so() -> None:
    holder: list[PluginHost] = []
    host = PluginHost.from_plugins({"p": FakePlugin(analyzers={"face": (INFO, lambda: holder[0].analyzer("face"))})})
    holder.append(host)
    with pytest.raises(PluginError, match="needs itself to load"):
        host.analyzer("face")


class Unclosable(FakeAnalyzer):
    def close(self) -> None:
        super().close()
        raise OSError("busy")


def test_closing_closes_what_was_loaded_and_survives_what_raises() -> None:
    loaded, unclosable, never = FakeAnalyzer(), Unclosable(), FakeAnalyzer()
    parts: dict[str, tuple[AnalyzerInfo, Callable[[], Analyzer]]] = {
        "a": (INFO, lambda: unclosable),
        "b": (INFO, lambda: loaded),
        "c": (INFO, lambda: never),
    }
    host = PluginHost.from_plugins({"p": FakePlugin(analyzers=parts)})
    host.analyzer("a")
    host.analyzer("b")
    host.close()
    host.close()
    assert (unclosable.closed, loaded.closed, never.closed) == (1, 1, 0)
    with pytest.raises(PluginError, match="'b' is closed"):
        host.analyzer("b")
