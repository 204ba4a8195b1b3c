"""The host with plugins at hand: what it refuses, what it says about it, and that the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from core.support import INFO, describe, module, plugin, raising

from mien import (
    AnalyzerNotFoundError,
    ConfigError,
    MissingDependencyError,
    PluginError,
    hookimpl,
)
from mien.config import Settings, parse_settings
from mien.plugins.host import PluginDescription, PluginHost, PluginState
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, FakeTranscriber, analyzer_info


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
        PluginDescription(
            name="one",
            hooks=tuple(f"mien_register_{kind}" for kind in ("analyzers", "fusers", "sinks", "transcribers")),
            analyzers=("a", "b"),
            fusers=("mean",),
            transcribers=("ear",),
        ),
    )
    assert host.analyzers["a"].plugin == "one"
    assert list(host.analyzers) == ["a", "b"]
    assert isinstance(host.fuser("mean"), FakeFuser)
    assert isinstance(host.transcriber("ear"), FakeTranscriber)


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
        "there are mien_register_analyzers, mien_register_backends, mien_register_commands",
    ),
    "marked_elsewhere": (module(register_analyzers=hookimpl(unmarked())), "unknown hook 'register_analyzers'"),
    "unmarked": (module(mien_register_analyzers=unmarked()), "lacks the decorator @mien.hookimpl"),
    "wrong_argument": (module(mien_register_fusers=mien_register_fusers), "contxt"),
    "nothing": (module(), "implements no hook"),
    "a_class": (FakePlugin, "names the class 'FakePlugin'"),
    "other_version": (module(MIEN_API_VERSION=99, mien_register_sinks=hookimpl(unmarked())), "version 99"),
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
    imported = module(mien_helper=module(), mien_register_sinks=hookimpl(unmarked()))
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
    with pytest.raises(AnalyzerNotFoundError, match=r"no fuser 'fitted'; registered are: none; .*left out: fusion"):
        host.fuser("fitted")


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
