"""The sinks: what they write, how they rotate, and that nothing they meet stops a session."""

from __future__ import annotations

import csv
import errno
import io
import json
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from records.support import NOON, analysis_record, spoken, summary_record

import mien_records.plugin
from mien import (
    AnalysisResult,
    Box,
    FaceRegion,
    InputError,
    PluginError,
    PluginHost,
    PluginState,
    Provenance,
    SessionSummary,
    Sink,
    parse_settings,
    records,
)
from mien.plugins.sinks import Sinks
from mien.testing import SinkConformance
from mien_records.database import SqliteFile, read_database
from mien_records.files import CsvFile, JsonLinesFile, RotatingFile
from mien_records.recorder import Recorder
from mien_records.settings import FileSettings, RecordsSettings, SqliteSettings
from mien_records.table import COLUMNS


def host(**table: Any) -> PluginHost:
    settings = parse_settings({"plugins": {"records": {"moments": True, **table}}} if table else {})
    return PluginHost.from_plugins({"records": mien_records.plugin}, settings)


def record_all(made: PluginHost, *results: tuple[str, AnalysisResult | SessionSummary]) -> int:
    """Record, and close; how many results were not taken."""
    sinks = Sinks(made)
    for session_id, result in results:
        sinks.notify(result, Provenance(session_id=session_id))
    sinks.close()
    made.close()
    return sinks.failures.get("records", 0)


def lines_of(path: Path) -> list[records.Record | records.BadLine]:
    with path.open("rb") as file:
        return list(records.read_lines(file))


def kinds_of(path: Path) -> list[str]:
    return [line.kind for line in lines_of(path) if not isinstance(line, records.BadLine)]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_without_settings_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record_all(host(), ("s", spoken()))
    assert list(tmp_path.iterdir()) == []


def test_all_sinks_hold_the_same_records(tmp_path: Path) -> None:
    made = host(
        site="Harbour",
        source="till 3",
        jsonl={"path": str(tmp_path / "new/folder/r.jsonl")},
        csv={"path": str(tmp_path / "r.csv")},
        sqlite={"path": str(tmp_path / "r.db")},
    )
    assert list(tmp_path.iterdir()) == [], "nothing is opened before the first result"
    record_all(made, ("s1", spoken()), ("s1", summary_record(session_id="s1").summary))
    written = lines_of(tmp_path / "new/folder/r.jsonl")
    assert kinds_of(tmp_path / "new/folder/r.jsonl") == ["analysis", "summary"]
    assert {(r.session_id, r.site, r.source) for r in written if not isinstance(r, records.BadLine)} == {
        ("s1", "Harbour", "till 3")
    }
    assert list(read_database(tmp_path / "r.db")) == written
    rows = rows_of(tmp_path / "r.csv")
    assert [row["kind"] for row in rows] == ["analysis", "summary"]


def test_the_sessions_own_site_comes_before_the_configured_one(tmp_path: Path) -> None:
    made = host(site="Harbour", jsonl={"path": str(tmp_path / "r.jsonl")})
    record_all(made, ("s1", summary_record(site="Station").summary))
    (record,) = lines_of(tmp_path / "r.jsonl")
    assert isinstance(record, records.SummaryRecord)
    assert record.site == "Station"


def test_a_record_says_where_its_result_comes_from(tmp_path: Path) -> None:
    made = host(source="till 3", site="Harbour", jsonl={"path": str(tmp_path / "r")})
    sink = made.sink("records")
    where = Provenance(
        source="door.mp4", site="Station", at_seconds=1.5, recorded_at=NOON, image_width=640, image_height=480
    )
    sink.write(spoken(), where)
    sink.write(spoken(), Provenance())
    first, second = (each for each in lines_of(tmp_path / "r") if isinstance(each, records.AnalysisRecord))
    assert (first.source, first.site, first.at_seconds) == ("door.mp4", "Station", 1.5)
    assert (first.recorded_at, first.image_width, first.image_height) == (NOON, 640, 480)
    assert (second.source, second.site, second.at_seconds, second.image_width) == ("till 3", "Harbour", None, None)


@pytest.mark.parametrize(("named", "expected"), [("till 3", "till 3"), ("", "camera 0")])
def test_what_a_place_is_called_comes_before_its_camera(named: str, expected: str, tmp_path: Path) -> None:
    sink = host(source=named, jsonl={"path": str(tmp_path / "r")}).sink("records")
    sink.write(spoken(), Provenance(source="camera 0", session_id="a"))
    (record,) = lines_of(tmp_path / "r")
    assert not isinstance(record, records.BadLine)
    assert record.source == expected


