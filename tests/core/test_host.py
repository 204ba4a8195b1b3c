"""The host with plugins at hand: what it refuses, what it says about it, and that the rest goes on."""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from typing import Any

import pytest
import typer

from mien import (
    UNKNOWN_SATISFACTION,
    AnalysisResult,
    Analyzer,
    AnalyzerInfo,
    AnalyzerNotFoundError,
    ConfigError,
    MissingDependencyError,
    PluginContext,
    PluginError,
    SampleKind,
    WeightsError,
    hookimpl,
)
from mien.config import Settings, parse_settings
from mien.host import PluginDescription, PluginHost, PluginState
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, FakeTranscriber, analyzer_info

INFO = analyzer_info("face")
RESULT = AnalysisResult(predictions=(), satisfaction=UNKNOWN_SATISFACTION)


def plugin(*names: str, opt_in: bool = False) -> FakePlugin:
    return FakePlugin(analyzers={name: (analyzer_info("face", opt_in=opt_in), FakeAnalyzer) for name in names})


def module(**attributes: Any) -> types.ModuleType:
    made = types.ModuleType("generated")
    vars(made).update(attributes)
    return made


def describe(host: PluginHost, name: str) -> PluginDescription:
    return next(description for description in host.plugins() if description.name == name)


def test_a_plugin_is_described_with_what_it_registered() -> None:
    host = PluginHost.from_plugins(
        {
            "one": FakePlugin(
                analyzers={"b": (INFO, FakeAnalyzer), "a": (INFO, FakeAnalyzer)},
                fusers={"mean": FakeFuser},
                transcribers={"ear": FakeTranscriber},
            )
        }
    )
    assert host.plugins() == (
        PluginDescription(name="one", analyzers=("a", "b"), fusers=("mean",), transcribers=("ear",)),
    )
    assert host.analyzers["a"].plugin == "one"
    assert list(host.analyzers) == ["a", "b"]
    assert isinstance(host.fuser("mean"), FakeFuser)
    assert isinstance(host.transcriber("ear"), FakeTranscriber)


def raising(error: BaseException) -> Callable[..., None]:
    def mien_register_analyzers(register: Any) -> None:
        register("half", INFO, FakeAnalyzer)
        raise error

    return hookimpl(mien_register_analyzers)


def registering(*arguments: Any) -> Callable[..., None]:
    def mien_register_analyzers(register: Any) -> None:
        register(*arguments)

    return hookimpl(mien_register_analyzers)


@hookimpl
def mien_register_fusers(register: Any, contxt: Any) -> None:
    """A hook with a misspelt argument."""


def unmarked() -> Callable[..., None]:
    """A function without the decorator; a new one each time, since the decorator marks it in place."""
    return lambda: None


@hookimpl
def swallow(register: Any) -> None:
    with pytest.raises(PluginError):
        register("Bad Name", INFO, FakeAnalyzer)


