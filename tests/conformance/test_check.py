"""``mien plugins check``: the right plugin is gold, a broken one is caught by its rule, and nothing ends the check."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mien.cli import main
from mien.errors import ConfigError
from mien.quality.report import Finding, Outcome, Report
from mien.quality.target import Target, find_target
from mien.quality.watch import CheckOptions, check
from mien.testing import Grade

RIGHT = '''
"""A plugin that keeps every rule, until a test puts something into it."""

from mien import Analyzer, AnalyzerInfo, InputError, Prediction, SampleKind, TimeInterval, Utterance, hookimpl
from pydantic import BaseModel, ConfigDict

MIEN_API_VERSION = 1
INFO = AnalyzerInfo(modality="text", accepts=frozenset({SampleKind.TEXT}), labels=("happy", "sad"), version="1",
                    weights_license="none", description="how long a text is")


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Lengths(Analyzer):
    def analyze(self, samples):
        return [self.answer(sample) for sample in samples]

    def answer(self, sample):
        #ANSWER
        if not isinstance(sample, Utterance):
            raise InputError("text only")
        share = min(len(sample.text), 100) / 100
        span = TimeInterval(sample.captured_at, sample.captured_at + sample.duration_seconds)
        return [Prediction(modality="text", emotions={"happy": share, "sad": 1 - share}, valence=2 * share - 1,
                           satisfaction=share, confidence=0.5, interval=span)]


#IMPORT


@hookimpl
def mien_register_analyzers(register, context):
    settings = context.settings("lengths", Settings)
    #REGISTER
    register("lengths", INFO, Lengths)
'''

SINS = {
    "#IMPORT": """
import os, socket, subprocess, sys, types
sys.modules["torch"] = types.ModuleType("torch")
print("hello from a plugin")
os.chdir("/")
socket.socket().connect_ex(("127.0.0.1", 9))
subprocess.run(["true"])
del MIEN_API_VERSION
""",
    "#REGISTER": """
    import threading
    os.environ["LENGTHS"] = "1"
    os.write(2, b"from native code")
    threading.Thread(target=threading.Event().wait, daemon=True, name="helper").start()
    sys.lengths = getattr(sys, "lengths", 0) + 1
    register(f"other{sys.lengths}", INFO, Lengths)
""",
    'weights_license="none"': 'weights_license="MIT"',
    'context.settings("lengths", Settings)': 'context.settings("lengths")',
}
"""Place in the right plugin -> what stands there instead. Each sin is another rule's, so that one process will do."""

CAUGHT = {
    "listing imports nothing heavy": "torch",
    "listing prints nothing": "from native code",
    "listing leaves the process as it was": "the working directory and the environment",
    "listing asks nothing of the network": "127.0.0.1",
    "listing starts no process": "subprocess.Popen",
    "listing leaves no thread": "helper",
    "it states the contracts version": "MIEN_API_VERSION",
    "it can be listed again": "the second time",
    "settings are validated": "no_such_key",
    "weights come with a card": "CARD",
    "its parts can be looked at": "not registered",
}

NOT_TAKEN = {
    "raises_on_import": ("raise RuntimeError('no such device')", "it is taken in"),
    "exits_on_import": ("raise SystemExit(3)", "it is taken in"),
    "another_version": ("MIEN_API_VERSION = (98, 99)", "it is taken in"),
    "dies_on_import": ("import os; os._exit(0)", "listing it"),
}


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., Report]:
    """Checks the right plugin with some things changed."""

    def check_it(changes: Mapping[str, str] | None = None, **options: Any) -> Report:
        source = RIGHT
        for place, code in (changes or {}).items():
            assert place in source
            source = source.replace(place, code)
        (tmp_path / "lengths_plugin.py").write_text(source, encoding="utf-8")
        target = Target("lengths", "lengths_plugin", path=(str(tmp_path),))
        return check(target, CheckOptions(**{"seconds": 20.0, "odd_inputs": 10, **options}))

    return check_it


def broken(report: Report) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in report.failures:
        found.setdefault(finding.part, set()).add(finding.rule)
    return found


def test_a_plugin_that_keeps_every_rule_is_gold(checked: Callable[..., Report]) -> None:
    report = checked()
    assert not report.failures
    assert report.grade is Grade.GOLD
    assert report.measured["analyzer lengths"]["p99_ms"] > 0.0
    assert {finding.part for finding in report.findings} == {"plugin", "analyzer lengths"}


def test_what_a_plugin_does_while_it_is_listed_is_caught_rule_by_rule(checked: Callable[..., Report]) -> None:
    report = checked(SINS)
    assert broken(report)["plugin"] == CAUGHT.keys()
    for finding in report.failures:
        assert CAUGHT[finding.rule] in finding.detail
    assert report.grade is None


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_a_plugin_that_cannot_be_taken_in_is_caught(name: str, checked: Callable[..., Report]) -> None:
    code, rule = NOT_TAKEN[name]
    report = checked({"#IMPORT": code})
    assert rule in broken(report)["plugin"]
    assert report.grade is None


