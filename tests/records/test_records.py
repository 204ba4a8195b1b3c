"""Records: what goes out comes back, and it fits the published schema."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import jsonschema
import pytest
from records.support import NOON, analysis_record, summary_record

from mien import (
    AnalysisResult,
    Box,
    Contribution,
    FaceRegion,
    InputError,
    Prediction,
    Reason,
    Satisfaction,
    ScoreInterval,
    StreamState,
    StreamStatus,
    TimeInterval,
    Transcript,
    Verdict,
    Word,
)
from mien.records import (
    AnalysisRecord,
    BadLine,
    Failure,
    FailureRecord,
    Record,
    SummaryRecord,
    from_json,
    now,
    read_lines,
    schema,
    to_json,
    without_words,
)


@pytest.fixture
def result() -> AnalysisResult:
    face = Prediction(
        modality="face",
        emotions={"happy": 0.75, "sad": 0.25},
        valence=0.5,
        satisfaction=0.8,
        confidence=0.9,
        interval=TimeInterval(1.0, 1.0),
        subject_id="face-1",
        analyzer="face",
        evidence=FaceRegion(Box(1, 2, 30, 40), 0.9, landmarks=((1.0, 2.0),), issues=("dark",)),
    )
    words = Transcript("thank you", (Word("thank", TimeInterval(0, 0.3)),), language="en", engine="whisper")
    voice = Prediction(
        modality="voice",
        emotions={"joy": 1.0},
        valence=1.0,
        satisfaction=1.0,
        confidence=0.5,
        interval=TimeInterval(0.0, 1.0),
        evidence=words,
        sentiment={"positive": 1.0},
    )
    satisfaction = Satisfaction(
        score=0.85,
        interval=ScoreInterval(0.7, 0.95),
        confidence=0.8,
        verdict=Verdict.GOOD,
        contributions={"face": Contribution(0.6, 0.8), "voice": Contribution(0.4, 1.0)},
    )
    streams = (StreamStatus("face", "face", StreamState.OK), StreamStatus("x", "y", StreamState.FAILED, "it broke"))
    return AnalysisResult(predictions=(face, voice), satisfaction=satisfaction, streams=streams)


SCHEMA = Path(__file__).resolve().parents[2] / "docs/schema/record-v1.json"


def the_records(result: AnalysisResult) -> list[Record]:
    failure = Failure(error="InputError", message="not a picture")
    return [
        AnalysisRecord(recorded_at=NOON, analysis=result, session_id="s", site="here", source="a.jpg", image_width=64),
        summary_record(),
        FailureRecord(recorded_at=NOON, failure=failure, source="b.jpg"),
    ]


def test_records_survive_json_and_come_back_the_same(result: AnalysisResult) -> None:
    for record in the_records(result):
        assert from_json(to_json(record)) == record


def test_the_content_is_under_the_key_that_the_kind_names(result: AnalysisResult) -> None:
    for record in the_records(result):
        plain = json.loads(to_json(record))
        assert plain["kind"] in plain
        assert plain["schema_version"] == 1


def test_the_time_is_utc_in_iso_8601(result: AnalysisResult) -> None:
    assert json.loads(to_json(the_records(result)[0]))["recorded_at"] == "2026-11-02T12:00:00Z"
    assert now().tzinfo is UTC


def test_records_fit_the_published_schema(result: AnalysisResult) -> None:
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    for record in the_records(result):
        jsonschema.validate(json.loads(to_json(record)), published)


def test_the_published_schema_is_current() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema(), "run make schema"


def test_the_schema_refuses_what_is_no_record(result: AnalysisResult) -> None:
    plain = json.loads(to_json(the_records(result)[0]))
    plain["analysis"]["satisfaction"]["verdict"] = "splendid"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain, schema())


def test_what_a_later_version_adds_is_passed_over() -> None:
    plain = json.loads(to_json(summary_record())) | {"mood_of_the_cat": 3}
    assert from_json(json.dumps(plain)) == summary_record()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema_version": 2}, "it says schema_version 2"),
        ({"kind": "poem"}, "poem"),
        ({"recorded_at": "2026-11-02T12:00:00"}, "recorded_at"),
        ({"analysis": {}}, r"analysis\.predictions"),
    ],
)
def test_a_record_of_another_shape_is_refused_by_name(change: dict[str, object], problem: str) -> None:
    plain = json.loads(to_json(analysis_record())) | change
    with pytest.raises(InputError, match=problem):
        from_json(json.dumps(plain))


def test_bad_lines_are_named_and_the_others_read() -> None:
    good = to_json(summary_record()).encode()
    found = list(read_lines([good + b"\n", b"\n", b"{half a li\n", b"\xff\xfe\n", b"17\n", good]))
    assert [line.number if isinstance(line, BadLine) else line.kind for line in found] == [
        "summary",
        3,
        4,
        5,
        "summary",
    ]


def test_words_are_taken_out_and_nothing_else() -> None:
    record = analysis_record("my name is Ann")
    silent = without_words(record)
    assert "Ann" not in to_json(silent)
    assert '"redacted":true' in to_json(silent)
    assert without_words(summary_record()) == summary_record()


def test_a_summary_without_words_keeps_what_moved_the_score() -> None:
    record = summary_record()
    reason = Reason(modality="voice", interval=TimeInterval(1.0, 2.0), effect=-0.4, label="anger", words="never again")
    telling = replace(record, summary=replace(record.summary, reasons=(reason,)))
    assert from_json(to_json(telling)) == telling
    silent = without_words(telling)
    assert isinstance(silent, SummaryRecord)
    assert silent.summary.reasons == (replace(reason, words=""),)


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    plain = json.loads(to_json(summary_record())) | {"recorded_at": "2026-11-02T13:00:00+01:00"}
    assert from_json(json.dumps(plain)).recorded_at == NOON
