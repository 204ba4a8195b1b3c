"""Records into visits: what a report counts.

A **session** is what mien follows and records, a **visit** is a session that somebody stayed for (or, where no session
was recorded, one analysis), a **customer** is who was there. A session of somebody who walked by is no visit.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from mien import MismatchPair, Satisfaction, Transcript, Verdict, records
from mien_records.table import emotion_percentages, modality_percentages

STAY_SECONDS: Final = 2.0
"""Who is in sight for less has walked by."""

_WORD: Final = re.compile(r"[^\W\d_]{3,}(?:['\u2019][^\W\d_]+)?")


class Unit(StrEnum):
    """What one visit is."""

    SESSION = "session"
    ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One session, or one analysis where no session was recorded.

    Attributes:
        at: When it was recorded.
        satisfaction: Over the whole of it.
        site: The place; empty if unknown.
        session_id: Empty outside of a session.
        source: What recorded it, or the file.
        emotions: Emotion -> percent of the customer's face; of everything in an analysis without one.
        modality_emotions: Modality -> emotion -> percent.
        mismatches: How often modalities began to point opposite ways.
        peak_end: Mean of the most extreme moment and the end, [0, 1]; None outside of a session.
        rating: Tap rating, 1 to 5; 0 if there was none.
        phases: Name of each phase -> its verdict; of two with one name the later.
        conditions: What the customer was seen under; see ``mien.SessionSummary``.
        words: Words that were said, where they were recorded and asked for.
    """

    at: datetime
    satisfaction: Satisfaction
    site: str = ""
    session_id: str = ""
    source: str = ""
    emotions: Mapping[str, float] = field(default_factory=dict)
    modality_emotions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    mismatches: int = 0
    peak_end: float | None = None
    rating: int = 0
    phases: Mapping[str, Verdict] = field(default_factory=dict)
    conditions: Mapping[str, float] = field(default_factory=dict)
    words: frozenset[str] = frozenset()

    @property
    def score(self) -> float:
        """[0, 1]."""
        return self.satisfaction.score

    @property
    def is_measured(self) -> bool:
        """Whether anybody was seen or heard; else its score says nothing."""
        return self.satisfaction.confidence > 0.0

    def compared(self, pairs: Sequence[MismatchPair]) -> tuple[MismatchPair, ...]:
        """Those pairs whose two sides both spoke, so that a mismatch could have been noticed."""
        spoke = set(self.satisfaction.contributions)
        return tuple(pair for pair in pairs if all(not spoke.isdisjoint(side) for side in pair))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """All visits of a report, in order of time, and what was left out.

    Attributes:
        unit: What one visit is.
        visits: In order of time.
        failures: Inputs that could not be analysed.
        duplicates: Records that were there already, such as in a second file.
        unfinished: Sessions with analyses but without a summary, where sessions are counted.
        outside: Analyses outside of any session, where sessions are counted.
        with_words: Records that hold what a customer said.
        passers: Sessions of less than ``STAY_SECONDS``, of people who walked by.
    """

    unit: Unit
    visits: tuple[Visit, ...]
    failures: int = 0
    duplicates: int = 0
    unfinished: int = 0
    outside: int = 0
    with_words: int = 0
    passers: int = 0


def collect(found: Iterable[records.Record], *, words: bool = False) -> tuple[Visits, list[records.Record]]:
    """Records into visits.

    Args:
        found: The records.
        words: Keep which words were said in a visit, where they were recorded.

    Returns:
        The visits, and the records that they were made of, in the same order.
    """
    collector = _Collector(words=words)
    for record in found:
        collector.add(record)
    return collector.visits()


class _Collector:
    def __init__(self, *, words: bool) -> None:
        self._keep_words = words
        self._words: dict[str, set[str]] = defaultdict(set)
        self._passers = 0
        self._seen: set[tuple[object, ...]] = set()
        self._summaries: list[records.SummaryRecord] = []
        self._analyses: list[records.AnalysisRecord] = []
        self._analysed_sessions: set[str] = set()
        self._outside = self._failures = self._duplicates = self._with_words = 0

    def add(self, record: records.Record) -> None:
        key = _key(record)
        if key in self._seen:
            self._duplicates += 1
            return
        self._seen.add(key)
        if isinstance(record, records.FailureRecord):
            self._failures += 1
        elif isinstance(record, records.LedgerRecord):
            return
        elif isinstance(record, records.SummaryRecord):
            if _is_passer(record):
                self._passers += 1
                return
            self._summaries.append(record)
            self._analyses.clear()  # only needed where there is no session at all, and there may be very many
        else:
            self._add_analysis(record)

    def _add_analysis(self, record: records.AnalysisRecord) -> None:
        said = [each.evidence.text for each in record.analysis.predictions if isinstance(each.evidence, Transcript)]
        self._with_words += any(said)
        if self._keep_words and record.session_id:
            self._words[record.session_id].update(word for text in said for word in _WORD.findall(text.lower()))
        if record.session_id:
            self._analysed_sessions.add(record.session_id)
        else:
            self._outside += 1
        if not self._summaries:
            self._analyses.append(record)

    def visits(self) -> tuple[Visits, list[records.Record]]:
        unit = Unit.SESSION if self._summaries or not self._analyses else Unit.ANALYSIS
        chosen: list[records.Record] = [*self._summaries] or [*self._analyses]
        chosen.sort(key=lambda record: record.recorded_at)
        is_session = unit is Unit.SESSION
        finished = {record.session_id for record in self._summaries}
        return (
            Visits(
                unit=unit,
                visits=tuple(_visit(record, frozenset(self._words.get(record.session_id, ()))) for record in chosen),
                failures=self._failures,
                duplicates=self._duplicates,
                unfinished=len(self._analysed_sessions - finished) if is_session else 0,
                outside=self._outside if is_session else 0,
                with_words=self._with_words,
                passers=self._passers,
            ),
            chosen,
        )


def _is_passer(record: records.SummaryRecord) -> bool:
    """Somebody who walked by: seen for a moment, and neither heard nor marked."""
    summary = record.summary
    seconds = summary.interval.end - summary.interval.start
    return seconds < STAY_SECONDS and summary.snapshots > 1 and not (summary.utterances or summary.rating)


def _key(record: records.Record) -> tuple[object, ...]:
    """What no two records share: the time has microseconds."""
    common = (record.kind, record.recorded_at, record.session_id, record.site, record.source)
    if isinstance(record, records.AnalysisRecord):
        return (*common, record.at_seconds, record.analysis.satisfaction.score)
    return common


def _visit(record: records.Record, words: frozenset[str]) -> Visit:
    if isinstance(record, records.SummaryRecord):
        summary = record.summary
        return Visit(
            at=record.recorded_at,
            satisfaction=summary.overall,
            site=record.site or summary.site,
            session_id=record.session_id,
            source=record.source,
            emotions=summary.emotion_percentages,
            modality_emotions=summary.modality_percentages,
            mismatches=summary.mismatches,
            peak_end=summary.peak_end_score,
            rating=summary.rating,
            phases={
                phase.name: phase.satisfaction.verdict for phase in summary.phases if phase.satisfaction.confidence
            },
            conditions=summary.conditions,
            words=words,
        )
    if isinstance(record, records.AnalysisRecord):
        return Visit(
            at=record.recorded_at,
            satisfaction=record.analysis.satisfaction,
            site=record.site,
            session_id=record.session_id,
            source=record.source,
            emotions=emotion_percentages(record.analysis),
            modality_emotions=modality_percentages(record.analysis),
            mismatches=int(record.analysis.satisfaction.mismatch),
        )
    raise TypeError(f"a {record.kind} is no visit")
