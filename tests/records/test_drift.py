"""What has changed at a site is found, with its day and its hours; what has not is not."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, timedelta
from pathlib import Path

import pytest
from records.support import NOON, summary_record

from mien import ConfigError, Provenance, SummaryRecord
from mien_records.recorder import Recorder
from mien_records.report.alerts import Calibration, alerts, calibration_of, drift_words
from mien_records.report.drift import Measure, drifts
from mien_records.report.figures import compute
from mien_records.report.visits import collect
from mien_records.settings import RecordsSettings

FIRST = NOON.replace(month=3, day=2, hour=0)


def visits(*, dark_from: int = 99, hours: tuple[int, int] = (0, 24), sad_from: int = 99) -> list[SummaryRecord]:
    """Four weeks of visits, one an hour from 9 to 18 o'clock."""
    chance = random.Random(3)
    found = []
    for day in range(28):
        for hour in range(9, 19):
            is_dark = day >= dark_from and hours[0] <= hour < hours[1]
            light = (0.24 if is_dark else 0.5) + chance.gauss(0, 0.04)
            sad = (60.0 if day >= sad_from else 20.0) + chance.gauss(0, 8)
            record = summary_record(
                session_id=f"{day}-{hour}", site="Harbour", emotions={"sad": sad, "neutral": 100.0 - sad}
            )
            conditions = {"brightness": light, "quality": 0.8 + chance.gauss(0, 0.05)}
            record = replace(record, summary=replace(record.summary, conditions=conditions))
            found.append(replace(record, recorded_at=FIRST + timedelta(days=day, hours=hour, minutes=5)))
    return found


def test_a_lamp_that_failed_is_told_with_its_day_and_hours() -> None:
    collected, _ = collect(visits(dark_from=14, hours=(15, 19)))
    (found,) = drifts(collected.visits, UTC)
    assert (found.site, found.measure, found.since) == ("Harbour", Measure.BRIGHTNESS, date(2026, 3, 16))
    assert found.change == pytest.approx(-0.2, abs=0.05)
    assert found.hours is not None
    assert 15 <= found.hours[0] < found.hours[1] <= 19
    assert drift_words(found).startswith("At Harbour, pictures are 2")
    assert f"darker since 16 Mar 2026, mostly {found.hours[0]}\N{EN DASH}{found.hours[1]} h" in drift_words(found)


def test_what_is_so_all_day_has_no_hours() -> None:
    collected, _ = collect(visits(dark_from=10))
    (found,) = drifts(collected.visits, UTC)
    assert found.hours is None
    assert found.change == pytest.approx(-0.5, abs=0.05)


def test_where_nothing_has_changed_nothing_is_told() -> None:
    collected, _ = collect(visits())
    assert drifts(collected.visits, UTC) == ()
    assert drifts(collected.visits[:20], UTC) == ()


def test_expressions_that_have_changed_are_told() -> None:
    collected, _ = collect(visits(sad_from=15))
    (found,) = drifts(collected.visits, UTC)
    assert (found.measure, found.since) == (Measure.EXPRESSION, date(2026, 3, 17))
    assert "% of pictures" in drift_words(found)


def test_a_calibration_has_an_age_and_warns_when_the_mix_has_changed() -> None:
    collected, _ = collect(visits(sad_from=15))
    figures = compute(collected, UTC)
    table = {"calibration": {"kind": "platt", "slope": 4.0, "intercept": -2.0, "fitted_on": "2026-03-17"}}
    calibration = calibration_of(table)
    assert calibration == Calibration(date(2026, 3, 17))
    now = FIRST + timedelta(days=200)
    told = " ".join(alerts(figures, visits=collected.visits, zone=UTC, now=now, calibration=calibration))
    assert "The calibration is 185 days old" in told
    assert "Since the calibration of 17 Mar 2026 the mix of visitors has changed" in told
    fresh = alerts(figures, visits=collected.visits[150:], zone=UTC, now=FIRST, calibration=calibration)
    assert "calibration" not in " ".join(fresh)
    assert calibration_of({}) is None
    with pytest.raises(ConfigError, match="fitted_on must be a day such as 2026-03-17, got 'yesterday'"):
        calibration_of({"calibration": {"fitted_on": "yesterday"}})


def test_the_recorder_watches_as_visits_come_and_remembers(tmp_path: Path) -> None:
    settings = RecordsSettings.model_validate({"drift": {"path": tmp_path / "d/drift.json"}})
    summaries = visits(dark_from=14)
    for part in (summaries[:150], summaries[150:]):
        recorder = Recorder(settings)
        for record in part:
            recorder.write(record.summary, Provenance(recorded_at=record.recorded_at, site=record.site))
        changes = recorder.drift
        recorder.close()
    assert changes["Harbour", "brightness"] == pytest.approx(-0.5, abs=0.1)
    assert abs(changes["Harbour", "quality"]) < 0.05
    assert (tmp_path / "d/drift.json").stat().st_mode & 0o777 == 0o600