BROKEN = {
    "misspelt": (module(mien_regster_analyzers=unmarked()), "did you mean 'mien_register_analyzers'?"),
    "marked_misspelt": (module(mien_register_analyser=hookimpl(unmarked())), "there is no hook"),
    "far_off": (
        module(mien_zzz=unmarked()),
        "there are mien_on_close, mien_on_result, mien_on_start, mien_register_analyzers",
    ),
    "marked_elsewhere": (module(register_analyzers=hookimpl(unmarked())), "unknown hook 'register_analyzers'"),
    "unmarked": (module(mien_register_analyzers=unmarked()), "lacks the decorator @mien.hookimpl"),
    "wrong_argument": (module(mien_register_fusers=mien_register_fusers), "contxt"),
    "nothing": (module(), "implements no hook"),
    "a_class": (FakePlugin, "names the class 'FakePlugin'"),
    "other_version": (module(MIEN_API_VERSION=99, mien_on_result=hookimpl(unmarked())), "version 99"),
    "raises": (module(mien_register_analyzers=raising(RuntimeError("no luck"))), "RuntimeError: no luck"),
    "exits": (module(mien_register_analyzers=raising(SystemExit(3))), "SystemExit: 3"),
    "wrong_settings": (
        module(mien_register_analyzers=raising(ConfigError("[plugins.x] threshold: must be below 1"))),
        "its settings are wrong: [plugins.x] threshold: must be below 1",
    ),
    "bad_name": (module(mien_register_analyzers=registering("Bad Name", INFO, FakeAnalyzer)), "'Bad Name' is no name"),
    "swallowed": (module(mien_register_analyzers=swallow), "'Bad Name' is no name"),
    "bad_info": (module(mien_register_analyzers=registering("x", {}, FakeAnalyzer)), "info is a dict, expected"),
    "bad_factory": (
        module(mien_register_analyzers=registering("x", INFO, FakeAnalyzer())),
        "factory is a FakeAnalyzer",
    ),
    "bad_labels": (
        module(mien_register_analyzers=registering("x", analyzer_info(labels=("a", "a")), FakeAnalyzer)),
        "labels must be unique",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_reported_by_name_and_costs_only_itself(name: str) -> None:
    broken, reason = BROKEN[name]
    host = PluginHost.from_plugins({name: broken, "a_good_one": plugin("face"), "z_good_one": plugin("voice")})
    description = describe(host, name)
    assert description.state is PluginState.FAILED
    assert reason in description.reason
    assert "\n" not in description.reason
    assert list(host.analyzers) == ["face", "voice"], "a plugin that is left out registers nothing"


@pytest.mark.parametrize("name", BROKEN)
def test_strict_refuses_a_broken_plugin(name: str) -> None:
    broken, reason = BROKEN[name]
    with pytest.raises(PluginError) as caught:
        PluginHost.from_plugins({name: broken, "good": plugin("face")}, strict=True)
    assert f"{name}: " in str(caught.value)
    assert reason in str(caught.value)


def test_strict_names_all_broken_plugins() -> None:
    settings = parse_settings({"engine": {"strict": True}})
    with pytest.raises(PluginError, match=r"(?s)nothing: .*unmarked: "):
        PluginHost.from_plugins({name: BROKEN[name][0] for name in ("unmarked", "nothing")}, settings)


def test_a_module_imported_under_mien_is_no_misspelt_hook() -> None:
    imported = module(mien_helper=module(), mien_on_result=hookimpl(unmarked()))
    assert describe(PluginHost.from_plugins({"x": imported}), "x").state is PluginState.LOADED


@pytest.mark.parametrize("kind", ["analyzers", "fusers", "transcribers"])
def test_of_two_with_one_name_the_first_wins_and_the_second_is_reported(kind: str) -> None:
    entry: Any = {"analyzers": (INFO, FakeAnalyzer), "fusers": FakeFuser, "transcribers": FakeTranscriber}[kind]
    arguments: dict[str, Any] = {kind: {"x": entry}}
    host = PluginHost.from_plugins({"b": FakePlugin(**arguments), "a": FakePlugin(**arguments)})
    assert getattr(host, kind)["x"].plugin == "a"
    assert describe(host, "b").state is PluginState.FAILED
    assert "'x' is already registered by plugin 'a'" in describe(host, "b").reason


def test_opt_in_analyzers_run_only_where_they_are_named() -> None:
    plugins = {"f": plugin("face"), "v": plugin("voice", opt_in=True)}
    host = PluginHost.from_plugins(plugins)
    assert {name: each.enabled for name, each in host.analyzers.items()} == {"face": True, "voice": False}
    with pytest.raises(AnalyzerNotFoundError, match=r"'voice' is installed but not enabled here; enabled are: face"):
        host.analyzer("voice")
    host = PluginHost.from_plugins(plugins, parse_settings({"engine": {"analyzers": ["voice"]}}))
    assert {name: each.enabled for name, each in host.analyzers.items()} == {"face": False, "voice": True}
    assert isinstance(host.analyzer("voice"), FakeAnalyzer)


def test_names_in_the_settings_that_do_not_exist_are_all_told_with_those_that_do() -> None:
    settings = parse_settings({"engine": {"analyzers": ["fcae", "face"]}, "fusion": {"fuser": "maen"}})
    plugins = {"f": plugin("face"), "m": FakePlugin(fusers={"mean": FakeFuser}), "gone": module()}
    with pytest.raises(ConfigError) as caught:
        PluginHost.from_plugins(plugins, settings)
    for part in ("'fcae', which is not registered; known are: face", "'maen'", "known are: mean", "left out: gone:"):
        assert part in str(caught.value)


def test_a_missing_default_fuser_does_not_stop_the_listing() -> None:
    host = PluginHost.from_plugins({"fusion": module()})
    assert describe(host, "fusion").state is PluginState.FAILED
    with pytest.raises(
        AnalyzerNotFoundError, match=r"no fuser 'weighted_sum'; registered are: none; .*left out: fusion"
    ):
        host.fuser("weighted_sum")


class SettingsReader:
    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}

    @hookimpl
    def mien_register_analyzers(self, register: Any, context: Any) -> None:
        self.seen = {section: dict(context.settings(section)) for section in ("mine", "other")}
        context.settings("mine")["changed"] = True


def test_a_plugin_reads_its_table_and_cannot_change_it() -> None:
    reader = SettingsReader()
    host = PluginHost.from_plugins({"x": reader}, parse_settings({"plugins": {"mine": {"threshold": 0.5}}}))
    assert reader.seen == {"mine": {"threshold": 0.5}, "other": {}}
    assert "TypeError" in describe(host, "x").reason


def test_a_table_that_no_plugin_reads_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    PluginHost.from_plugins({"face": plugin("face")}, parse_settings({"plugins": {"fcae": {}, "face": {}}}))
    assert [record.getMessage() for record in caplog.records] == [
        "no plugin reads the table [plugins.fcae]; tables read are: face"
    ]


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
        register("voice", info, lambda: FakeAnalyzer(context.transcriber("ear").text))


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


class Commands:
    """Adds commands of these names to the application, and one of the first name to each group; then may raise."""

    def __init__(self, *names: str, error: BaseException | None = None) -> None:
        self._names = names
        self._error = error

    @hookimpl
    def mien_register_commands(self, app: typer.Typer) -> None:
        for name in self._names:
            app.command(name)(lambda: None)
        for group in app.registered_groups:
            assert group.typer_instance is not None
            group.typer_instance.command(self._names[0])(lambda: None)
        if self._error:
            raise self._error


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.add_typer(typer.Typer(), name="train")

    @made.command()
    def serve_it() -> None:
        """A command of mien's own."""

    return made


def commands(app: typer.Typer) -> tuple[list[str | None], list[str | None]]:
    (group,) = app.registered_groups
    assert group.typer_instance is not None
    return [each.name for each in app.registered_commands], [
        each.name for each in group.typer_instance.registered_commands
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Commands("one", error=RuntimeError("no")), "RuntimeError: no"),
        (Commands("one", error=SystemExit(2)), "SystemExit: 2"),
        (Commands("one", "serve-it"), "the command 'serve-it' exists already"),
        (Commands("one", "train"), "the command 'train' exists already"),
    ],
)
def test_commands_of_a_plugin_are_added_all_or_none(app: typer.Typer, bad: Commands, reason: str) -> None:
    host = PluginHost.from_plugins({"a_bad": bad, "good": Commands("wink")})
    host.register_commands(app)
    assert commands(app) == ([None, "wink"], ["wink"])
    assert describe(host, "a_bad").reason == f"its commands could not be added: {reason}"


