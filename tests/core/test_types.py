"""The types: what a constructor lets in, and what holds of everything it let in."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mien import (
    UNKNOWN_SATISFACTION,
    AnalysisResult,
    AudioClip,
    Box,
    Contribution,
    FaceRegion,
    ImageFrame,
    Prediction,
    Satisfaction,
    ScoreInterval,
    StreamState,
    StreamStatus,
    TimeInterval,
    Transcript,
    Utterance,
    Verdict,
    Word,
)
from mien.testing import make_prediction

ANY = st.floats()
UNIT = st.floats(0.0, 1.0)
SIZES = st.floats(0.5, 1e4)
PLACES = st.floats(-1e4, 1e4)
BOXES = st.builds(Box, PLACES, PLACES, SIZES, SIZES)
MOMENT = TimeInterval(0.0, 0.0)


def unit_fields() -> dict[str, Callable[[float], Any]]:
    box, base = Box(0, 0, 1, 1), make_prediction()
    return {
        "quality": lambda value: FaceRegion(box, value),
        "detection_score": lambda value: FaceRegion(box, 1.0, value),
        "word": lambda value: Word("x", MOMENT, value),
        "transcript": lambda value: Transcript("x", confidence=value),
        "satisfaction": lambda value: replace(base, satisfaction=value),
        "confidence": lambda value: replace(base, confidence=value),
        "weight": lambda value: Contribution(value, 0.5),
        "contribution.score": lambda value: Contribution(0.5, value),
        "score": lambda value: replace(UNKNOWN_SATISFACTION, score=value),
        "agreement": lambda value: replace(UNKNOWN_SATISFACTION, agreement=value),
        "coverage": lambda value: replace(UNKNOWN_SATISFACTION, coverage=value),
        "interval.end": lambda value: replace(UNKNOWN_SATISFACTION, interval=ScoreInterval(0.0, value)),
    }


@pytest.mark.parametrize("name", unit_fields())
@given(value=ANY)
def test_fractions_lie_between_zero_and_one_and_nan_does_not(name: str, value: float) -> None:
    make = unit_fields()[name]
    if 0.0 <= value <= 1.0:
        make(value)
    else:
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got|interval needs finite"):
            make(value)


@given(valence=ANY)
def test_valence_lies_between_minus_one_and_one(valence: float) -> None:
    if -1.0 <= valence <= 1.0:
        assert replace(make_prediction(), valence=valence).valence == valence
    else:
        with pytest.raises(ValueError, match="valence must lie in"):
            replace(make_prediction(), valence=valence)


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=8))
def test_a_normalised_distribution_is_taken_and_half_of_it_is_not(masses: list[float]) -> None:
    total = math.fsum(masses)
    assume(total > 1e-6)
    emotions = {f"label{index}": mass / total for index, mass in enumerate(masses)}
    prediction = replace(make_prediction(), emotions=emotions)
    assert math.fsum(prediction.emotions.values()) == pytest.approx(1.0)
    assert prediction.emotions[prediction.top_emotion] == max(emotions.values())
    with pytest.raises(ValueError, match="emotions must sum to 1"):
        replace(prediction, emotions={label: value / 2 for label, value in emotions.items()})


@pytest.mark.parametrize("emotions", [{}, {"a": math.nan}, {"a": 2.0, "b": -1.0}, {"a": math.inf}])
def test_what_is_no_distribution_is_refused(emotions: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="emotions"):
        replace(make_prediction(), emotions=emotions)


def test_the_first_of_equal_emotions_is_on_top() -> None:
    assert replace(make_prediction(), emotions={"b": 0.5, "a": 0.5}).top_emotion == "b"


def test_a_prediction_keeps_a_copy_of_its_emotions_and_survives_pickling() -> None:
    emotions = {"happy": 1.0}
    prediction = replace(make_prediction(), emotions=emotions)
    emotions["happy"] = 0.0
    assert prediction.emotions == {"happy": 1.0}
    assert pickle.loads(pickle.dumps(prediction)) == prediction
    with pytest.raises(FrozenInstanceError):
        prediction.valence = 0.0  # type: ignore[misc]


def test_a_prediction_needs_a_modality() -> None:
    with pytest.raises(ValueError, match="modality must not be empty"):
        Prediction(modality="", emotions={"a": 1.0}, valence=0.0, satisfaction=0.5, confidence=1.0, interval=MOMENT)


@given(ANY, ANY)
def test_an_interval_is_finite_and_runs_forwards(start: float, end: float) -> None:
    if math.isfinite(start) and math.isfinite(end) and start <= end:
        TimeInterval(start, end)
    else:
        with pytest.raises(ValueError, match="interval"):
            TimeInterval(start, end)


@given(BOXES, BOXES)
def test_the_overlap_of_boxes_is_a_symmetric_fraction(one: Box, other: Box) -> None:
    shared = one.iou(other)
    assert 0.0 <= shared <= 1.0 + 1e-9
    assert shared == pytest.approx(other.iou(one))
    assert one.iou(one) == pytest.approx(1.0)
    assert one.intersection(other) == other.intersection(one) <= min(one.area, other.area) * (1 + 1e-9)
    assert Box(0, 0, 4, 3).intersection(Box(2, 1, 9, 9)) == 4.0
    assert Box(0, 0, 4, 3).intersection(Box(4, 0, 1, 1)) == 0.0


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
)
def test_a_picture_is_rgb_bytes(pixels: Any) -> None:
    with pytest.raises(ValueError, match=r"pixels must be uint8 \[height, width, 3\], got"):
        ImageFrame(pixels)


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.zeros(4, np.float64), 16_000),
        (np.zeros((4, 2), np.float32), 16_000),
        (np.array([0.0, np.nan], np.float32), 16_000),
        (np.zeros(4, np.float32), 0),
    ],
)
def test_sound_is_mono_float32_and_finite(samples: Any, rate: int) -> None:
    with pytest.raises(ValueError, match="sample"):
        AudioClip(samples, rate)


@given(seconds=st.floats(0.0, 2.0), rate=st.integers(1, 48_000))
def test_the_duration_of_a_clip_is_its_length_in_seconds(seconds: float, rate: int) -> None:
    clip = AudioClip(np.zeros(round(seconds * rate), np.float32), rate)
    assert clip.duration_seconds == pytest.approx(seconds, abs=1.0 / rate)


@pytest.mark.parametrize("moment", [math.nan, math.inf])
def test_a_moment_is_finite(moment: float) -> None:
    for make in (
        lambda: ImageFrame(np.zeros((1, 1, 3), np.uint8), moment),
        lambda: AudioClip(np.zeros(1, np.float32), 1, moment),
        lambda: Utterance("x", captured_at=moment),
        lambda: Utterance("x", duration_seconds=moment),
    ):
        with pytest.raises(ValueError, match="must be finite"):
            make()


def test_the_missing_streams_are_those_that_are_not_ok() -> None:
    streams = tuple(StreamStatus(state.value, "face", state) for state in StreamState)
    result = AnalysisResult(predictions=(), satisfaction=UNKNOWN_SATISFACTION, streams=streams)
    assert {status.state for status in result.missing} == set(StreamState) - {StreamState.OK}


@given(score=UNIT, confidence=UNIT)
def test_a_satisfaction_keeps_a_copy_of_its_contributions(score: float, confidence: float) -> None:
    parts = {"face": Contribution(1.0, score)}
    satisfaction = Satisfaction(
        score=score, interval=ScoreInterval(0.0, 1.0), confidence=confidence, verdict=Verdict.GOOD, contributions=parts
    )
    parts.clear()
    assert satisfaction.contributions == {"face": Contribution(1.0, score)}
