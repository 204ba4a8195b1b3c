"""Host and plugin speak the highest version that both know, and a plugin of each version that is spoken still works."""

from __future__ import annotations

import importlib
import logging
import re
from pathlib import Path

import pytest
import typer
from core.support import module

from mien import (
    API_VERSION,
    OLDEST_API_VERSION,
    AnalysisRequest,
    DetectorSettings,
    Engine,
    PluginError,
    PluginHost,
    PluginState,
    Utterance,
    hookimpl,
    parse_settings,
)
from mien.plugins.versions import agreed_version

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plugin-versions.md").read_text(encoding="utf-8")
SPOKEN = range(OLDEST_API_VERSION, API_VERSION + 1)


@pytest.mark.parametrize(
    ("stated", "host", "expected"),
    [(1, (1, 1), 1), (1, (1, 3), 1), ((1, 2), (1, 3), 2), ((2, 9), (1, 3), 3), ([1, 2], (2, 2), 2), (3, (1, 3), 3)],
)
def test_the_highest_common_version_is_spoken(stated: object, host: tuple[int, int], expected: int) -> None:
    assert agreed_version(stated, oldest=host[0], newest=host[1]) == expected


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (4, "for version 4 of the plugin contract, and this mien has versions 2 to 3"),
        (1, "for version 1 "),
        ((4, 6), "for versions 4 to 6 "),
        ("2", "expected a number"),
        (True, "expected a number"),
        (0, "from 1 on"),
        ((3, 2), r"MIEN_API_VERSION is \(3, 2\)"),
        ((1, 2, 3), "expected a number"),
        (None, "expected a number"),
    ],
)
def test_no_common_version_is_told(stated: object, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        agreed_version(stated, oldest=2, newest=3)


def test_a_version_that_will_go_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert agreed_version((1, 2), plugin="'old'", oldest=1, newest=3, warned=frozenset({1, 2})) == 2
        assert agreed_version((1, 3), oldest=1, newest=3, warned=frozenset({1, 2})) == 3
    (record,) = caplog.records
    assert "plugin 'old' speaks version 2" in record.getMessage()


def test_what_was_agreed_on_is_described() -> None:
    @hookimpl
    def mien_register_sinks(register: object) -> None:
        return

    plugin = module(MIEN_API_VERSION=(1, 7), mien_register_sinks=mien_register_sinks)
    (described,) = PluginHost.from_plugins({"x": plugin}).plugins()
    assert (described.api_version, described.hooks) == (API_VERSION, ("mien_register_sinks",))


@pytest.mark.parametrize("version", SPOKEN)
def test_a_plugin_of_each_spoken_version_still_works(version: int) -> None:
    plugin = importlib.import_module(f"core.plugins_of_old.version{version}")
    settings = parse_settings({"plugins": {"old": {}}, "fusion": {"fuser": "old-fuser"}})
    host = PluginHost.from_plugins({"old": plugin}, settings, strict=True)
    (described,) = host.plugins()
    assert (described.state, described.api_version) == (PluginState.LOADED, version)
    assert host.detector("old-eye", DetectorSettings()).detect([]) == []
    assert host.sink("old-sink")
    assert host.transcriber("old-ear")
    assert host.customer_choice("old-policy").subject_id == ""
    app = typer.Typer()
    host.register_commands(app)
    assert [command.name for command in app.registered_commands] == ["old"]
    engine = Engine(host, settings)
    result = engine.analyze(AnalysisRequest(samples=(Utterance("a long text"),)))
    engine.close()
    assert not result.missing
    assert result.predictions[0].top_emotion == "long"


def test_the_page_lists_the_spoken_versions() -> None:
    listed = [int(number) for number in re.findall(r"^\| (\d+) \| \S+ \| spoken \|$", PAGE, re.MULTILINE)]
    assert listed == list(SPOKEN)
