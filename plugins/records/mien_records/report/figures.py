"""The numbers of a report, from its visits. No drawing and no words here.

CSAT is the share of good visits among those that were decided. Every group that is shown has at least ``MIN_CELL``
visits, so that nobody is found again in it; what is smaller is counted, and not shown.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from statistics import fmean
from typing import Final, TypeAlias

from mien import FusionContext, MismatchPair, Verdict
from mien_records.report.drift import Drift, drifts
from mien_records.report.grouping import MIN_CELL, Cells, best_first, cells_of, csat_of, grouped, phase_cells, tally
from mien_records.report.hours import Hour, extreme_hours, hour_name
from mien_records.report.intervals import Estimate, difference, mean_estimate
from mien_records.report.taps import TapFigures, tap_figures
from mien_records.report.timeline import Grain, Span, spans_of
from mien_records.report.visits import Unit, Visit, Visits

FULL_COVERAGE: Final = 0.95
SITES_SHOWN: Final = 12
NOTEWORTHY: Final = 8

DEFAULT_PAIRS: Final = FusionContext().mismatch_pairs
"""Groups of modalities that are held against each other where nothing else is configured."""

Shares: TypeAlias = tuple[tuple[str, float], ...]
"""Emotion and percent, the most frequent first."""


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """One modality: the share of visits that it took part in, its mean share of the score, its own mean score."""

    modality: str
    took_part: float
    weight: float
    score: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the expected evidence arrived: the mean, and how many visits had all, some and none of it."""

    mean: float
    full: int
    partial: int
    none: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All numbers of a report.

    Attributes:
        unit: What a visit is.
        visits: How many.
        measured: Those in which somebody was seen or heard.
        csat: Good ones among the decided.
        score: Mean score.
        taps: What tap ratings tell; None where nobody tapped.
        change: CSAT of the later half less that of the earlier; with a week, of it less that of the time before.
        verdicts: How many visits each verdict was given.
        spans: By stretches of time, in their order.
        weeks: By week, where the period has several and its stretches are shorter.
        hours: By hour of the day.
        sites: By place, the best first.
        phases: By phase.
        worst: The hours of the week with the lowest CSAT, where hours differ at all.
        best: Those with the highest.
        emotions: Emotion and percent, the most frequent first; the customers' faces, where there were any.
        modality_emotions: Modality -> the same, for each that said something.
        streams: By share of the score, the largest first.
        mismatched: Visits with a mismatch.
        mismatch_possible: Visits in which two sides that are held against each other both spoke.
        compared: Those pairs of sides that did so in some visit; all that are configured where none did.
        coverage: None where there are no visits.
        peak_end: Mean peak-end score; None where there are no sessions.
        drifts: What has changed about what is seen, the latest first.
        noteworthy: Single visits, poor ones and mismatches, the worst first; for who asked for them.
    """

    unit: Unit
    visits: int
    measured: tuple[Visit, ...]
    csat: Estimate | None
    score: Estimate | None
    taps: TapFigures | None
    change: Estimate | None
    verdicts: Counter[Verdict]
    spans: Cells
    weeks: Cells
    hours: Cells
    sites: Cells
    phases: Cells
    worst: tuple[Hour, ...]
    best: tuple[Hour, ...]
    emotions: Shares
    modality_emotions: dict[str, Shares]
    streams: tuple[StreamFigures, ...]
    mismatched: int
    mismatch_possible: int
    compared: tuple[MismatchPair, ...]
    coverage: Coverage | None
    peak_end: float | None
    drifts: tuple[Drift, ...]
    noteworthy: tuple[Visit, ...]

    @property
    def decided(self) -> int:
        """Visits with a verdict."""
        return self.verdicts[Verdict.GOOD] + self.verdicts[Verdict.POOR]

    @property
    def is_shown(self) -> bool:
        """Whether there are enough visits for anything to be shown of them."""
        return self.visits >= MIN_CELL


def compute(
    collected: Visits,
    zone: tzinfo | None,
    pairs: Sequence[MismatchPair] = DEFAULT_PAIRS,
    *,
    before: Sequence[Visit] = (),
) -> Figures:
    """All numbers of a report.

    Args:
        collected: The visits.
        zone: Time zone for days and hours; None is this machine's.
        pairs: Groups of modalities that are held against each other.
        before: Earlier visits that are not reported, to compare with and to find what has changed.
    """
    visits = collected.visits
    measured = tuple(visit for visit in visits if visit.is_measured)
    peak_ends = [visit.peak_end for visit in measured if visit.peak_end is not None]
    worst, best = extreme_hours(measured, zone)
    is_session = collected.unit is Unit.SESSION
    return Figures(
        unit=collected.unit,
        visits=len(visits),
        measured=measured,
        csat=csat_of(measured),
        score=mean_estimate([visit.score for visit in measured]) if len(measured) >= MIN_CELL else None,
        taps=tap_figures([visit.rating for visit in measured], [visit.score for visit in measured]),
        change=_change(measured, before),
        verdicts=Counter(visit.satisfaction.verdict for visit in visits),
        spans=_spans(measured, zone),
        weeks=_weeks(measured, zone),
        hours=cells_of(grouped(measured, lambda visit: visit.at.astimezone(zone).hour), hour_name),
        sites=best_first(cells_of(_sites(measured), str)),
        phases=phase_cells(measured),
        worst=worst,
        best=best,
        emotions=_emotions([visit.emotions for visit in measured]),
        modality_emotions={
            modality: _emotions([visit.modality_emotions.get(modality, {}) for visit in measured])
            for modality in sorted({modality for visit in measured for modality in visit.modality_emotions})
        },
        streams=_streams(measured),
        mismatched=sum(visit.mismatches > 0 for visit in measured),
        mismatch_possible=sum(bool(visit.compared(pairs)) or visit.mismatches > 0 for visit in measured),
        compared=_compared(measured, pairs),
        coverage=_coverage(visits),
        peak_end=fmean(peak_ends) if peak_ends else None,
        drifts=drifts([*before, *visits], zone) if is_session else (),
        noteworthy=_noteworthy(measured),
    )


def _change(measured: Sequence[Visit], before: Sequence[Visit]) -> Estimate | None:
    half = len(measured) // 2
    earlier, later = (before, measured) if before else (measured[:half], measured[half:])
    one, other = tally(later), tally(earlier)
    return difference(one, other) if min(one.count, other.count) >= MIN_CELL else None


def _spans(measured: Sequence[Visit], zone: tzinfo | None) -> Cells:
    groups: dict[Span, list[Visit]] = defaultdict(list)
    for visit, span in zip(measured, spans_of([visit.at for visit in measured], zone), strict=True):
        groups[span].append(visit)
    return cells_of(groups, lambda span: span.label)


def _weeks(measured: Sequence[Visit], zone: tzinfo | None) -> Cells:
    """By week where there are days to be seen beside it."""
    spans = spans_of([visit.at for visit in measured], zone)
    if not spans or spans[0].grain is not Grain.DAY:
        return Cells()
    groups: dict[Span, list[Visit]] = defaultdict(list)
    for visit, span in zip(measured, spans_of([v.at for v in measured], zone, grain=Grain.WEEK), strict=True):
        groups[span].append(visit)
    return cells_of(groups, lambda span: span.label) if len(groups) > 1 else Cells()


def _sites(measured: Sequence[Visit]) -> dict[str, list[Visit]]:
    groups = grouped(measured, lambda visit: visit.site or "no site named")
    names = sorted(groups, key=lambda name: -len(groups[name]))
    if len(names) <= SITES_SHOWN + 1:
        return groups
    others = [visit for name in names[SITES_SHOWN:] for visit in groups[name]]
    return {name: groups[name] for name in names[:SITES_SHOWN]} | {f"{len(names) - SITES_SHOWN} others": others}


def _compared(measured: Sequence[Visit], pairs: Sequence[MismatchPair]) -> tuple[MismatchPair, ...]:
    found = {pair for visit in measured for pair in visit.compared(pairs)}
    return tuple(pair for pair in pairs if pair in found or not found)


def _emotions(percentages: Sequence[Mapping[str, float]]) -> Shares:
    """The mean over the visits that have them; nothing of fewer than ``MIN_CELL``."""
    showing = [emotions for emotions in percentages if emotions]
    if len(showing) < MIN_CELL:
        return ()
    totals: dict[str, float] = defaultdict(float)
    for emotions in showing:
        for emotion, percent in emotions.items():
            totals[emotion] += percent / len(showing)
    return tuple(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _streams(measured: Sequence[Visit]) -> tuple[StreamFigures, ...]:
    parts = defaultdict(list)
    for visit in measured:
        for modality, part in visit.satisfaction.contributions.items():
            parts[modality].append(part)
    found = (
        StreamFigures(
            modality=modality,
            took_part=len(own) / len(measured),
            weight=math.fsum(part.weight for part in own) / len(measured),
            score=fmean(part.score for part in own),
        )
        for modality, own in parts.items()
        if len(own) >= MIN_CELL
    )
    return tuple(sorted(found, key=lambda stream: (-stream.weight, stream.modality)))


def _coverage(visits: Sequence[Visit]) -> Coverage | None:
    if not visits:
        return None
    values = [visit.satisfaction.coverage if visit.is_measured else 0.0 for visit in visits]
    full = sum(value >= FULL_COVERAGE for value in values)
    none = sum(value == 0.0 for value in values)
    return Coverage(fmean(values), full, len(values) - full - none, none)


def _noteworthy(measured: Sequence[Visit]) -> tuple[Visit, ...]:
    by_score = sorted(measured, key=lambda visit: (visit.score, visit.at))
    mismatched = [visit for visit in by_score if visit.mismatches][: NOTEWORTHY // 2]
    poor = [visit for visit in by_score if visit.satisfaction.verdict is Verdict.POOR and visit not in mismatched]
    chosen = [*mismatched, *poor[: NOTEWORTHY - len(mismatched)]]
    return tuple(sorted(chosen, key=lambda visit: (visit.score, visit.at)))
