"""The host with plugins that hang or exit: what is bounded, and what is said about it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from core.support import INFO, describe, module

from mien import Analyzer, PluginError, hookimpl
from mien.config import Settings, parse_settings
from mien.plugins import guard
from mien.plugins.guard import CallKind
from mien.plugins.host import PluginHost, PluginState
from mien.plugins.parts import PartKind
from mien.testing import FakeAnalyzer, FakePlugin, FakeTranscriber

LONG = 60.0


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What the hanging plugins of a test wait for."""
    made = threading.Event()
    yield made
    made.set()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines that a test can wait for."""
    monkeypatch.setattr(guard, "FIXED_SECONDS", dict.fromkeys(guard.FIXED_SECONDS, 0.1))


pytestmark = pytest.mark.usefixtures("short")


def hanging(release: threading.Event) -> Callable[..., Any]:
    return hookimpl(lambda register: release.wait(LONG))


def test_a_registration_that_hangs_costs_only_its_plugin(release: threading.Event) -> None:
    host = PluginHost.from_plugins(
        {
            "a_stuck": module(mien_register_analyzers=hanging(release)),
            "good": FakePlugin(analyzers={"x": (INFO, FakeAnalyzer)}),
        }
    )
    assert describe(host, "a_stuck").state is PluginState.FAILED
    assert describe(host, "a_stuck").reason == "its registration failed: it did not answer for 0.1 s"
    assert list(host.analyzers) == ["x"]


def test_what_is_registered_after_its_time_does_not_count(release: threading.Event) -> None:
    registered = threading.Event()

    def late(register: Any) -> None:
        release.wait(LONG)
        register("late", INFO, FakeAnalyzer)
        registered.set()

    host = PluginHost.from_plugins({"p": module(mien_register_analyzers=hookimpl(late))})
    release.set()
    assert registered.wait(LONG)
    assert not host.analyzers
    with pytest.raises(PluginError, match="its registration failed"):
        PluginHost.from_plugins({"p": module(mien_register_analyzers=hanging(threading.Event()))}, strict=True)


def test_an_import_that_hangs_or_exits_costs_only_its_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: threading.Event
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(guard, "FIXED_SECONDS", {**guard.FIXED_SECONDS, CallKind.IMPORT: 2.0})
    sources = {
        "stuck": "import sys\nsys.mien_release.wait(60)\n",
        "exits": "raise KeyboardInterrupt\n",
        "works": "from mien import hookimpl\n@hookimpl\ndef mien_register_fusers(register):\n    pass\n",
    }
    monkeypatch.setattr(sys, "mien_release", release, raising=False)
    info = tmp_path / "guarded-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guarded\nVersion: 1\n")
    lines = [f"guarded_{name} = guarded_{name}" for name in sources]
    (info / "entry_points.txt").write_text("\n".join(["[mien.plugins]", *lines, ""]))
    for name, source in sources.items():
        (tmp_path / f"guarded_{name}.py").write_text(source)
        monkeypatch.delitem(sys.modules, f"guarded_{name}", raising=False)
    host = PluginHost.discover(Settings())
    assert describe(host, "guarded_stuck").reason == "its import failed: it did not answer for 2 s"
    assert describe(host, "guarded_exits").reason == "'guarded_exits' could not be imported: KeyboardInterrupt"
    assert describe(host, "guarded_works").state is PluginState.LOADED
    host.close()


class Hangs:
    """A factory that makes an analyzer when it is told to."""

    def __init__(self, release: threading.Event) -> None:
        self._release = release
        self.made = FakeAnalyzer()

    def __call__(self) -> Analyzer:
        self._release.wait(LONG)
        return self.made


def test_a_factory_that_hangs_is_given_up_on_and_what_it_makes_later_is_used(release: threading.Event) -> None:
    factory, back = Hangs(release), threading.Event()
    host = PluginHost.from_plugins({"p": FakePlugin(analyzers={"x": (INFO, factory)})})
    with pytest.raises(PluginError, match=r"'x' of plugin 'p' could not be loaded: it did not answer for 0\.1 s"):
        host.analyzer("x")
    with pytest.raises(PluginError, match="has not returned from a call that ran out of time"):
        host.analyzer("x")
    stuck = host.guard("x", PartKind.ANALYZER)
    assert not stuck.healthy
    stuck.watch(back.set)
    release.set()
    assert back.wait(LONG)
    assert host.analyzer("x") is factory.made


def test_what_a_factory_makes_after_the_end_is_closed(release: threading.Event) -> None:
    factory, back = Hangs(release), threading.Event()
    host = PluginHost.from_plugins({"p": FakePlugin(analyzers={"x": (INFO, factory)})})
    with pytest.raises(PluginError, match="could not be loaded"):
        host.analyzer("x")
    host.guard("x", PartKind.ANALYZER).watch(back.set)
    host.close()
    release.set()
    assert back.wait(LONG)
    assert factory.made.closed == 1


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_a_factory_may_raise_what_it_likes(error: BaseException) -> None:
    def factory() -> Analyzer:
        raise error

    host = PluginHost.from_plugins({"p": FakePlugin(analyzers={"x": (INFO, factory)})})
    with pytest.raises(PluginError, match=f"could not be loaded: {type(error).__name__}"):
        host.analyzer("x")


def test_a_close_that_hangs_is_logged_and_the_others_are_closed(
    release: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    class NeverCloses(FakeAnalyzer):
        def close(self) -> None:
            release.wait(LONG)

    class Exits(FakeTranscriber):
        def close(self) -> None:
            raise SystemExit(1)

    good = FakeAnalyzer()
    plugin = FakePlugin(analyzers={"a": (INFO, NeverCloses), "b": (INFO, lambda: good)}, transcribers={"ear": Exits})
    host = PluginHost.from_plugins({"p": plugin})
    for name in ("a", "b"):
        host.analyzer(name)
    host.transcriber("ear")
    host.close()
    assert good.closed == 1
    assert [record.getMessage() for record in caplog.records] == [
        "analyzer 'a' of plugin 'p' could not be closed: it did not answer for 0.1 s",
        "transcriber 'ear' of plugin 'p' could not be closed: SystemExit: 1",
    ]


def test_commands_that_hang_cost_their_plugin_its_commands_whatever_comes_later(release: threading.Event) -> None:
    added = threading.Event()

    class Late:
        @hookimpl
        def mien_register_commands(self, app: typer.Typer) -> None:
            app.command("early")(lambda: None)
            release.wait(LONG)
            app.command("late")(lambda: None)
            added.set()

    host, app = PluginHost.from_plugins({"p": Late()}), typer.Typer()
    host.register_commands(app)
    release.set()
    assert added.wait(LONG)
    assert not app.registered_commands
    assert describe(host, "p").reason == "its commands could not be added: it did not answer for 0.1 s"


def test_a_weight_of_a_modality_that_nobody_has_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    plugin = FakePlugin(analyzers={"x": (INFO, FakeAnalyzer)})
    settings = parse_settings({"fusion": {"weights": {"fcae": 1.0, "voice": 1.0}}})
    PluginHost.from_plugins({"p": plugin}, settings)
    assert [record.getMessage() for record in caplog.records] == [
        "[fusion] weights names the modality 'fcae', which nobody has; known are: face, text, voice"
    ]
