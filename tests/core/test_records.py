"""Records: what goes out comes back, and it fits the published schema."""

from __future__ import annotations

import json

import jsonschema
import pytest

from mien import (
    AnalysisResult,
    Box,
    Contribution,
    FaceRegion,
    InputError,
    Interval,
    Prediction,
    Satisfaction,
    StreamState,
    StreamStatus,
    Transcript,
    Verdict,
    Word,
)
from mien.records import from_record, schema, to_record


@pytest.fixture
def result() -> AnalysisResult:
    face = Prediction(
        modality="face",
        emotions={"happy": 0.75, "sad": 0.25},
        valence=0.5,
        satisfaction=0.8,
        confidence=0.9,
        interval=Interval(1.0, 1.0),
        subject_id="face-1",
        analyzer="face",
        evidence=FaceRegion(Box(1, 2, 30, 40), 0.9, landmarks=((1.0, 2.0),), issues=("dark",)),
    )
    words = Transcript("thank you", (Word("thank", Interval(0, 0.3)),), language="en", engine="pocketsphinx")
    voice = Prediction(
        modality="voice",
        emotions={"joy": 1.0},
        valence=1.0,
        satisfaction=1.0,
        confidence=0.5,
        interval=Interval(0.0, 1.0),
        evidence=words,
        sentiment={"positive": 1.0},
    )
    satisfaction = Satisfaction(
        score=0.85,
        interval=Interval(0.7, 0.95),
        confidence=0.8,
        verdict=Verdict.GOOD,
        contributions={"face": Contribution(0.6, 0.8), "voice": Contribution(0.4, 1.0)},
    )
    streams = (StreamStatus("face", "face", StreamState.OK), StreamStatus("x", "y", StreamState.FAILED, "it broke"))
    return AnalysisResult(predictions=(face, voice), satisfaction=satisfaction, streams=streams)


def test_a_record_survives_json_and_comes_back_the_same(result: AnalysisResult) -> None:
    assert from_record(json.loads(json.dumps(to_record(result)))) == result


def test_a_record_fits_the_published_schema(result: AnalysisResult) -> None:
    jsonschema.validate(to_record(result), schema())


def test_the_schema_refuses_what_is_no_record(result: AnalysisResult) -> None:
    record = to_record(result)
    record["satisfaction"]["verdict"] = "splendid"
    with pytest.raises(jsonschema.ValidationError, match="splendid"):
        jsonschema.validate(record, schema())


def test_a_record_of_another_shape_is_refused_by_name(result: AnalysisResult) -> None:
    record = to_record(result)
    del record["satisfaction"]["score"]
    with pytest.raises(InputError, match=r"satisfaction\.score"):
        from_record(record)
