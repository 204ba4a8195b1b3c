"""A record as one flat row: the columns of the CSV sink and of ``mien report --visits-csv``.

See ``docs/records.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Final

from mien import AnalysisResult, Modality, Prediction, Satisfaction, SessionSummary, records

_START: Final = (
    *("recorded_at", "kind", "session_id", "site", "source", "at_seconds", "score", "score_low", "score_high"),
    *("confidence", "verdict", "agreement", "mismatches", "coverage"),
    *(f"{modality}_{part}" for modality in Modality for part in ("score", "share")),
)
_END: Final = (
    *("emotions", "end", "duration_seconds", "snapshots", "utterances"),
    *("peak_score", "end_score", "peak_end_score", "rating", "error"),
)
COLUMNS: Final = (*_START, *_END)
"""The columns that every table has, in order; a cell that a record has nothing for is empty. The columns of a modality
beside mien's own stand after those of mien's own, see ``columns_for``."""

_RESERVED: Final = frozenset(COLUMNS) - {f"{modality}_{part}" for modality in Modality for part in ("score", "share")}
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def columns_for(found: Iterable[records.Record], columns: Sequence[str] = COLUMNS) -> tuple[str, ...]:
    """``columns``, and further ones where a record holds a modality that they have none for.

    Args:
        found: The records of a table.
        columns: Those that the table has so far; where they are of another shape, ``COLUMNS`` take their place.
    """
    known = set(columns) if _is_table(columns) else set(COLUMNS)
    for record in found:
        known.update(_of_modalities(_satisfaction_of(record)))
    # A score and its share are neighbours, in this order.
    return (*_START, *sorted(known - set(COLUMNS)), *_END)


def row(record: records.Record, columns: Sequence[str] = COLUMNS) -> list[str]:
    """The record's cells, in the order of ``columns``."""
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
    elif isinstance(record, records.FailureRecord):
        cells |= {"error": _text(f"{record.failure.error}: {record.failure.message}")}
    return [cells.get(column, "") for column in columns]


def emotion_percentages(result: AnalysisResult) -> dict[str, float]:
    """Emotion -> percent of the faces that show it most; of all predictions where no face was seen."""
    faces = [prediction for prediction in result.predictions if prediction.modality == Modality.FACE]
    return _percentages(faces or result.predictions)


def modality_percentages(result: AnalysisResult) -> dict[str, dict[str, float]]:
    """Modality -> emotion -> percent of its predictions that say so most."""
    by_modality: dict[str, list[Prediction]] = {}
    for prediction in result.predictions:
        by_modality.setdefault(prediction.modality, []).append(prediction)
    return {modality: _percentages(own) for modality, own in sorted(by_modality.items())}


def _percentages(predictions: Sequence[Prediction]) -> dict[str, float]:
    counts = Counter(prediction.top_emotion for prediction in predictions)
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
    return {
        "score": _number(satisfaction.score),
        "score_low": _number(satisfaction.interval.low),
        "score_high": _number(satisfaction.interval.high),
        "confidence": _number(satisfaction.confidence),
        "verdict": satisfaction.verdict.value,
        "agreement": _number(satisfaction.agreement),
        "coverage": _number(satisfaction.coverage),
        **_of_modalities(satisfaction),
    }


def _of_modalities(satisfaction: Satisfaction | None) -> dict[str, str]:
    parts = {} if satisfaction is None else satisfaction.contributions
    return {
        _column(modality, name): _number(value)
        for modality, part in parts.items()
        for name, value in (("score", part.score), ("share", part.weight))
    }


def _column(modality: str, part: str) -> str:
    """The column's name in one line; one that would be another column's gets a prefix."""
    name = "".join(character if character.isprintable() else " " for character in f"{modality}_{part}")
    return f"modality_{name}" if name in _RESERVED else _text(name)


def _is_table(columns: Sequence[str]) -> bool:
    own = len(_START), len(columns) - len(_END)
    return tuple(columns[: own[0]]) == _START and tuple(columns[own[1] :]) == _END and own[0] <= own[1]


def _satisfaction_of(record: records.Record) -> Satisfaction | None:
    if isinstance(record, records.AnalysisRecord):
        return record.analysis.satisfaction
    return record.summary.overall if isinstance(record, records.SummaryRecord) else None


def _emotions(percentages: Mapping[str, float]) -> str:
    """``happy 75.0; sad 25.0``, the most frequent first."""
    ordered = sorted(percentages.items(), key=lambda item: (-item[1], item[0]))
    return _text("; ".join(f"{emotion} {percent:.1f}" for emotion, percent in ordered if percent > 0))


def _number(value: float) -> str:
    return f"{value:.4f}"


def _text(value: str) -> str:
    """Text from outside; a spreadsheet must not take it for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
