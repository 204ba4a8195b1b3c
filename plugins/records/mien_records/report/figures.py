"""The numbers of a report, from its visits. No drawing and no words here.

Means count each visit once. Visits in which nobody was seen or heard count as visits, and in the verdicts, and in
nothing else: their score says nothing.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from statistics import fmean, variance
from typing import Final, TypeAlias, TypeVar

from mien import FusionContext, MismatchPair, Verdict
from mien_records.report.timeline import Span, spans_of
from mien_records.report.visits import Unit, Visit, Visits

PEAK_END_BINS: Final = 10
TREND_VISITS: Final = 20
"""Fewer visits make no trend."""
FULL_COVERAGE: Final = 0.95
SITES_SHOWN: Final = 12
NOTEWORTHY: Final = 8
_Z90: Final = 1.6448536
"""Quantile of the normal distribution that leaves 5 % on either side."""

DEFAULT_PAIRS: Final = FusionContext().mismatch_pairs
"""Groups of modalities that are held against each other where nothing else is configured."""

Key = TypeVar("Key", bound=Hashable)
Shares: TypeAlias = tuple[tuple[str, float], ...]
"""Emotion and percent, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean score over visits: where it lies with 90 % confidence, and how many visits it rests on. All in [0, 1]."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """One place: its score, and the share of its visits that were good."""

    name: str
    score: Estimate
    good: float


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
        headline: Over all; None where nobody was.
        trend: The later half of the visits less the earlier half; None where there are too few.
        verdicts: How many visits each verdict was given.
        spans: Score by stretches of time, those without visits left out.
        hours: Hour of the day -> score.
        sites: By score, the best first.
        emotions: Emotion and percent, the most frequent first; the customers' faces, where there were any.
        modality_emotions: Modality -> the same, for each that said something.
        streams: By share of the score, the largest first.
        mismatched: Visits with a mismatch.
        mismatch_possible: Visits in which two sides that are held against each other both spoke.
        compared: Those pairs of sides that did so in some visit; all that are configured where none did.
        coverage: None where there are no visits.
        peak_end: Visits in each tenth of the peak-end score.
        peak_end_mean: None where there are no sessions.
        rating: Mean tap rating and how many gave one; None where nobody did.
        noteworthy: Visits that somebody should look at: poor ones and mismatches, the worst first.
    """

    unit: Unit
    visits: int
    measured: tuple[Visit, ...]
    headline: Estimate | None
    trend: Estimate | None
    verdicts: Counter[Verdict]
    spans: tuple[tuple[Span, Estimate], ...]
    hours: dict[int, Estimate]
    sites: tuple[SiteFigures, ...]
    emotions: Shares
    modality_emotions: dict[str, Shares]
    streams: tuple[StreamFigures, ...]
    mismatched: int
    mismatch_possible: int
    compared: tuple[MismatchPair, ...]
    coverage: Coverage | None
    peak_end: tuple[int, ...]
    peak_end_mean: float | None
    rating: tuple[float, int] | None
    noteworthy: tuple[Visit, ...]


def compute(collected: Visits, zone: tzinfo | None, pairs: Sequence[MismatchPair] = DEFAULT_PAIRS) -> Figures:
    """All numbers of a report.

    Args:
        collected: The visits.
        zone: Time zone for days and hours; None is this machine's.
        pairs: Groups of modalities that are held against each other.
    """
    visits = collected.visits
    measured = tuple(visit for visit in visits if visit.is_measured)
    peak_ends = [visit.peak_end for visit in measured if visit.peak_end is not None]
    ratings = [visit.rating for visit in visits if visit.rating]
    return Figures(
        unit=collected.unit,
        visits=len(visits),
        measured=measured,
        headline=estimate(measured),
        trend=_trend(measured),
        verdicts=Counter(visit.satisfaction.verdict for visit in visits),
        spans=_spans(measured, zone),
        hours={
            hour: _sure(estimate(group))
            for hour, group in sorted(_grouped(measured, lambda visit: visit.at.astimezone(zone).hour).items())
        },
        sites=_sites(measured),
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
        peak_end=tuple(_histogram(peak_ends)),
        peak_end_mean=fmean(peak_ends) if peak_ends else None,
        rating=(fmean(ratings), len(ratings)) if ratings else None,
        noteworthy=_noteworthy(measured),
    )


