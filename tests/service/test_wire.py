"""The wire: whatever the types can hold comes back as it went, and what they cannot hold is refused by name."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import (
    AnalysisResult,
    Box,
    Contribution,
    FaceRegion,
    Prediction,
    Satisfaction,
    ScoreInterval,
    StreamState,
    StreamStatus,
    TimeInterval,
    Transcript,
    Verdict,
    Word,
)
from mien.testing import make_prediction
from mien.v1 import sentiment_pb2 as pb
from mien.wire import values as wire

UNIT = st.floats(0, 1)
FINITE = st.floats(-1e9, 1e9)
NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTERVAL = st.tuples(FINITE, FINITE).map(lambda pair: TimeInterval(min(pair), max(pair)))
UNIT_INTERVAL = st.tuples(UNIT, UNIT).map(lambda pair: ScoreInterval(min(pair), max(pair)))


def normalised(values: dict[str, float]) -> dict[str, float]:
    total = math.fsum(values.values())
    return {label: value / total for label, value in values.items()}


DISTRIBUTION = st.dictionaries(NAME, st.floats(0.01, 1), min_size=1, max_size=6).map(normalised)
FACE = st.builds(
    FaceRegion,
    box=st.builds(Box, FINITE, FINITE, st.floats(0, 1e6), st.floats(0, 1e6)),
    quality=UNIT,
    detection_score=UNIT,
    track_id=NAME,
    landmarks=st.lists(st.tuples(FINITE, FINITE), max_size=5).map(tuple),
    issues=st.lists(NAME, max_size=3).map(tuple),
    brightness=st.none() | UNIT,
)
TRANSCRIPT = st.builds(
    Transcript,
    text=NAME,
    words=st.lists(st.builds(Word, NAME, INTERVAL, UNIT), max_size=3).map(tuple),
    language=NAME,
    engine=NAME,
    confidence=UNIT,
    is_final=st.booleans(),
    stability=UNIT,
    revision=st.integers(0, 2**32 - 1),
    redacted=st.booleans(),
)
PREDICTION = st.builds(
    Prediction,
    modality=NAME.filter(bool),
    emotions=DISTRIBUTION,
    valence=st.floats(-1, 1),
    satisfaction=UNIT,
    confidence=UNIT,
    interval=INTERVAL,
    subject_id=NAME,
    analyzer=NAME,
    evidence=st.none() | FACE | TRANSCRIPT,
    sentiment=st.just({}) | DISTRIBUTION,
)
SATISFACTION = st.builds(
    Satisfaction,
    score=UNIT,
    interval=UNIT_INTERVAL,
    confidence=UNIT,
    verdict=st.sampled_from(Verdict),
    contributions=st.dictionaries(
        NAME, st.builds(Contribution, UNIT, UNIT, UNIT, st.integers(0, 2**32 - 1)), max_size=3
    ),
    agreement=UNIT,
    mismatch=st.booleans(),
    coverage=UNIT,
)
STATUS = st.builds(StreamStatus, NAME, NAME, st.sampled_from(StreamState), NAME, st.floats(0, 1e6), NAME)
RESULT = st.builds(
    AnalysisResult,
    predictions=st.lists(PREDICTION, max_size=3).map(tuple),
    satisfaction=SATISFACTION,
    streams=st.lists(STATUS, max_size=3).map(tuple),
)


@given(result=RESULT)
def test_a_result_comes_back_as_it_went(result: AnalysisResult) -> None:
    sent = wire.result_to_wire(result).SerializeToString()
    assert wire.result_from_wire(pb.AnalyzeResponse.FromString(sent)) == result


def test_every_verdict_and_state_has_a_number_of_its_own() -> None:
    for mapping, kind in ((wire.VERDICTS, Verdict), (wire.STREAM_STATES, StreamState)):
        assert set(mapping) == set(kind)
        assert len(set(mapping.values())) == len(mapping)
        assert 0 not in mapping.values()


def test_the_likeliest_emotion_comes_first() -> None:
    message = wire.prediction_to_wire(make_prediction(satisfaction=0.9))
    assert wire.prediction_from_wire(message).top_emotion == "happy"
    assert next(iter(wire.prediction_from_wire(message).emotions)) == "happy"


def test_numbers_of_a_newer_peer_are_read_as_the_cautious_value() -> None:
    satisfaction = wire.satisfaction_to_wire(wire.satisfaction_from_wire(pb.Satisfaction()))
    satisfaction.verdict = 77
    assert wire.satisfaction_from_wire(satisfaction).verdict is Verdict.UNDECIDED
    assert wire.stream_status_from_wire(pb.StreamStatus(state=77)).state is StreamState.FAILED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("valence", 1.5),
        ("satisfaction", -0.1),
        ("confidence", math.nan),
        ("modality", ""),
        ("emotions", {"happy": 0.4}),
    ],
)
def test_a_prediction_outside_its_range_is_refused_by_name(field: str, value: Any) -> None:
    message = wire.prediction_to_wire(make_prediction())
    if field == "emotions":
        message.emotions.clear()
        message.emotions.update(value)
    else:
        setattr(message, field, value)
    with pytest.raises(wire.WireError, match=field):
        wire.prediction_from_wire(message)


def test_a_satisfaction_outside_its_range_is_refused_by_name() -> None:
    with pytest.raises(wire.WireError, match=r"satisfaction is not valid: score must lie in \[0, 1\]"):
        wire.satisfaction_from_wire(pb.Satisfaction(score=3))


def test_a_transcript_of_a_peer_that_knows_no_partial_ones_is_final() -> None:
    message = wire.prediction_to_wire(make_prediction("voice"))
    message.transcript.text = "thank you"
    evidence = wire.prediction_from_wire(message).evidence
    assert evidence == Transcript("thank you", engine="", confidence=0.0)
    assert isinstance(evidence, Transcript)
    assert (evidence.is_final, evidence.stability, evidence.revision) == (True, 1.0, 0)
