"""A record as one flat row: the CSV sink's columns, and those of ``mien report --csv``. See ``docs/records.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC
from typing import Final

from mien import AnalysisResult, Modality, Satisfaction, SessionSummary, records

_MODALITIES: Final = tuple(Modality)
COLUMNS: Final = (
    *("recorded_at", "kind", "session_id", "site", "source", "at_seconds", "score", "score_low", "score_high"),
    *("confidence", "verdict", "agreement", "mismatches", "coverage"),
    *(f"{modality}_{part}" for modality in _MODALITIES for part in ("score", "share")),
    *("emotions", "end", "duration_seconds", "snapshots", "utterances"),
    *("peak_score", "end_score", "peak_end_score", "rating", "error"),
)
"""The columns, in order; a cell that a record has nothing for is empty."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def row(record: records.Record) -> list[str]:
    """The record's cells, in the order of ``COLUMNS``."""
    cells = {
        "recorded_at": record.recorded_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "kind": record.kind,
        "session_id": _text(record.session_id),
        "site": _text(record.site),
        "source": _text(record.source),
    }
    if isinstance(record, records.AnalysisRecord):
        cells |= {"at_seconds": "" if record.at_seconds is None else f"{record.at_seconds:.3f}"}
        cells |= _of_analysis(record.analysis)
    elif isinstance(record, records.SummaryRecord):
        cells |= _of_summary(record.summary)
    else:
        cells |= {"error": _text(f"{record.failure.error}: {record.failure.message}")}
    return [cells.get(column, "") for column in COLUMNS]


def emotion_percentages(result: AnalysisResult) -> dict[str, float]:
    """Emotion -> percent of the faces that show it most; of all predictions where no face was seen."""
    faces = [prediction for prediction in result.predictions if prediction.modality == Modality.FACE]
    counts = Counter(prediction.top_emotion for prediction in faces or result.predictions)
    return {emotion: 100.0 * count / counts.total() for emotion, count in counts.items()}


def _of_analysis(result: AnalysisResult) -> dict[str, str]:
    return {
        **_of_satisfaction(result.satisfaction),
        "mismatches": str(int(result.satisfaction.mismatch)),
        "emotions": _emotions(emotion_percentages(result)),
    }


def _of_summary(summary: SessionSummary) -> dict[str, str]:
    return {
        **_of_satisfaction(summary.overall),
        "mismatches": str(summary.mismatches),
        "emotions": _emotions(summary.emotion_percentages),
        "end": summary.end.value,
        "duration_seconds": f"{summary.interval.end - summary.interval.start:.3f}",
        "snapshots": str(summary.snapshots),
        "utterances": str(summary.utterances),
        "peak_score": _number(summary.peak_score),
        "end_score": _number(summary.end_score),
        "peak_end_score": _number(summary.peak_end_score),
        "rating": str(summary.rating) if summary.rating else "",
    }


def _of_satisfaction(satisfaction: Satisfaction) -> dict[str, str]:
    parts = {
        f"{modality}_{name}": _number(value)
        for modality in _MODALITIES
        if (part := satisfaction.contributions.get(modality)) is not None
        for name, value in (("score", part.score), ("share", part.weight))
    }
    return {
        "score": _number(satisfaction.score),
        "score_low": _number(satisfaction.interval.low),
        "score_high": _number(satisfaction.interval.high),
        "confidence": _number(satisfaction.confidence),
        "verdict": satisfaction.verdict.value,
        "agreement": _number(satisfaction.agreement),
        "coverage": _number(satisfaction.coverage),
        **parts,
    }


def _emotions(percentages: Mapping[str, float]) -> str:
    """``happy 75.0; sad 25.0``, the most frequent first."""
    ordered = sorted(percentages.items(), key=lambda item: (-item[1], item[0]))
    return _text("; ".join(f"{emotion} {percent:.1f}" for emotion, percent in ordered if percent > 0))


def _number(value: float) -> str:
    return f"{value:.4f}"


def _text(value: str) -> str:
    """Text from outside; a spreadsheet must not take it for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
