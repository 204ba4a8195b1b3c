"""The plugins that come with mien are gold; ``make quality`` holds those with networks to it, as it takes minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.quality.target import find_target
from mien.quality.watch import CheckOptions, check
from mien.testing import Grade


def test_records_is_gold(tmp_path: Path) -> None:
    config = tmp_path / "mien.toml"
    config.write_text(f'[plugins.records.jsonl]\npath = "{tmp_path / "kept.jsonl"}"\n', encoding="utf-8")
    report = check(find_target("records", tmp_path), CheckOptions(config=config, seconds=120.0, memory_seconds=1.0))
    assert (report.failures, report.grade) == ((), Grade.GOLD)
    assert "sink records" in {finding.part for finding in report.findings}


@pytest.mark.parametrize("name", ["fusion", "face-lab", "voice-lab"])
def test_a_plugin_without_networks_is_gold(name: str, tmp_path: Path) -> None:
    report = check(find_target(name, tmp_path), CheckOptions(memory_seconds=1.0))
    assert (report.failures, report.grade) == ((), Grade.GOLD)
