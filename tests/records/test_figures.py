"""The report's numbers, against numbers worked out by hand; and that nothing is told of few visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from records.support import NOON, analysis_record, satisfaction, summary_record

from mien import (
    UNKNOWN_SATISFACTION,
    Failure,
    FailureRecord,
    Phase,
    Record,
    SummaryRecord,
    TimeInterval,
    Verdict,
)
from mien_records.report.figures import compute
from mien_records.report.grouping import MIN_CELL
from mien_records.report.intervals import Tally, difference, different, mean_estimate, student_90, wilson
from mien_records.report.timeline import Grain, spans_of
from mien_records.report.visits import Unit, collect

NOBODY = UNKNOWN_SATISFACTION
GOOD = satisfaction(0.8)
POOR = satisfaction(0.2, verdict=Verdict.POOR)
UNDECIDED = satisfaction(0.5, verdict=Verdict.UNDECIDED)
BOTH = satisfaction(0.8, streams={"face": 0.75, "voice": 0.25})


def figures_of(*found: Record) -> Any:
    visits, _ = collect(found)
    return compute(visits, UTC)


def visits_of(good: int, poor: int = 0, undecided: int = 0, *, hour: float = 0.0, **given: Any) -> list[SummaryRecord]:
    """So many visits of each verdict, all within one hour."""
    verdicts = [GOOD] * good + [POOR] * poor + [UNDECIDED] * undecided
    return [
        summary_record(session_id=f"{given.get('site', '')}{hour}-{n}", hours=hour + n / 1000, overall=each, **given)
        for n, each in enumerate(verdicts)
    ]


def test_csat_counts_the_decided_alone_with_wilsons_interval() -> None:
    found = figures_of(*visits_of(15, 5, 30))
    assert (found.csat.mean, found.csat.count, found.visits, found.decided) == (0.75, 20, 50, 20)
    # Wilson for 15 of 20 at z = 1.644854
    assert (found.csat.low, found.csat.high) == (pytest.approx(0.5678, abs=1e-4), pytest.approx(0.8726, abs=1e-4))


def test_students_interval_and_quantiles_are_those_of_the_tables() -> None:
    found = mean_estimate([0.5, 0.6, 0.7, 0.8])
    assert found is not None
    assert found.high - found.mean == pytest.approx(2.353363 * 0.129099 / 2, rel=1e-3)
    for degrees, quantile in ((2, 2.919986), (9, 1.833113), (29, 1.699127)):
        assert student_90(degrees) == pytest.approx(quantile, rel=3e-3)


def test_intervals_never_leave_the_scale_and_hold_the_share() -> None:
    for share, size in ((0.0, 3), (1.0, 3), (0.5, 1e9), (0.3, 0.0)):
        found = wilson(share, size, counted=1)
        assert 0.0 <= found.low <= found.mean <= found.high <= 1.0


def test_nothing_is_told_of_few_visits() -> None:
    found = figures_of(*visits_of(MIN_CELL - 1))
    assert not found.is_shown
    assert found.csat is None
    assert found.score is None
    assert not found.hours.shown
    assert found.emotions == ()
    found = figures_of(*visits_of(12, 8, site="A"), *visits_of(4, site="B", hour=1))
    assert [(cell.name, cell.visits) for cell in found.sites.shown] == [("A", 20)]
    assert (found.sites.hidden, found.sites.hidden_visits) == (1, 4)
    assert [cell.name for cell in found.hours.shown] == ["12\N{EN DASH}13 h"]


def test_a_cell_of_few_decided_visits_has_no_share() -> None:
    (cell,) = figures_of(*visits_of(3, 2, 10)).hours.shown
    assert (cell.visits, cell.csat) == (15, None)


def test_a_site_is_called_different_only_beyond_chance_over_all_comparisons() -> None:
    sites = {name: Tally(good, 50) for name, good in (("A", 40), ("B", 39), ("C", 41), ("D", 15))}
    assert set(different(sites)) >= {"D"}
    assert different(sites)["D"].high < 0
    alike = {str(n): Tally(30 + n % 3, 40) for n in range(12)}
    assert different(alike) == {}


def test_a_difference_has_newcombes_interval() -> None:
    found = difference(Tally(56, 70), Tally(48, 80))  # Newcombe's own example (1998), there at 95 %
    assert found.mean == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0762, abs=3e-3), pytest.approx(0.3157, abs=3e-3))


def test_nobody_there_counts_as_a_visit_and_as_undecided() -> None:
    found = figures_of(*visits_of(10), summary_record(hours=1, overall=NOBODY))
    assert (found.visits, len(found.measured), found.score.mean) == (11, 10, pytest.approx(0.8))
    assert found.verdicts == {Verdict.GOOD: 10, Verdict.UNDECIDED: 1}
    assert (found.coverage.full, found.coverage.partial, found.coverage.none) == (10, 0, 1)


def test_who_walked_by_is_no_visit() -> None:
    passing = summary_record(session_id="p")
    passing = replace(passing, summary=replace(passing.summary, interval=TimeInterval(1.0, 2.0), utterances=0))
    visits, chosen = collect([passing, summary_record()])
    assert (len(visits.visits), visits.passers, len(chosen)) == (1, 1, 1)


def test_hours_are_those_of_the_given_zone() -> None:
    visits, _ = collect(visits_of(10))
    assert compute(visits, timezone(timedelta(hours=-5))).hours.shown[0].name == "7\N{EN DASH}8 h"


def test_phases_have_their_own_shares() -> None:
    def phased(record: SummaryRecord) -> SummaryRecord:
        phases = (
            Phase(name="wait", interval=TimeInterval(0.0, 1.0), satisfaction=POOR),
            Phase(name="pay", interval=TimeInterval(1.0, 2.0), satisfaction=GOOD),
        )
        return replace(record, summary=replace(record.summary, phases=phases))

    found = figures_of(*map(phased, visits_of(12)))
    assert {cell.name: cell.csat.mean for cell in found.phases.shown} == {"wait": 0.0, "pay": 1.0}


def test_the_change_is_the_later_half_less_the_earlier() -> None:
    assert figures_of(*visits_of(15)).change is None
    rising = [*visits_of(10, 20), *visits_of(28, 2, hour=24)]
    change = figures_of(*rising).change
    assert change.mean == pytest.approx(28 / 30 - 10 / 30)
    assert change.low > 0


def test_the_worst_and_the_best_hours_of_the_week_come_with_words_of_several_visits() -> None:
    def said(records: Sequence[SummaryRecord], words: str) -> list[Record]:
        return [analysis_record(words, session_id=each.session_id, seconds=n) for n, each in enumerate(records)]

    bad, good = visits_of(2, 18), visits_of(19, 1, hour=5)
    records = [*bad, *good, *said(bad, "they waited an hour"), *said(good[:2], "thanks a lot")]
    visits, _ = collect(records, words=True)
    found = compute(visits, UTC)
    assert [(hour.cell.name, dict(hour.words)) for hour in found.worst] == [
        ("Mon 12\N{EN DASH}13 h", {"hour": 20, "waited": 20})
    ]
    assert found.best[0].words == (), "two visits are too few for a word"
    silent, _ = collect(records)
    assert compute(silent, UTC).worst[0].words == (), "nothing is kept unless it is asked for"


def test_streams_share_the_score_over_all_visits() -> None:
    both = [summary_record(session_id=f"b{n}", hours=1, overall=BOTH) for n in range(10)]
    face, voice = figures_of(*both, *visits_of(10)).streams
    assert (face.modality, face.took_part, face.weight) == ("face", 1.0, 0.875)
    assert (voice.modality, voice.took_part, voice.weight) == ("voice", 0.5, 0.125)


def test_mismatches_are_counted_among_visits_with_face_and_words() -> None:
    found = figures_of(
        summary_record(session_id="1", overall=BOTH, mismatches=2),
        summary_record(session_id="2", overall=BOTH, hours=1),
        summary_record(session_id="3", hours=2),
    )
    assert (found.mismatched, found.mismatch_possible) == (1, 2)


def test_emotions_are_averaged_over_visits_that_have_them() -> None:
    happy, sad = visits_of(5, emotions={"happy": 100.0}), visits_of(5, hour=1, emotions={"sad": 60.0, "happy": 40.0})
    found = figures_of(*happy, *sad, summary_record(emotions={}, hours=2))
    assert found.emotions == (("happy", pytest.approx(70.0)), ("sad", pytest.approx(30.0)))


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


@pytest.mark.parametrize(
    ("hours", "grain"), [(30, Grain.HOUR), (24 * 30, Grain.DAY), (24 * 300, Grain.WEEK), (24 * 900, Grain.MONTH)]
)
def test_spans_suit_the_period(hours: float, grain: Grain) -> None:
    times = [NOON, NOON + timedelta(hours=hours)]
    for span, time in zip(spans_of(times, UTC), times, strict=True):
        assert span.grain is grain
        assert span.start <= time < span.end


def test_weeks_are_shown_beside_days() -> None:
    found = figures_of(*visits_of(12, 8), *visits_of(15, 5, hour=168), *visits_of(3, hour=336))
    assert [(cell.name, cell.visits) for cell in found.weeks.shown] == [("week of 2 Nov", 20), ("week of 9 Nov", 20)]
    assert found.weeks.hidden == 1
    assert figures_of(*visits_of(12)).weeks.shown == ()


def test_no_visits_have_no_numbers() -> None:
    found = figures_of()
    assert (found.visits, found.csat, found.taps, found.coverage, found.spans.shown) == (0, None, None, None, ())