def test_words_are_written_only_where_that_is_asked_for(tmp_path: Path) -> None:
    record_all(host(jsonl={"path": str(tmp_path / "closed")}, sqlite={"path": str(tmp_path / "db")}), ("s", spoken()))
    record_all(host(transcripts=True, jsonl={"path": str(tmp_path / "open")}), ("s", spoken()))
    assert "Ann" not in (tmp_path / "closed").read_text()
    assert b"Ann" not in (tmp_path / "db").read_bytes()
    assert "Ann" in (tmp_path / "open").read_text()


def test_a_session_is_one_record_unless_each_moment_is_asked_for(tmp_path: Path) -> None:
    made = host(moments=False, jsonl={"path": str(tmp_path / "r")})
    record_all(made, ("s", spoken()), ("s", summary_record().summary), ("", spoken()))
    assert kinds_of(tmp_path / "r") == ["summary", "analysis"]


def test_kinds_choose_what_is_recorded(tmp_path: Path) -> None:
    made = host(kinds=["summary"], moments=False, jsonl={"path": str(tmp_path / "r")})
    record_all(made, ("", spoken()), ("s", summary_record().summary))
    assert kinds_of(tmp_path / "r") == ["summary"]


def test_what_is_written_is_its_owners_alone_and_holds_no_landmarks(tmp_path: Path) -> None:
    region = FaceRegion(Box(1, 2, 3, 4), quality=1.0, landmarks=((7.25, 8.5),) * 5)
    seen = replace(spoken().predictions[0], evidence=region)
    result = replace(spoken(), predictions=(seen,))
    files = {name: {"path": str(tmp_path / name)} for name in ("jsonl", "csv", "sqlite")}
    assert record_all(host(**files), ("s", result), ("s", summary_record().summary)) == 0
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == dict.fromkeys(files, "0o600")
    assert "7.25" not in (tmp_path / "jsonl").read_text()


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"jsnl": {"path": "x"}}, "jsnl"),
        ({"jsonl": {}}, "jsonl.path"),
        ({"jsonl": {"path": ""}}, "must name a file"),
        ({"csv": {"path": "x", "max_bytes": 3}}, "csv.max_bytes"),
        ({"kinds": ["poem"]}, "kinds"),
    ],
)
def test_wrong_settings_leave_the_plugin_out_and_say_why(table: dict[str, Any], problem: str) -> None:
    (description,) = host(**table).plugins()
    assert description.state is PluginState.FAILED
    assert problem in description.reason


def test_files_rotate_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "r", max_bytes=10, keep=2)
    for number in range(7):
        file.add(b"line%d\n" % number, header=b"h\n")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "r": b"h\nline6\n",
        "r.1": b"h\nline5\n",
        "r.2": b"h\nline4\n",
    }


def test_a_line_larger_than_a_file_has_a_file_of_its_own(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "r", max_bytes=10, keep=5)
    for line in (b"a\n", b"b" * 50 + b"\n", b"c\n"):
        file.add(line)
    assert [(tmp_path / name).stat().st_size for name in ("r.2", "r.1", "r")] == [2, 51, 2]