def test_a_plugin_that_ends_the_process_is_caught(checked: Callable[..., Report]) -> None:
    report = checked({"#ANSWER": "import os; os._exit(0)"}, starts=2)
    assert broken(report) == {
        "analyzer lengths": {"calls stay within the deadline", "a stream gives samples that can be analysed"},
        "plugin": {"every rule is run"},
    }
    assert "exit code 0" in report.failures[0].detail


def test_a_plugin_that_holds_the_interpreter_costs_its_rules_only(checked: Callable[..., Report]) -> None:
    """No thread of the process goes on meanwhile, so that it is ended from outside, and begun again."""
    report = checked(
        {"#ANSWER": "import ctypes; held = sample.text == '' and ctypes.PyDLL(None).sleep(60)"}, seconds=8.0, grace=4.0
    )
    assert broken(report) == {"analyzer lengths": {"odd inputs are survived"}}
    assert "held the interpreter" in report.failures[0].detail
    assert report.grade is Grade.BRONZE


def test_a_plugin_that_hangs_is_given_up_on(checked: Callable[..., Report]) -> None:
    code = "import threading; hung = sample.text == '' and threading.Event().wait(60)"
    report = checked({"#ANSWER": code}, seconds=8.0)
    assert broken(report) == {"analyzer lengths": {"odd inputs are survived"}}
    assert "did not return within 8 s" in report.failures[0].detail


def test_labelled_data_is_held_against_the_probabilities(checked: Callable[..., Report], tmp_path: Path) -> None:
    (tmp_path / "MODEL_CARD.md").write_text("# made of nothing", encoding="utf-8")
    (tmp_path / "said.txt").write_text("x" * 95, encoding="utf-8")
    (tmp_path / "labels.csv").write_text("file,label\n" + "said.txt,sad\n" * 40, encoding="utf-8")
    report = checked({'weights_license="none"': 'weights_license="MIT"'}, labels=tmp_path / "labels.csv")
    assert broken(report) == {"analyzer lengths": {"confidence is worth what it says"}}
    assert report.measured["analyzer lengths"]["calibration_error"] == pytest.approx(0.95)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["plugins", "check", *arguments])
    return int(leaving.value.code or 0)


def test_the_command_reports_and_writes_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lengths_plugin.py").write_text(RIGHT.replace("#IMPORT", "print('hello')"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project.entry-points."mien.plugins"]\nlengths = "lengths_plugin"\n')
    monkeypatch.chdir(tmp_path)
    quick = ("--seconds", "20", "--odd-inputs", "5", "--json", "quality.json")
    assert run(*quick) == 0
    shown = capsys.readouterr().out
    assert "broken         silver  listing prints nothing" in shown
    assert "lengths: bronze; silver lacks 1 rule" in shown
    written: dict[str, Any] = json.loads((tmp_path / "quality.json").read_text(encoding="utf-8"))
    assert (written["plugin"], written["grade"], written["format"]) == ("lengths", "bronze", 1)
    assert {finding["outcome"] for finding in written["findings"]} <= {str(outcome) for outcome in Outcome}
    assert run("lengths_plugin", *quick, "--at-least", "silver") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-plugin"], "there is no plugin and no module 'no-such-plugin'"),
        (["fusion", "--at-least", "iron"], "--at-least must be one of bronze, silver, gold"),
        (["fusion", "--samples", "gone.jpg"], "there is no file gone.jpg"),
        ([], "name a plugin"),
    ],
)
def test_what_cannot_be_checked_is_told(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


def test_a_target_is_found_by_name_by_module_and_by_project(tmp_path: Path) -> None:
    (tmp_path / "my_plugin.py").touch()
    assert find_target("fusion", tmp_path).value == "mien_fusion.plugin"
    assert find_target("my_plugin:thing", tmp_path).name == "my-plugin"
    (tmp_path / "pyproject.toml").write_text('[project.entry-points."mien.plugins"]\nmine = "my_plugin"\n')
    assert find_target(None, tmp_path) == Target("mine", "my_plugin", path=(str(tmp_path),))
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ConfigError, match="several or none"):
        find_target(None, tmp_path)


def test_a_grade_needs_the_rules_of_all_grades_before_it() -> None:
    def graded(*wrong: Grade) -> Grade | None:
        findings = [Finding("plugin", f"rule of {grade}", grade, Outcome.KEPT) for grade in Grade]
        findings += [Finding("plugin", f"other of {grade}", grade, Outcome.BROKEN) for grade in wrong]
        return Report("x", "", 1, tuple(findings)).grade

    assert graded() is Grade.GOLD
    assert graded(Grade.GOLD) is Grade.SILVER
    assert graded(Grade.SILVER) is Grade.BRONZE
    assert graded(Grade.BRONZE) is None
    assert Report("x", "", 1, ()).grade is None