def estimate(visits: Sequence[Visit]) -> Estimate | None:
    """The mean score; None where there are no visits.

    From three visits on, the interval is Student's; below, it is the mean of the visits' own intervals.
    """
    if not visits:
        return None
    scores = [visit.score for visit in visits]
    mean, count = fmean(scores), len(scores)
    if count < 3:
        intervals = [visit.satisfaction.interval for visit in visits]
        return Estimate(mean, fmean(i.low for i in intervals), fmean(i.high for i in intervals), count)
    half = student_90(count - 1) * math.sqrt(variance(scores) / count)
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half), count)


def student_90(degrees: int) -> float:
    """Student's t that leaves 5 % on either side, to 0.3 % from two degrees of freedom on.

    The expansion in 1/degrees of Abramowitz and Stegun 26.7.5.
    """
    z, v = _Z90, float(degrees)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / v**power for power, term in enumerate(terms))


def _trend(measured: Sequence[Visit]) -> Estimate | None:
    if len(measured) < TREND_VISITS:
        return None
    half = len(measured) // 2
    earlier, later = ([visit.score for visit in part] for part in (measured[:half], measured[half:]))
    change = fmean(later) - fmean(earlier)
    margin = _Z90 * math.sqrt(variance(earlier) / len(earlier) + variance(later) / len(later))
    return Estimate(change, change - margin, change + margin, len(measured))


def _spans(measured: Sequence[Visit], zone: tzinfo | None) -> tuple[tuple[Span, Estimate], ...]:
    spans = spans_of([visit.at for visit in measured], zone)
    grouped = defaultdict(list)
    for visit, span in zip(measured, spans, strict=True):
        grouped[span].append(visit)
    return tuple((span, _sure(estimate(group))) for span, group in sorted(grouped.items()))


def _sites(measured: Sequence[Visit]) -> tuple[SiteFigures, ...]:
    groups = _grouped(measured, lambda visit: visit.site)
    found = [SiteFigures(name, _sure(estimate(group)), _good(group)) for name, group in groups.items()]
    found.sort(key=lambda site: -site.score.count)
    shown, others = found, found[SITES_SHOWN:]
    if len(others) > 1:
        names = {site.name for site in others}
        rest = [visit for visit in measured if visit.site in names]
        shown = [*found[:SITES_SHOWN], SiteFigures(f"{len(others)} others", _sure(estimate(rest)), _good(rest))]
    return tuple(sorted(shown, key=lambda site: (-site.score.mean, site.name)))


def _good(visits: Sequence[Visit]) -> float:
    return sum(visit.satisfaction.verdict is Verdict.GOOD for visit in visits) / len(visits)


def _compared(measured: Sequence[Visit], pairs: Sequence[MismatchPair]) -> tuple[MismatchPair, ...]:
    found = {pair for visit in measured for pair in visit.compared(pairs)}
    return tuple(pair for pair in pairs if pair in found or not found)


def _emotions(percentages: Sequence[Mapping[str, float]]) -> Shares:
    """The mean over the visits that have them."""
    showing = [emotions for emotions in percentages if emotions]
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
    )
    return tuple(sorted(found, key=lambda stream: (-stream.weight, stream.modality)))


def _coverage(visits: Sequence[Visit]) -> Coverage | None:
    if not visits:
        return None
    values = [visit.satisfaction.coverage if visit.is_measured else 0.0 for visit in visits]
    full = sum(value >= FULL_COVERAGE for value in values)
    none = sum(value == 0.0 for value in values)
    return Coverage(fmean(values), full, len(values) - full - none, none)


def _histogram(values: Iterable[float]) -> list[int]:
    bins = [0] * PEAK_END_BINS
    for value in values:
        bins[min(int(value * PEAK_END_BINS), PEAK_END_BINS - 1)] += 1
    return bins


def _noteworthy(measured: Sequence[Visit]) -> tuple[Visit, ...]:
    by_score = sorted(measured, key=lambda visit: (visit.score, visit.at))
    mismatched = [visit for visit in by_score if visit.mismatches][: NOTEWORTHY // 2]
    poor = [visit for visit in by_score if visit.satisfaction.verdict is Verdict.POOR and visit not in mismatched]
    chosen = [*mismatched, *poor[: NOTEWORTHY - len(mismatched)]]
    return tuple(sorted(chosen, key=lambda visit: (visit.score, visit.at)))


def _grouped(visits: Iterable[Visit], key: Callable[[Visit], Key]) -> dict[Key, list[Visit]]:
    groups: dict[Key, list[Visit]] = defaultdict(list)
    for visit in visits:
        groups[key(visit)].append(visit)
    return dict(groups)


def _sure(found: Estimate | None) -> Estimate:
    if found is None:
        raise ValueError("a group has at least one visit")
    return found