def test_half_a_line_of_a_killed_process_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"half')
    sink = JsonLinesFile(FileSettings(path=path))
    sink.write(summary_record())
    sink.write(summary_record())
    assert [isinstance(line, records.BadLine) for line in lines_of(path)] == [True, False, False]


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RotatingFile(tmp_path / "r", max_bytes=1000, keep=1)
    file.add(b"first\n")

    def fills_up(target: io.FileIO, data: bytes) -> None:
        target.write(data[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("mien_records.files._write_all", fills_up)
        with pytest.raises(OSError, match="No space left"):
            file.add(b"second\n")
    file.add(b"third\n")
    assert (tmp_path / "r").read_bytes() == b"first\nthird\n"


def test_csv_is_flat_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    sink = CsvFile(FileSettings(path=tmp_path / "r.csv"))
    sink.write(summary_record(0.7, session_id="=HYPERLINK(1)", rating=4))
    sink.write(analysis_record())
    summary, analysis = rows_of(tmp_path / "r.csv")
    assert tuple(summary) == COLUMNS
    assert summary["session_id"] == "'=HYPERLINK(1)"
    assert summary["recorded_at"] == "2026-11-02T12:00:00.000+00:00"
    assert (summary["score"], summary["score_low"], summary["score_high"]) == ("0.7000", "0.6000", "0.8000")
    assert (summary["verdict"], summary["duration_seconds"], summary["rating"]) == ("good", "60.000", "4")
    assert (summary["face_share"], summary["voice_share"]) == ("1.0000", "")
    assert summary["emotions"] == "happy 75.0; sad 25.0"
    assert (analysis["voice_score"], analysis["peak_score"], analysis["emotions"]) == ("0.9000", "", "joy 100.0")


def test_the_database_has_columns_to_ask_by_and_is_in_write_ahead_mode(tmp_path: Path) -> None:
    sink = SqliteFile(SqliteSettings(path=tmp_path / "r.db"))
    sink.write(summary_record(0.7, session_id="s1", site="Harbour"))
    connection = sqlite3.connect(tmp_path / "r.db")
    (row,) = connection.execute("SELECT recorded_at, kind, session_id, site, score, verdict FROM records")
    plan = str(connection.execute("EXPLAIN QUERY PLAN SELECT * FROM records WHERE session_id = 's1'").fetchall())
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    sink.close()
    assert row == ("2026-11-02T12:00:00.000000+00:00", "summary", "s1", "Harbour", 0.7, "good")
    assert "records_by_session" in plan
    assert mode == "wal"


def test_a_database_of_another_format_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "r.db")
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    sink = SqliteFile(SqliteSettings(path=tmp_path / "r.db"))
    with pytest.raises(sqlite3.DatabaseError, match="format is 7"):
        sink.write(summary_record())
    with pytest.raises(InputError, match="format is 7"):
        list(read_database(tmp_path / "r.db"))


def test_a_failing_sink_is_counted_and_told_once_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    made = host(jsonl={"path": str(tmp_path / "file/r.jsonl")}, csv={"path": str(tmp_path / "r.csv")})
    with caplog.at_level(logging.WARNING):
        assert record_all(made, *[("s", spoken())] * 3) == 3
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 4
    told = [entry.getMessage() for entry in caplog.records if entry.name == "mien.records"]
    assert len(told) == 2, "once when it begins, once at the end with the count"
    assert "cannot write to jsonl" in told[0]
    assert "3 results were not written to jsonl" in told[1]
    assert "Ann" not in caplog.text


def test_a_locked_database_costs_what_comes_while_it_is_locked(tmp_path: Path) -> None:
    recorder = Recorder(
        RecordsSettings.model_validate({"moments": True, "sqlite": {"path": tmp_path / "r.db", "busy_seconds": 0.0}})
    )
    recorder.write(spoken(), Provenance(session_id="s1"))
    other = sqlite3.connect(tmp_path / "r.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(PluginError, match="not recorded in: sqlite"):
        recorder.write(spoken(), Provenance(session_id="s2"))
    other.execute("ROLLBACK")
    other.close()
    recorder.write(spoken(), Provenance(session_id="s3"))
    recorder.close()
    found = read_database(tmp_path / "r.db")
    assert [record.session_id for record in found if not isinstance(record, records.BadLine)] == ["s1", "s3"]


def test_the_recorder_says_which_file_failed_and_why(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"this is a letter, and by no means a database" * 10)
    recorder = Recorder(RecordsSettings.model_validate({"moments": True, "sqlite": {"path": tmp_path / "db"}}))
    with pytest.raises(PluginError, match="sqlite"):
        recorder.write(spoken(), Provenance())
    assert recorder.failures == {("sqlite", "SQLITE_NOTADB"): 1}


def test_results_of_a_closed_host_are_not_recorded(tmp_path: Path) -> None:
    made = host(jsonl={"path": str(tmp_path / "r")})
    made.close()
    record_all(made, ("s", spoken()))
    assert not (tmp_path / "r").exists()


def test_a_record_is_one_line_whatever_is_in_it(tmp_path: Path) -> None:
    sink = JsonLinesFile(FileSettings(path=tmp_path / "r"))
    sink.write(summary_record(session_id="a\nb\u2028c\x00"))
    (line,) = (tmp_path / "r").read_bytes().splitlines()
    assert json.loads(line)["session_id"] == "a\nb\u2028c\x00"


@pytest.mark.parametrize("kind", ["jsonl", "csv", "sqlite"], scope="class")
class TestConformance(SinkConformance):
    @pytest.fixture
    def make_sink(self, kind: str, tmp_path: Path) -> Callable[[], Sink]:
        settings = RecordsSettings.model_validate({"moments": True, kind: {"path": tmp_path / "kept"}})
        return lambda: Recorder(settings)

    @pytest.fixture
    def count(self, kind: str, tmp_path: Path) -> Callable[[], int]:
        path = tmp_path / "kept"
        counts: dict[str, Callable[[], int]] = {
            "jsonl": lambda: len(lines_of(path)),
            "csv": lambda: len(rows_of(path)),
            "sqlite": lambda: len(list(read_database(path))),
        }
        return lambda: counts[kind]() if path.exists() else 0
