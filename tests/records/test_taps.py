"""What taps and scores together say of all customers: it holds as often as it says, and is no wider than taps alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien import SummaryRecord, records
from mien.session import Marker, Session, SessionConfig
from mien.testing import make_prediction
from mien_fusion.rated import read_rated_sessions
from mien_fusion.weighted_sum import WeightedSum
from mien_records.report.intervals import Tally
from mien_records.report.taps import MIN_TAPS, WIDEST, prediction_powered, tap_figures

REPEATS = 600


@pytest.mark.parametrize(("shift", "apart"), [(0.0, 1.6), (0.0, 0.0), (-1.5, 1.6)], ids=["good", "useless", "biased"])
def test_the_interval_holds_and_is_never_much_wider_than_the_taps_own(shift: float, apart: float) -> None:
    random = np.random.default_rng(2026)
    covered, narrower = 0, []
    for _ in range(REPEATS):
        answers = (random.random(1000) < 0.7).astype(float)
        scores = 1 / (1 + np.exp(-(shift + apart * (2 * answers - 1) + random.normal(size=1000))))
        found, _ = prediction_powered(answers[:60].tolist(), scores[:60], scores[60:])
        own = Tally(int(answers[:60].sum()), 60).estimate()
        covered += found.low <= 0.7 <= found.high
        narrower.append((found.high - found.low) / (own.high - own.low))
    assert covered / REPEATS == pytest.approx(0.90, abs=0.02)
    assert max(narrower) <= WIDEST + 1e-9
    assert np.mean(narrower) < (0.8 if apart else 1.01)


def test_few_taps_say_nothing_of_everybody() -> None:
    found = tap_figures([5] * (MIN_TAPS - 1) + [0] * 100, [0.5] * (MIN_TAPS + 99))
    assert found is not None
    assert found.everybody is None
    assert (found.own.count, found.response_rate) == (MIN_TAPS - 1, (MIN_TAPS - 1) / (MIN_TAPS + 99))
    assert tap_figures([0, 0], [0.5, 0.5]) is None


def test_a_tap_of_three_is_not_satisfied() -> None:
    found = tap_figures([3] * 10 + [4] * 10, [0.5] * 20)
    assert found is not None
    assert found.own.mean == 0.5


def test_taps_that_are_markers_are_what_a_fit_reads(tmp_path: Path) -> None:
    lines = []
    for number, rating in enumerate((5, 1, 3, 0)):
        session = Session(SessionConfig(session_id=str(number)), WeightedSum())
        session.push(make_prediction("face", satisfaction=0.9, at=1.0))
        session.push(Marker(name="rated", at=2.0, rating=rating))
        lines.append(records.to_json(SummaryRecord(recorded_at=records.now(), summary=session.close())))
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join([*lines, json.dumps({"kind": "ledger", "ledger": {}})]))
    rated = read_rated_sessions(path)
    assert rated.good.tolist() == [True, False]
    assert rated.unrated == 3
