"""Discovery through real installation metadata: generated ``.dist-info`` folders on ``sys.path``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from mien import PluginError, Utterance
from mien.config import Settings, parse_settings
from mien.engine import AnalysisRequest, Engine
from mien.plugins.host import PluginDescription, PluginHost, PluginState

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
from mien import hookimpl
from mien.testing import FakeAnalyzer, analyzer_info

@hookimpl
def mien_register_analyzers(register):
    register("NAME", analyzer_info("NAME"), FakeAnalyzer)
"""
HEAVY = ("jax", "flax", "haiku", "torch", "cv2", "grpc", "transformers")

Install: TypeAlias = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution on the path: its metadata, and modules that are forgotten after the test."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(
        distribution: str, modules: Mapping[str, str], entry_points: Mapping[str, str], version: str = "1.2"
    ) -> None:
        info = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = [f"{name} = {value}" for name, value in entry_points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[mien.plugins]", *lines, ""]))
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(source)
            monkeypatch.delitem(sys.modules, name, raising=False)

    return put


def discovered(name: str, settings: Settings | None = None) -> list[PluginDescription]:
    host = PluginHost.discover(settings or Settings())
    return [description for description in host.plugins() if description.name == name]


def test_an_installed_plugin_is_found_with_its_distribution_and_version(install: Install) -> None:
    install("acme-winks", {"acme_winks": GOOD.replace("NAME", "winks")}, {"winks": "acme_winks"})
    assert discovered("winks") == [
        PluginDescription(
            name="winks",
            version="1.2",
            distribution="acme-winks",
            hooks=("mien_register_analyzers",),
            analyzers=("winks",),
        )
    ]


@pytest.mark.parametrize(
    ("source", "entry_point", "reason"),
    [
        ("import a_package_nobody_has", "acme_bad", "No module named 'a_package_nobody_has'"),
        ("raise ValueError('not today')", "acme_bad", "ValueError: not today"),
        ("raise SystemExit(1)", "acme_bad", "SystemExit: 1"),
        ("def broken(:", "acme_bad", "SyntaxError"),
        ("", "acme_bad:plugin", "has no attribute 'plugin'"),
        ("", "no module at all", "'no module at all' names no module"),
        ("def __getattr__(name): raise KeyError(name)", "acme_bad", "KeyError: 'MIEN_API_VERSION'"),
        ("", "acme_not_there", "No module named 'acme_not_there'"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_left_out(
    install: Install, source: str, entry_point: str, reason: str
) -> None:
    install("acme-bad", {"acme_bad": source}, {"bad": entry_point})
    install("acme-good", {"acme_good": GOOD.replace("NAME", "good")}, {"good": "acme_good"})
    (bad,) = discovered("bad")
    assert bad.state is PluginState.FAILED
    assert reason in bad.reason
    assert (bad.distribution, bad.version) == ("acme-bad", "1.2")
    (good,) = discovered("good")
    assert good.state is PluginState.LOADED
    with pytest.raises(PluginError, match="bad: "):
        PluginHost.discover(Settings(), strict=True)


def test_two_plugins_of_one_name_are_not_silently_one(install: Install) -> None:
    install("b-second", {"second_winks": GOOD.replace("NAME", "second")}, {"winks": "second_winks"})
    install("a-first", {"first_winks": GOOD.replace("NAME", "first")}, {"winks": "first_winks"})
    first, second = discovered("winks")
    assert (first.distribution, first.state, first.analyzers) == ("a-first", PluginState.LOADED, ("first",))
    assert (second.distribution, second.state) == ("b-second", PluginState.FAILED)
    assert "the one of distribution 'a-first' was taken, the one of 'b-second' left out" in second.reason


@pytest.mark.parametrize("content", [b"[mien.plugins]\nno equals sign\n", b"[mien.plugins]\n\xff = x\n"])
def test_broken_metadata_of_one_distribution_hides_no_other(install: Install, tmp_path: Path, content: bytes) -> None:
    install("acme-good", {"acme_good": GOOD.replace("NAME", "good")}, {"good": "acme_good"})
    install("acme-torn", {}, {})
    (tmp_path / "acme_torn-1.2.dist-info" / "entry_points.txt").write_bytes(content)
    (good,) = discovered("good")
    assert good.state is PluginState.LOADED
    (torn,) = discovered("acme-torn")
    assert "the metadata of its distribution is broken" in torn.reason


def test_broken_metadata_that_is_no_plugins_is_not_our_business(install: Install, tmp_path: Path) -> None:
    install("acme-torn", {}, {})
    (tmp_path / "acme_torn-1.2.dist-info" / "entry_points.txt").write_text("[console_scripts]\nno equals sign\n")
    assert discovered("acme-torn") == []


def test_a_distribution_without_metadata_is_no_obstacle(install: Install, tmp_path: Path) -> None:
    install("acme-bare", {"acme_bare": GOOD.replace("NAME", "bare")}, {"bare": "acme_bare"})
    (tmp_path / "acme_bare-1.2.dist-info" / "METADATA").unlink()
    (bare,) = discovered("bare")
    assert (bare.state, bare.distribution, bare.version) == (PluginState.LOADED, "", "")


def test_of_a_distribution_installed_twice_the_first_on_the_path_counts(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme-old", {"acme_old": GOOD.replace("NAME", "old")}, {"old": "acme_old"})
    other = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "acme_old-1.2.dist-info", other / "acme_old-1.3.dist-info")
    (other / "acme_old-1.3.dist-info" / "METADATA").write_text("Name: acme-old\nVersion: 1.3\n")
    monkeypatch.syspath_prepend(other)
    (old,) = discovered("old")
    assert (old.version, old.state) == ("1.3", PluginState.LOADED)


def test_listing_loads_no_model_and_no_jax(install: Install, tmp_path: Path) -> None:
    heavy = GOOD.replace("NAME", "heavy").replace("FakeAnalyzer)", "lambda: __import__('jax'))")
    install("acme-heavy", {"acme_heavy": heavy}, {"heavy": "acme_heavy"})
    code = (
        "import sys, json\n"
        "from mien.config import Settings\n"
        "from mien.plugins.host import PluginHost\n"
        "host = PluginHost.discover(Settings())\n"
        "names = [plugin.name for plugin in host.plugins() if plugin.state == 'loaded']\n"
        f"print(json.dumps([names, list(host.analyzers), sorted(set(sys.modules) & set({HEAVY!r}))]))\n"
    )
    environment = {"PYTHONPATH": ":".join([str(tmp_path), *filter(None, sys.path)])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    names, analyzers, loaded = json.loads(done.stdout)
    assert "heavy" in names
    assert "heavy" in analyzers
    assert loaded == []


def test_a_strangers_package_needs_no_change_to_the_core(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vaderSentiment", reason="the example's lexicon is not installed")
    example = ROOT / "examples/plugins/mien-lexicon"
    project = tomllib.loads((example / "pyproject.toml").read_text())["project"]
    monkeypatch.syspath_prepend(example)
    install(project["name"], {}, project["entry-points"]["mien.plugins"], project["version"])
    settings = parse_settings({"engine": {"analyzers": ["lexicon"]}})
    host = PluginHost.discover(settings)
    assert host.analyzers["lexicon"].plugin == "lexicon"
    engine = Engine(host, settings)
    result = engine.analyze(AnalysisRequest(samples=(Utterance("Lovely, thank you"),)))
    engine.close()
    assert set(result.satisfaction.contributions) == {"text"}
    assert result.predictions[0].satisfaction > 0.7


def test_the_strangers_own_tests_pass() -> None:
    pytest.importorskip("vaderSentiment", reason="the example's lexicon is not installed")
    example = ROOT / "examples/plugins/mien-lexicon"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", str(example)],
        cwd=example,
        env={"PYTHONPATH": ":".join([str(example), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
