"""A modality that mien has never heard of counts like its own: session, fusion, wire, records and report."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from records.support import NOON, satisfaction, summary_record

from mien import Prediction, SampleKind, SessionSummary, SummaryRecord, TimeInterval, Verdict, records
from mien.config import parse_settings
from mien.live import Update
from mien.session import Observation, Session, SessionConfig, SessionState, mismatch_message
from mien.testing import make_prediction
from mien.v1 import sentiment_pb2 as pb
from mien.wire.sessions import event_from_wire, event_to_wire
from mien_fusion.weighted_sum import WeightedSum
from mien_records.files import CsvFile
from mien_records.report.command import _table
from mien_records.report.page import Options, build_page
from mien_records.report.visits import collect
from mien_records.settings import FileSettings
from mien_records.table import COLUMNS

PAIRS = [[["face"], ["prosody"]], [["prosody"], ["voice", "text"]]]
SETTINGS = parse_settings({"fusion": {"mismatch_pairs": PAIRS, "mismatch_policy": "trust_face"}})


def followed(*, policy: str = "trust_face") -> tuple[SessionState, SessionSummary]:
    """A smiling customer whose tone of voice is tense, three times."""
    config = SessionConfig.from_settings(SETTINGS, session_id="visit", mismatch_policy=policy)
    session = Session(config, WeightedSum())
    for at in range(3):
        face = make_prediction("face", satisfaction=0.9, at=at, subject_id="a")
        session.push(Observation(kind=SampleKind.IMAGE, at=at, predictions=(face,)))
        state = session.push(Observation(kind=SampleKind.AUDIO, at=at, predictions=(prosody(0.1, at=at),)))
    return state, session.close()


def prosody(level: float, *, at: float) -> Prediction:
    return Prediction(
        modality="prosody",
        emotions={"calm": level, "tense": 1.0 - level},
        valence=0.0,
        satisfaction=level,
        confidence=0.9,
        interval=TimeInterval(at, at),
    )


def record_of(summary: SessionSummary) -> SummaryRecord:
    return SummaryRecord(recorded_at=NOON, summary=summary, session_id=summary.session_id)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_its_percentages_stand_beside_the_faces() -> None:
    state, summary = followed()
    assert state.modality_percentages["prosody"] == {"calm": 0.0, "tense": 100.0}
    assert state.modality_percentages["face"] == state.emotion_percentages
    assert summary.modality_percentages == state.modality_percentages
    assert summary.utterances == 3


def test_it_may_be_held_against_the_face_and_against_words() -> None:
    state, summary = followed()
    assert state.satisfaction.mismatch
    assert summary.mismatches == 1
    assert state.satisfaction.score == pytest.approx(0.9), "the policy trusts the face"
    assert mismatch_message(state.satisfaction) == "modalities point opposite ways"
    assert mismatch_message(satisfaction(streams={"face": 0.5, "text": 0.5})) == "face and words point opposite ways"
    blended, _ = followed(policy="trust_words")
    assert blended.satisfaction.score == pytest.approx(0.52, abs=0.01), "neither side is words"


def test_its_part_crosses_the_wire() -> None:
    state, summary = followed()
    sent = event_to_wire(Update(state=state, predictions=(prosody(0.1, at=2.0),))).SerializeToString()
    received = event_from_wire(pb.StreamSessionResponse.FromString(sent))
    assert isinstance(received, Update)
    assert received.predictions[0].modality == "prosody"
    assert received.state.satisfaction == state.satisfaction
    assert event_from_wire(event_to_wire(summary)) == summary


def test_it_is_recorded_and_read_again() -> None:
    record = record_of(followed()[1])
    again = records.from_json(records.to_json(record))
    assert again == record
    assert isinstance(again, SummaryRecord)
    assert again.summary.modality_percentages["prosody"]["tense"] == 100.0


def test_it_has_columns_where_it_spoke() -> None:
    summary = followed()[1]
    face_only = summary_record()
    header, first, second = csv.reader(_table([face_only, record_of(summary)]).decode().splitlines())
    assert [name for name in header if name not in COLUMNS] == ["prosody_score", "prosody_share"]
    cells = [dict(zip(header, line, strict=True)) for line in (first, second)]
    assert [cell["prosody_score"] for cell in cells] == ["", "0.1000"]
    assert cells[1]["prosody_share"] == "0.0000"
    assert _table([face_only]).decode().splitlines()[0] == ",".join(COLUMNS)


def test_a_csv_file_without_its_columns_makes_place_for_one_that_has_them(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    for record in (summary_record(), record_of(followed()[1]), summary_record()):
        CsvFile(FileSettings(path=path)).write(record)  # as after a restart
    assert [row["face_score"] for row in rows_of(tmp_path / "r.csv.1")] == ["0.7000"]
    assert [row["prosody_score"] for row in rows_of(path)] == ["0.1000", ""]
    assert not (tmp_path / "r.csv.2").exists()


@pytest.mark.parametrize("name", ["peak", "=1+1", "two\nlines", "end"])
def test_no_name_of_a_modality_breaks_the_table(tmp_path: Path, name: str) -> None:
    record = summary_record(overall=satisfaction(0.25, streams={name: 1.0}))
    for _ in range(2):
        CsvFile(FileSettings(path=tmp_path / "r.csv")).write(record)
    rows = rows_of(tmp_path / "r.csv")
    assert len(rows) == 2
    assert [row["peak_score"] for row in rows] == ["0.9000", "0.9000"]
    further = {column: cell for column, cell in rows[0].items() if column not in COLUMNS}
    assert sorted(further.values()) == ["0.2500", "1.0000"]
    assert not any(column.startswith("=") for column in further)


def test_a_file_that_is_no_table_of_ours_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("something,else\n1,2\n", encoding="utf-8")
    CsvFile(FileSettings(path=path)).write(summary_record())
    assert (tmp_path / "r.csv.1").read_text(encoding="utf-8") == "something,else\n1,2\n"
    assert len(rows_of(path)) == 1


def test_the_report_speaks_of_it() -> None:
    summary = followed()[1]
    poor = replace(summary, overall=satisfaction(0.2, verdict=Verdict.POOR, streams={"face": 0.5, "prosody": 0.5}))
    pairs = SETTINGS.fusion.mismatch_pairs
    several = [replace(record_of(each), session_id=f"{n}") for n, each in enumerate([summary, poor] * 10)]
    page = build_page(collect(several)[0], [], Options(made_at=NOON, zone=UTC, pairs=pairs, single_visits=True))
    assert "face and prosody pointed opposite ways" in page
    assert "face and prosody disagree" in page
    assert "Prosody" in page
    assert "tense" in page
    assert "face and words" not in page
    assert "complaint" not in page


def test_a_report_of_several_pairs_names_none_of_them() -> None:
    both = summary_record(overall=satisfaction(streams={"face": 0.4, "prosody": 0.3, "text": 0.3}), mismatches=1)
    pairs = SETTINGS.fusion.mismatch_pairs
    several = [replace(both, session_id=f"{n}") for n in range(10)]
    page = build_page(collect(several)[0], [], Options(made_at=NOON, zone=UTC, pairs=pairs, single_visits=True))
    assert "two streams disagree" in page
