"""The interval covers: the truth lies inside it about nine times in ten, also for correlated pictures of one face."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import beta, norm

from mien import FusionContext
from mien_fusion.evidence import StreamEvidence
from mien_fusion.interval import wilson_interval
from mien_fusion.settings import FusionPluginSettings
from mien_fusion.weighted_sum import combine

SETTINGS = FusionPluginSettings()
SIMULATIONS = 400
Floats = npt.NDArray[np.float64]


def readings(rng: np.random.Generator, truth: float, times: Floats, confidence: Floats) -> Floats:
    """Calibrated, noisy evidence about ``truth``: Beta distributed around it, its errors correlated over time.

    Each has mean ``truth`` and the variance of ``answers x confidence`` yes/no answers; a Gaussian copula carries the
    correlation, so that the generator shares no formula with the code under test.
    """
    always = SETTINGS.same_subject_correlation
    gaps = np.abs(times[:, None] - times[None, :])
    correlation = always + (1.0 - always) * np.exp(-gaps / SETTINGS.correlation_seconds)
    factor = np.linalg.cholesky(correlation + 1e-9 * np.eye(len(times)))
    quantiles = norm.cdf(factor @ rng.standard_normal(len(times)))
    strength = np.maximum(SETTINGS.answers_per_prediction * confidence - 1.0, 1e-3)
    return np.clip(beta.ppf(quantiles, truth * strength, (1.0 - truth) * strength), 0.0, 1.0)


def one_picture(rng: np.random.Generator) -> dict[str, tuple[Floats, Floats]]:
    return {"face": (np.zeros(1), rng.uniform(0.4, 0.95, 1))}


def thirty_snapshots(rng: np.random.Generator) -> dict[str, tuple[Floats, Floats]]:
    return {"face": (np.arange(30.0), rng.uniform(0.4, 0.95, 30))}


def fast_video(rng: np.random.Generator) -> dict[str, tuple[Floats, Floats]]:
    return {"face": (np.arange(80) / 25.0, rng.uniform(0.4, 0.95, 80))}


def face_and_voice(rng: np.random.Generator) -> dict[str, tuple[Floats, Floats]]:
    return {**thirty_snapshots(rng), "voice": (np.sort(rng.uniform(0.0, 30.0, 5)), rng.uniform(0.4, 0.9, 5))}


@pytest.mark.parametrize("half_life_seconds", [10.0, math.inf])
@pytest.mark.parametrize("scenario", [one_picture, thirty_snapshots, fast_video, face_and_voice])
def test_the_ninety_percent_interval_covers_the_truth(scenario: object, half_life_seconds: float) -> None:
    assert callable(scenario)
    rng = np.random.default_rng(2026)
    context = FusionContext(half_life_seconds=half_life_seconds)
    covered = 0
    for _ in range(SIMULATIONS):
        truth = rng.uniform(0.05, 0.95)
        summaries = {}
        for modality, (times, confidence) in scenario(rng).items():
            stream = StreamEvidence(
                half_life_seconds=half_life_seconds, correlation_seconds=SETTINGS.correlation_seconds
            )
            evidence = readings(rng, truth, times, confidence)
            for at, score, sure in zip(times, evidence, confidence, strict=True):
                stream.add(at=float(at), score=float(score), confidence=float(sure))
            summary = stream.summary(
                now=float(times[-1]),
                answers=SETTINGS.answers_per_prediction,
                same_subject_correlation=SETTINGS.same_subject_correlation,
            )
            assert summary is not None
            summaries[modality] = summary
        interval = combine(summaries, context, SETTINGS).interval
        covered += interval.low <= truth <= interval.high
    assert 0.85 <= covered / SIMULATIONS <= 0.95


def test_taking_snapshots_of_one_face_as_independent_would_not_cover() -> None:
    rng = np.random.default_rng(2026)
    times, confidence = np.arange(80) / 25.0, np.full(80, 0.8)
    covered = 0
    for _ in range(SIMULATIONS):
        truth = rng.uniform(0.05, 0.95)
        mean = float(readings(rng, truth, times, confidence).mean())
        interval = wilson_interval(mean, float(SETTINGS.answers_per_prediction * confidence.sum()))
        covered += interval.low <= truth <= interval.high
    assert covered / SIMULATIONS < 0.5


def test_running_sums_give_the_double_sum_of_the_variance() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.exponential(2.0, 40))
    confidence = rng.uniform(0.2, 1.0, 40)
    half_life_seconds, tau, always, answers = 7.0, 4.0, 0.2, 3.0
    stream = StreamEvidence(half_life_seconds=half_life_seconds, correlation_seconds=tau)
    for at, sure in zip(times, confidence, strict=True):
        stream.add(at=float(at), score=0.5, confidence=float(sure))
    decay = 2.0 ** (-(times[-1] - times) / half_life_seconds)
    error = decay * np.sqrt(confidence)
    correlation = always + (1 - always) * np.exp(-np.abs(times[:, None] - times[None, :]) / tau)
    expected = answers * (decay * confidence).sum() ** 2 / (error @ correlation @ error)
    summary = stream.summary(now=float(times[-1]), answers=answers, same_subject_correlation=always)
    assert summary is not None
    assert summary.size == pytest.approx(expected)


@pytest.mark.parametrize("size", [0.0, 1e-12, 0.3, 5.0, 1e12])
@pytest.mark.parametrize("score", [0.0, 0.2, 0.5, 1.0])
def test_the_interval_stays_on_the_scale_and_contains_the_score(score: float, size: float) -> None:
    interval = wilson_interval(score, size)
    assert 0.0 <= interval.low <= score <= interval.high <= 1.0