def test_commands_that_raise_are_fatal_where_strict() -> None:
    host = PluginHost.from_plugins({"bad": Commands(error=RuntimeError("no"))}, strict=True)
    with pytest.raises(PluginError, match="bad: its commands"):
        host.register_commands(typer.Typer())


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


def test_unknown_analyzers_are_told_with_those_that_exist() -> None:
    host = PluginHost.from_plugins({"p": plugin("face")}, Settings())
    with pytest.raises(AnalyzerNotFoundError, match="no analyzer 'fcae'; registered are: face"):
        host.analyzer("fcae")


def test_a_plugin_whose_extra_is_not_installed_is_listed_and_no_fault_even_where_strict() -> None:
    without_extra = module(
        mien_register_analyzers=raising(MissingDependencyError("it needs ear: pip install 'mien[ear]'"))
    )
    host = PluginHost.from_plugins({"ear": without_extra, "p": plugin("face")}, strict=True)
    assert describe(host, "ear").state is PluginState.UNAVAILABLE
    assert describe(host, "ear").reason == "it needs ear: pip install 'mien[ear]'"
    assert list(host.analyzers) == ["face"]
    with pytest.raises(ConfigError, match=r"'hear', which is not registered.*ear: it needs ear: pip install"):
        PluginHost.from_plugins({"ear": without_extra}, parse_settings({"engine": {"analyzers": ["hear"]}}))
