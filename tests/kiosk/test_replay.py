"""A visit that was followed live and kept with its ledger comes out the same, bit for bit, when it is replayed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kiosk.support import Bench, picture, speech

from mien import SummaryRecord, Verdict, records
from mien.cli import main
from mien.session import Marker, Observation, SessionConfig
from mien.session.packing import pack, unpack

ROOT = Path(__file__).resolve().parents[2]
COMPLAINT = ROOT / "examples" / "media" / "complaint.flac"
SECONDS = 300

CONFIG = """
[engine]
analyzers = ["face", "voice"]
deadline_seconds = 300
[session]
snapshot_interval_seconds = 0.5
keep_ledger = true
[privacy]
require_consent = false
[plugins.records]
transcripts = {transcripts}
[plugins.records.jsonl]
path = "{path}"
"""


def mien(*arguments: object) -> None:
    with pytest.raises(SystemExit) as leaving:
        main([str(each) for each in arguments])
    assert leaving.value.code == 0


@pytest.fixture(scope="module")
def kept(portrait_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of one visit: a real face, and a real complaint."""
    folder = tmp_path_factory.mktemp("kept")
    config = folder / "mien.toml"
    config.write_text(CONFIG.format(path=folder / "visits.jsonl", transcripts="false"))
    mien("--config", config, "kiosk", "--video", portrait_video, "--audio", COMPLAINT, "--fast", "--json")
    return folder


def of(path: Path) -> tuple[SummaryRecord, records.LedgerRecord]:
    with path.open("rb") as file:
        summary, ledger = records.read_lines(file)
    assert isinstance(summary, SummaryRecord)
    assert isinstance(ledger, records.LedgerRecord)
    return summary, ledger


@pytest.mark.timeout(SECONDS)
def test_a_live_visit_is_replayed_bit_for_bit(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, _ = of(kept / "visits.jsonl")
    assert set(before.summary.overall.contributions) == {"face", "voice"}
    mien("--config", kept / "mien.toml", "replay", kept / "visits.jsonl", "--out", kept / "again.jsonl")
    assert "1 visits replayed; 1 of 1 have the same summary as then, bit for bit" in capsys.readouterr().out
    assert (kept / "again.jsonl").read_text() == (kept / "visits.jsonl").read_text().splitlines(keepends=True)[0]
    assert (kept / "again.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.timeout(SECONDS)
def test_other_rules_give_other_verdicts(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--config", kept / "mien.toml", "replay", kept / "visits.jsonl")
    mien(*arguments, "--weights", "face=0", "--out", kept / "words.jsonl")
    assert "0 of 1 have the same summary" in capsys.readouterr().out
    words = json.loads((kept / "words.jsonl").read_text())["summary"]["overall"]
    assert words["contributions"]["voice"]["weight"] == 1.0
    mien(*arguments, "--fuser", "happy_share", "--out", kept / "share.jsonl")
    assert json.loads((kept / "share.jsonl").read_text())["summary"]["overall"]["verdict"] == Verdict.GOOD


@pytest.mark.timeout(SECONDS)
def test_a_ledger_holds_no_words_unless_they_are_recorded_and_is_small(kept: Path) -> None:
    before, record = of(kept / "visits.jsonl")
    ledger = records.ledger_of(record)
    said = [each.evidence for item in ledger.items if isinstance(item, Observation) for each in item.predictions]
    assert not [each for each in said if getattr(each, "text", "")]
    assert not [each for each in said if getattr(each, "landmarks", ())]
    assert len(ledger.items) >= before.summary.snapshots + before.summary.utterances


def test_markers_and_pictures_without_anybody_are_kept(bench: Bench) -> None:
    bench.config = replace(bench.config, keep_ledger=True)
    ran = bench.run([picture(0.0), picture(1.0, 0), speech(1.5), picture(3.0)])
    [summary] = ran.seen.summaries
    assert summary.ledger is not None
    ledger = replace(summary.ledger, items=(*summary.ledger.items, Marker(name="pay", at=3.5, rating=4)))
    assert unpack(json.loads(json.dumps(pack(ledger)))) == ledger
    again = records.replay(summary.ledger, bench.host.fuser("fitted"))
    assert again == replace(summary, ledger=None)


def test_what_is_no_ledger_is_named(bench: Bench, tmp_path: Path) -> None:
    bench.config = replace(bench.config, keep_ledger=True)
    [summary] = bench.run([picture(0.0)]).seen.summaries
    assert summary.ledger is not None
    packed: dict[str, Any] = pack(summary.ledger)
    for damage in ({"format": 9}, {"numbers": "0000"}, {"counts": packed["numbers"]}, {"end": "never"}):
        with pytest.raises(ValueError, match=r"ledger|end|SessionEnd"):
            unpack(packed | damage)


def test_a_session_keeps_no_ledger_unless_it_is_asked_to(bench: Bench) -> None:
    assert not SessionConfig().keep_ledger
    [summary] = bench.run([picture(0.0)]).seen.summaries
    assert summary.ledger is None
