"""What tap ratings teach: known weights are found, few ratings are not believed, and too few are refused."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import InputError, MissingDependencyError
from mien.records import SummaryRecord, now, to_json
from mien.session import Marker, Session, SessionConfig
from mien.testing import make_prediction
from mien_fusion.calibration import calibrate
from mien_fusion.fitting import fit_calibration, fit_weights
from mien_fusion.rated import RatedSessions, read_rated_sessions
from mien_fusion.settings import IsotonicCalibration, PlattCalibration
from mien_fusion.weighted_sum import WeightedSum

pytest.importorskip("optax", reason="fitting needs mien[train]")
pytest.importorskip("sklearn", reason="calibrating needs mien[train]")


def synthetic(count: int, *, weights: dict[str, float], scale: float = 12.0, bias: float = 0.0) -> RatedSessions:
    """Sessions whose ratings follow the weighted sum with these weights."""
    random = np.random.default_rng(7)
    names = tuple(sorted(weights))
    scores = random.uniform(0.02, 0.98, (count, len(names)))
    confidences = random.uniform(0.3, 1.0, (count, len(names)))
    unrated = RatedSessions(
        modalities=names, scores=scores, confidences=confidences, good=np.zeros(count, dtype=np.bool_)
    )
    chance = 1.0 / (1.0 + np.exp(-(bias + scale * (unrated.fused(weights) - 0.5))))
    return RatedSessions(
        modalities=names, scores=scores, confidences=confidences, good=random.uniform(size=count) < chance
    )


def share(weights: Any, name: str) -> float:
    return float(weights[name] / sum(weights.values()))


class TestWeights:
    @pytest.mark.parametrize("truth", [{"face": 0.25, "voice": 0.75}, {"face": 0.7, "voice": 0.3}])
    def test_known_weights_are_recovered(self, truth: dict[str, float]) -> None:
        fitted = fit_weights(synthetic(3000, weights=truth), {})
        assert share(fitted.weights, "face") == pytest.approx(truth["face"], abs=0.05)
        assert fitted.gain.is_certain

    def test_a_stream_that_says_nothing_is_turned_down(self) -> None:
        fitted = fit_weights(synthetic(3000, weights={"face": 1e-6, "voice": 1.0}), {})
        assert share(fitted.weights, "face") < 0.1
        assert min(fitted.weights.values()) >= 0.0

    def test_few_sessions_leave_the_weights_near_the_prior(self) -> None:
        truth = {"face": 0.1, "voice": 0.9}
        few = share(fit_weights(synthetic(60, weights=truth), {}).weights, "face")
        many = share(fit_weights(synthetic(3000, weights=truth), {}).weights, "face")
        assert many == pytest.approx(0.1, abs=0.05)
        assert many + 0.05 < few < 0.5

    def test_right_weights_gain_nothing_certain(self) -> None:
        fitted = fit_weights(synthetic(500, weights={"face": 1.0, "voice": 1.0}), {})
        assert not fitted.gain.is_certain
        assert fitted.gain.interval.low < 0.0 < fitted.gain.interval.high + 0.01

    def test_a_modality_configured_to_zero_stays_out(self) -> None:
        sessions = synthetic(500, weights={"face": 1.0, "gait": 1.0, "voice": 1.0})
        assert set(fit_weights(sessions, {"gait": 0.0}).weights) == {"face", "voice"}

    @pytest.mark.parametrize("count", [0, 12, 39])
    def test_too_few_are_refused_with_the_number_needed(self, count: int) -> None:
        with pytest.raises(InputError, match="40 with two streams are needed"):
            fit_weights(synthetic(count, weights={"face": 1.0, "voice": 1.0}), {})

    def test_sessions_of_one_stream_teach_nothing_about_weights(self) -> None:
        with pytest.raises(InputError, match="two streams"):
            fit_weights(synthetic(500, weights={"face": 1.0}), {})

    def test_ratings_all_alike_are_refused(self) -> None:
        with pytest.raises(InputError, match="10 poor"):
            fit_weights(synthetic(500, weights={"face": 1.0, "voice": 1.0}, bias=50.0), {})


class TestCalibration:
    def test_platt_recovers_the_curve(self) -> None:
        sessions = synthetic(4000, weights={"face": 1.0}, scale=6.0, bias=-1.0)
        fitted = fit_calibration(sessions, {}, isotonic=False)
        assert isinstance(fitted.calibration, PlattCalibration)
        assert fitted.calibration.slope == pytest.approx(6.0, rel=0.1)
        assert fitted.calibration.intercept == pytest.approx(-1.0 - 3.0, rel=0.1)
        assert fitted.gain.is_certain

    def test_isotonic_follows_the_curve_and_never_falls(self) -> None:
        sessions = synthetic(4000, weights={"face": 1.0}, scale=6.0, bias=-1.0)
        curve = fit_calibration(sessions, {}, isotonic=True).calibration
        assert isinstance(curve, IsotonicCalibration)
        at = [calibrate(score, curve) for score in np.linspace(0.0, 1.0, 101)]
        assert at == sorted(at)
        assert 0.0 < at[0] < 0.1 < 0.8 < at[-1] < 1.0
        assert at[50] == pytest.approx(1.0 / (1.0 + np.exp(1.0)), abs=0.08)

    @pytest.mark.parametrize(("isotonic", "needed"), [(False, 40), (True, 200)])
    def test_too_few_are_refused_with_the_number_needed(self, isotonic: bool, needed: int) -> None:
        with pytest.raises(InputError, match=f"{needed} "):
            fit_calibration(synthetic(needed - 1, weights={"face": 1.0}), {}, isotonic=isotonic)

    @pytest.mark.parametrize("isotonic", [False, True])
    def test_ratings_against_the_score_are_refused(self, isotonic: bool) -> None:
        sessions = synthetic(2000, weights={"face": 1.0}, scale=-12.0)
        with pytest.raises(InputError, match="does not rise"):
            fit_calibration(sessions, {}, isotonic=isotonic)

    @pytest.mark.parametrize("isotonic", [False, True])
    @pytest.mark.parametrize("seed", range(4))
    def test_ratings_that_mean_nothing_are_refused(self, isotonic: bool, seed: int) -> None:
        sessions = synthetic(400, weights={"face": 1.0})
        # Eight in ten are good whatever the score: a curve to that share alone would look like a gain over the score.
        random = np.random.default_rng(seed)
        with pytest.raises(InputError, match=r"do not follow the score|does not rise"):
            fit_calibration(replace(sessions, good=random.uniform(size=400) < 0.8), {}, isotonic=isotonic)


@pytest.mark.parametrize(("package", "fit"), [("optax", fit_weights), ("sklearn", fit_calibration)])
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, fit: Callable[..., object]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"mien\[train\]"):
        fit(
            synthetic(100, weights={"face": 1.0, "voice": 1.0}),
            {},
            **({} if package == "optax" else {"isotonic": False}),
        )


class TestReading:
    def write(self, path: Path, *records: object) -> Path:
        path.write_text("\n".join(json.dumps(record) for record in records) + "\n\n", encoding="utf-8")
        return path

    def test_summaries_results_and_bare_lines_are_read(self, tmp_path: Path) -> None:
        streams = {"face": {"score": 0.8, "confidence": 0.5, "weight": 1.0, "samples": 3}}
        path = self.write(
            tmp_path / "sessions.jsonl",
            {"session_id": "a", "overall": {"score": 0.8, "contributions": streams}, "rating": 5},
            {"summary": {"overall": {"contributions": streams}, "rating": 1}},
            {"satisfaction": {"contributions": {"voice": {"score": 0.1, "confidence": 0.9}}}, "label": "poor"},
            {"contributions": streams, "rating": 3},
            {"contributions": streams},
            {"contributions": {}, "label": "good"},
        )
        sessions = read_rated_sessions(path)
        assert sessions.modalities == ("face", "voice")
        assert sessions.good.tolist() == [True, False, False]
        assert sessions.confidences.tolist() == [[0.5, 0.0], [0.5, 0.0], [0.0, 0.9]]
        assert sessions.fused({}).tolist() == [0.8, 0.8, 0.1]
        assert (sessions.unrated, sessions.silent) == (2, 1)

    def test_a_record_of_the_kiosks_own_is_read(self, tmp_path: Path) -> None:
        session = Session(SessionConfig(), WeightedSum())
        session.push(make_prediction("face", satisfaction=0.75, confidence=0.5))
        session.push(Marker(name="end", at=1.0, rating=4))
        record = SummaryRecord(recorded_at=now(), session_id="s", summary=session.summary())
        path = tmp_path / "records.jsonl"
        path.write_text(to_json(record) + "\n", encoding="utf-8")
        sessions = read_rated_sessions(path)
        assert (sessions.scores.tolist(), sessions.confidences.tolist()) == ([[0.75]], [[0.5]])
        assert sessions.good.tolist() == [True]

    @pytest.mark.parametrize(
        ("line", "named"),
        [
            ("{", "sessions.jsonl:1 is not JSON"),
            ("[1]", "expected an object"),
            ('{"rating": 7}', "rating"),
            ('{"label": "great"}', "label"),
            ('{"contributions": {"face": {"score": 2, "confidence": 1}}}', "contributions.face.score"),
        ],
    )
    def test_a_wrong_line_is_named(self, tmp_path: Path, line: str, named: str) -> None:
        path = tmp_path / "sessions.jsonl"
        path.write_text(line, encoding="utf-8")
        with pytest.raises(InputError, match=named):
            read_rated_sessions(path)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"none\.jsonl"):
            read_rated_sessions(tmp_path / "none.jsonl")
