"""Records made by hand for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mien import (
    AnalysisRecord,
    AnalysisResult,
    Contribution,
    Prediction,
    Satisfaction,
    ScoreInterval,
    SessionEnd,
    SessionSummary,
    SummaryRecord,
    TimeInterval,
    Transcript,
    Verdict,
)

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
"""A Monday."""


def satisfaction(
    score: float = 0.7,
    *,
    verdict: Verdict = Verdict.GOOD,
    streams: Mapping[str, float] | None = None,
    half: float = 0.1,
) -> Satisfaction:
    """A satisfaction whose interval reaches ``half`` to either side; ``streams`` are weights, which share the score."""
    parts = {"face": 1.0} if streams is None else streams
    return Satisfaction(
        score=score,
        interval=ScoreInterval(max(0.0, score - half), min(1.0, score + half)),
        confidence=0.8,
        verdict=verdict,
        contributions={modality: Contribution(weight, score) for modality, weight in parts.items()},
    )


def summary_record(
    score: float = 0.7,
    *,
    session_id: str = "s",
    site: str = "",
    hours: float = 0.0,
    overall: Satisfaction | None = None,
    mismatches: int = 0,
    peak_end: float = 0.7,
    rating: int = 0,
    emotions: Mapping[str, float] | None = None,
) -> SummaryRecord:
    """A session that ended so many hours after noon."""
    summary = SessionSummary(
        session_id=session_id,
        end=SessionEnd.MARKER,
        interval=TimeInterval(10.0, 70.0),
        overall=overall or satisfaction(score),
        peak_score=0.9,
        end_score=0.5,
        peak_end_score=peak_end,
        emotion_percentages={"happy": 75.0, "sad": 25.0} if emotions is None else emotions,
        snapshots=4,
        utterances=1,
        mismatches=mismatches,
        rating=rating,
        site=site,
    )
    return SummaryRecord(
        recorded_at=NOON + timedelta(hours=hours), summary=summary, session_id=session_id, site=site, source="till 3"
    )


def spoken(words: str = "my name is Ann") -> AnalysisResult:
    """A result that rests on words."""
    prediction = Prediction(
        modality="voice",
        emotions={"joy": 1.0},
        valence=1.0,
        satisfaction=0.9,
        confidence=0.8,
        interval=TimeInterval(0.0, 1.0),
        evidence=Transcript(words),
    )
    return AnalysisResult(predictions=(prediction,), satisfaction=satisfaction(0.9, streams={"voice": 1.0}))


def analysis_record(
    words: str = "hello", *, session_id: str = "", seconds: float = 0.0, source: str = ""
) -> AnalysisRecord:
    """An analysis so many seconds after noon."""
    at = NOON + timedelta(seconds=seconds)
    return AnalysisRecord(recorded_at=at, analysis=spoken(words), session_id=session_id, source=source)
