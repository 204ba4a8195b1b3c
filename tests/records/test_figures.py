"""The report's numbers, against numbers worked out by hand."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from records.support import NOON, analysis_record, satisfaction, summary_record

from mien import (
    UNKNOWN_SATISFACTION,
    AnalysisRecord,
    Failure,
    FailureRecord,
    Record,
    Satisfaction,
    ScoreInterval,
    Verdict,
)
from mien_records.report.figures import compute, estimate, student_90
from mien_records.report.timeline import Grain, spans_of
from mien_records.report.visits import Unit, collect

NOBODY = UNKNOWN_SATISFACTION
POOR = satisfaction(0.2, verdict=Verdict.POOR)
BOTH = satisfaction(0.8, streams={"face": 0.75, "voice": 0.25})


def figures_of(*found: Record) -> Any:
    visits, _ = collect(found)
    return compute(visits, UTC)


def test_the_headline_is_the_mean_with_students_interval() -> None:
    found = figures_of(*(summary_record(score, hours=n) for n, score in enumerate((0.5, 0.6, 0.7, 0.8))))
    # Mean 0.65, standard deviation sqrt(0.05 / 3) = 0.129099, t(3 degrees) = 2.353363.
    assert found.headline.mean == pytest.approx(0.65)
    assert found.headline.high - 0.65 == pytest.approx(2.353363 * 0.129099 / 2, rel=1e-3)
    assert found.headline.low == pytest.approx(1.3 - found.headline.high)


@pytest.mark.parametrize(("degrees", "quantile"), [(2, 2.919986), (3, 2.353363), (9, 1.833113), (29, 1.699127)])
def test_students_quantile_is_that_of_the_tables(degrees: int, quantile: float) -> None:
    assert student_90(degrees) == pytest.approx(quantile, rel=3e-3)


def test_one_visit_has_its_own_interval() -> None:
    found = figures_of(summary_record(0.7))
    assert (found.headline.low, found.headline.high) == pytest.approx((0.6, 0.8))


def test_nobody_there_counts_as_a_visit_but_not_in_the_score() -> None:
    found = figures_of(summary_record(0.9), summary_record(hours=1, overall=NOBODY))
    assert (found.visits, len(found.measured), found.headline.mean) == (2, 1, 0.9)
    assert found.verdicts == {Verdict.GOOD: 1, Verdict.UNDECIDED: 1}
    assert (found.coverage.mean, found.coverage.full, found.coverage.partial, found.coverage.none) == (0.5, 1, 0, 1)


def test_hours_sites_and_days_group_the_visits() -> None:
    found = figures_of(
        summary_record(0.6, site="A"),
        summary_record(0.8, site="A", hours=24),
        summary_record(0.4, site="B", hours=25),
    )
    assert {hour: (score.mean, score.count) for hour, score in found.hours.items()} == {
        12: (pytest.approx(0.7), 2),
        13: (pytest.approx(0.4), 1),
    }
    assert [(site.name, site.score.mean) for site in found.sites] == [
        ("A", pytest.approx(0.7)),
        ("B", pytest.approx(0.4)),
    ]
    assert sum(score.count for _, score in found.spans) == 3


def test_hours_are_those_of_the_given_zone() -> None:
    visits, _ = collect([summary_record()])
    assert list(compute(visits, timezone(timedelta(hours=-5))).hours) == [7]


def test_streams_share_the_score_over_all_visits() -> None:
    found = figures_of(summary_record(overall=BOTH), summary_record(0.6, hours=1))
    face, voice = found.streams
    assert (face.modality, face.took_part, face.weight, face.score) == ("face", 1.0, 0.875, pytest.approx(0.7))
    assert (voice.modality, voice.took_part, voice.weight, voice.score) == ("voice", 0.5, 0.125, pytest.approx(0.8))


def test_mismatches_are_counted_among_visits_with_face_and_words() -> None:
    found = figures_of(
        summary_record(overall=BOTH, mismatches=2),
        summary_record(overall=BOTH, hours=1),
        summary_record(hours=2),
    )
    assert (found.mismatched, found.mismatch_possible) == (1, 2)


def test_emotions_are_averaged_over_visits_that_have_them() -> None:
    found = figures_of(
        summary_record(emotions={"happy": 100.0}),
        summary_record(emotions={"sad": 60.0, "happy": 40.0}, hours=1),
        summary_record(emotions={}, hours=2),
    )
    assert found.emotions == (("happy", 70.0), ("sad", 30.0))


def test_peak_end_scores_fall_into_tenths_and_ratings_are_averaged() -> None:
    ends = (0.0, 0.05, 0.55, 1.0)
    found = figures_of(*(summary_record(hours=n, peak_end=end, rating=n + 1) for n, end in enumerate(ends)))
    assert found.peak_end == (2, 0, 0, 0, 0, 1, 0, 0, 0, 1)
    assert found.peak_end_mean == pytest.approx(0.4)
    assert found.rating == (2.5, 4)


def test_the_trend_is_the_later_half_less_the_earlier() -> None:
    assert figures_of(*(summary_record(hours=n) for n in range(19))).trend is None
    rising = [summary_record(0.5 + 0.1 * (n >= 10) + 0.01 * (n % 2), hours=n) for n in range(20)]
    trend = figures_of(*rising).trend
    assert trend.mean == pytest.approx(0.1)
    assert trend.low > 0


def test_poor_visits_and_mismatches_are_worth_a_look_the_worst_first() -> None:
    found = figures_of(
        summary_record(session_id="fine"),
        summary_record(session_id="odd", overall=BOTH, mismatches=1, hours=1),
        summary_record(session_id="poor", overall=POOR, hours=2),
    )
    assert [visit.session_id for visit in found.noteworthy] == ["poor", "odd"]


def test_a_session_is_the_unit_where_there_is_one() -> None:
    failed = FailureRecord(recorded_at=NOON, failure=Failure(error="InputError", message="no picture"))
    visits, chosen = collect(
        [
            analysis_record(session_id="s"),
            analysis_record(session_id="cut off", seconds=1),
            analysis_record(seconds=2),
            summary_record(),
            failed,
            summary_record(),
        ]
    )
    assert (visits.unit, len(visits.visits), len(chosen)) == (Unit.SESSION, 1, 1)
    assert (visits.unfinished, visits.outside, visits.failures, visits.duplicates) == (1, 1, 1, 1)
    assert visits.with_words == 3


def test_an_analysis_is_the_unit_where_there_is_no_session() -> None:
    visits, _ = collect([analysis_record(seconds=1), analysis_record()])
    assert visits.unit is Unit.ANALYSIS
    assert [visit.at for visit in visits.visits] == [NOON, NOON + timedelta(seconds=1)]
    assert compute(visits, UTC).emotions == (("joy", 100.0),)


@pytest.mark.parametrize(
    ("hours", "grain"), [(30, Grain.HOUR), (24 * 30, Grain.DAY), (24 * 300, Grain.WEEK), (24 * 900, Grain.MONTH)]
)
def test_spans_suit_the_period(hours: float, grain: Grain) -> None:
    times = [NOON, NOON + timedelta(hours=hours)]
    for span, time in zip(spans_of(times, UTC), times, strict=True):
        assert span.grain is grain
        assert span.start <= time < span.end


def test_no_visits_have_no_numbers() -> None:
    found = figures_of()
    assert (found.visits, found.headline, found.coverage, found.spans) == (0, None, None, ())
    assert estimate([]) is None


def test_an_interval_never_leaves_the_scale() -> None:
    wide = [summary_record(score, hours=n) for n, score in enumerate((0.0, 1.0, 1.0))]
    found = figures_of(*wide).headline
    assert 0.0 <= found.low <= found.high <= 1.0


def test_an_analysis_in_a_session_without_summary_still_has_a_satisfaction() -> None:
    record = analysis_record(session_id="s")
    assert isinstance(record, AnalysisRecord)
    (visit,) = collect([record])[0].visits
    assert isinstance(visit.satisfaction, Satisfaction)
    assert visit.satisfaction.interval == ScoreInterval(0.8, 1.0)
