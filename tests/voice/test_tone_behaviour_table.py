"""The behavioural table's reader and its checks, apart from any network."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien import InputError
from mien_voice_lab.behaviour import Case, Check, Judged, read_cases, summary


@pytest.mark.parametrize(
    ("check", "scores", "holds"),
    [
        (Check.SATISFIED, [0.7], True),
        (Check.SATISFIED, [0.5], False),
        (Check.DISSATISFIED, [0.2], True),
        (Check.DISSATISFIED, [0.5], False),
        (Check.NEUTRAL, [0.5], True),
        (Check.NEUTRAL, [0.9], False),
        (Check.SAME, [0.3, 0.4], True),
        (Check.SAME, [0.3, 0.6], False),
        (Check.LOWER, [0.6, 0.3], True),
        (Check.LOWER, [0.3, 0.6], False),
        (Check.HIGHER, [0.3, 0.6], True),
        (Check.HIGHER, [0.6, 0.6], False),
    ],
)
def test_checks_judge_scores(check: Check, scores: list[float], holds: bool) -> None:
    assert Case("x", check, ("a", "b")).holds(scores) is holds


@pytest.mark.parametrize(
    "line", ["topic\tsatisfied", "topic\thappy\ttext", "topic\tsame\tonly one", "topic\tneutral\ta\tb"]
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(f"# comment\ntopic\tneutral\tfine\n{line}\n")
    with pytest.raises(InputError, match="line 3"):
        read_cases(path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_cases(tmp_path / "none.tsv")


def test_the_summary_counts_by_topic() -> None:
    one = Case("a", Check.NEUTRAL, ("x",))
    other = Case("b", Check.NEUTRAL, ("y",))
    found = summary([Judged(one, (0.5,), True), Judged(one, (0.9,), False), Judged(other, (0.5,), True)])
    assert found == {"cases": 3, "pass_rate": pytest.approx(2 / 3), "topics": {"a": 0.5, "b": 1.0}}
