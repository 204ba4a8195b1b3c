"""``docs/plugins.md`` cannot rot: its example runs, and no hook is left out."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import pytest

from mien import TranscriberStreamSettings, Transcript, Utterance, hookspecs
from mien.config import Settings
from mien.engine import AnalysisRequest, Engine
from mien.plugins.host import PluginHost
from mien.testing import FakeFuser, FakePlugin, make_clip

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("mien_")}


def block(title: str) -> str:
    """The content of the code block with that title."""
    found = re.search(rf'^```\w+ title="{re.escape(title)}"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/plugins.md has no block titled {title}"
    return found[1]


@pytest.fixture
def example() -> types.ModuleType:
    module = types.ModuleType("mien_smileys")
    exec(compile(block("mien_smileys.py"), "mien_smileys.py", "exec"), vars(module))
    return module


def test_the_example_runs_through_the_host(example: types.ModuleType) -> None:
    project = tomllib.loads(block("pyproject.toml"))["project"]
    ((name, target),) = project["entry-points"]["mien.plugins"].items()
    assert target == example.__name__
    host = PluginHost.from_plugins({name: example, "fusion": FakePlugin(fusers={"fitted": FakeFuser})})
    assert [plugin.reason for plugin in host.plugins()] == ["", ""]
    engine = Engine(host, Settings())
    result = engine.analyze(AnalysisRequest(samples=(Utterance("thank you :) :)"),)))
    engine.close()
    assert (result.predictions[0].analyzer, result.satisfaction.score) == ("smileys", 1.0)


def test_the_examples_own_tests_pass(tmp_path: Path) -> None:
    for name in ("mien_smileys.py", "test_smileys.py"):
        (tmp_path / name).write_text(block(name), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join([str(tmp_path), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Recogniser:
    """Hears a word in each piece of sound, and knows an ending."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def accept(self, samples: object) -> str:
        self.words.append("word")
        return " ".join(self.words)

    def result(self) -> str:
        return " ".join([*self.words, "end"])


def test_the_stream_of_the_page_streams() -> None:
    page: dict[str, Any] = {}
    exec(block("word_stream.py"), page)
    told: list[Transcript] = []
    stream = page["WordStream"](Recogniser(), TranscriberStreamSettings(tell=told.append))
    stream.push(make_clip(seconds=0.5))
    stream.push(make_clip(seconds=0.5, captured_at=0.5))
    final = stream.finish()
    assert [(each.text, each.is_final, each.revision) for each in (*told, final)] == [
        ("word", False, 1),
        ("word word", False, 2),
        ("word word end", True, 3),
    ]


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_its_arguments(name: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert f"### `{name}({arguments})`" in PAGE


def test_no_hook_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"\bmien_(?:on|register)_\w+", PAGE)) == set(HOOKS)
