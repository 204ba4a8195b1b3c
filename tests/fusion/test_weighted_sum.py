"""The weighted sum: the formula, missing streams, time, policies and verdicts."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from mien import UNKNOWN_SATISFACTION, FusionContext, MismatchPolicy, Prediction, TimeInterval, Verdict
from mien_fusion.pooling import MAX_MODALITIES
from mien_fusion.settings import FusionPluginSettings, IsotonicCalibration, PlattCalibration
from mien_fusion.weighted_sum import WeightedSum

BOTH = FusionContext(expected=frozenset({"face", "voice"}))


def prediction(satisfaction: float, *, modality: str = "face", confidence: float = 0.8, at: float = 0.0) -> Prediction:
    return Prediction(
        modality=modality,
        emotions={"neutral": 1.0},
        valence=0.0,
        satisfaction=satisfaction,
        confidence=confidence,
        interval=TimeInterval(at, at),
    )


def test_score_is_the_designed_weighted_sum() -> None:
    face = prediction(0.9, confidence=0.5)
    voice = prediction(0.4, modality="voice", confidence=0.8)
    fused = WeightedSum().fuse([face, voice], replace(BOTH, weights={"face": 2.0, "voice": 1.0}))
    expected = (2 * 0.5 * 0.9 + 1 * 0.8 * 0.4) / (2 * 0.5 + 1 * 0.8)
    assert fused.score == pytest.approx(expected)
    assert fused.contributions["face"].weight == pytest.approx(1.0 / 1.8)
    assert fused.contributions["voice"].score == pytest.approx(0.4)
    assert fused.coverage == 1.0


def test_a_missing_stream_lowers_coverage_and_keeps_the_rest() -> None:
    context = replace(BOTH, weights={"face": 3.0, "voice": 1.0})
    fused = WeightedSum().fuse([prediction(0.9)], context)
    assert fused.score == pytest.approx(0.9)
    assert fused.coverage == pytest.approx(0.75)
    assert fused.contributions["face"].weight == 1.0
    assert fused.agreement == 1.0
    assert not fused.mismatch


def test_nothing_seen_is_unknown() -> None:
    assert WeightedSum().fuse([], BOTH) == UNKNOWN_SATISFACTION


@pytest.mark.parametrize("weights", [{"face": 0.0}, {"face": 0.0, "voice": 1.0}])
def test_a_stream_without_weight_alone_gives_no_score(weights: dict[str, float]) -> None:
    fused = WeightedSum().fuse([prediction(0.9)], FusionContext(weights=weights))
    assert fused == UNKNOWN_SATISFACTION


def test_evidence_counts_half_after_its_half_life() -> None:
    context = FusionContext(half_life_seconds=10.0)
    fused = WeightedSum().fuse([prediction(0.0, at=0.0), prediction(1.0, at=10.0)], context)
    assert fused.score == pytest.approx(1.0 / 1.5)


def test_an_old_stream_gives_way_to_a_fresh_one_and_lowers_coverage() -> None:
    old = prediction(0.1, modality="voice", at=0.0)
    fused = WeightedSum().fuse([old, prediction(0.9, at=40.0)], BOTH)
    assert fused.contributions["voice"].weight < 0.1
    assert fused.coverage == pytest.approx((1.0 + 2.0**-4) / 2)


def test_undecayed_evidence_counts_alike_at_any_age() -> None:
    context = FusionContext(half_life_seconds=math.inf)
    fused = WeightedSum().fuse([prediction(0.0, at=0.0), prediction(1.0, at=1e6)], context)
    assert fused.score == pytest.approx(0.5)


def test_running_sums_equal_fusing_at_once() -> None:
    predictions = [
        prediction(
            0.1 * (i % 9), at=0.7 * i, modality="voice" if i % 3 == 0 else "face", confidence=0.1 + 0.08 * (i % 11)
        )
        for i in range(60)
    ]
    running = WeightedSum().accumulator(BOTH)
    for each in predictions:
        running.add(each)
    once = WeightedSum().fuse(list(reversed(predictions)), BOTH)
    assert running.satisfaction().score == pytest.approx(once.score, rel=1e-12)
    assert running.satisfaction().interval.low == pytest.approx(once.interval.low, rel=1e-9)


def test_more_pictures_of_one_face_say_less_than_as_many_independent_ones() -> None:
    fuser = WeightedSum()
    still = FusionContext(half_life_seconds=math.inf)
    burst = fuser.fuse([prediction(0.7, at=0.01 * i) for i in range(100)], still).interval
    spread = fuser.fuse([prediction(0.7, at=20.0 * i) for i in range(100)], still).interval
    single = fuser.fuse([prediction(0.7)], still).interval
    assert burst.high - burst.low == pytest.approx(single.high - single.low, rel=0.05)
    assert spread.high - spread.low < 0.7 * (burst.high - burst.low)
    assert spread.high - spread.low > 0.1, "one face can be misread in every picture"


def test_contradicting_streams_widen_the_interval() -> None:
    many = [prediction(0.95, at=float(i)) for i in range(0, 300, 10)]
    agreeing = [prediction(0.9, modality="voice", at=float(i)) for i in range(0, 300, 10)]
    opposed = [prediction(0.1, modality="voice", at=float(i)) for i in range(0, 300, 10)]
    context = replace(BOTH, half_life_seconds=math.inf)
    calm = WeightedSum().fuse(many + agreeing, context).interval
    torn = WeightedSum().fuse(many + opposed, context).interval
    assert torn.high - torn.low > 2 * (calm.high - calm.low)


def test_too_little_confidence_is_undecided() -> None:
    fused = WeightedSum().fuse([prediction(0.99, confidence=0.1)], FusionContext())
    assert fused.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("satisfaction", "verdict"), [(0.95, Verdict.GOOD), (0.05, Verdict.POOR)])
def test_a_clear_score_is_undecided_only_below_the_least_confidence(satisfaction: float, verdict: Verdict) -> None:
    clear = [prediction(satisfaction, confidence=0.75)]
    assert WeightedSum().fuse(clear, FusionContext(min_confidence=0.75)).verdict is verdict
    assert WeightedSum().fuse(clear, FusionContext(min_confidence=0.76)).verdict is Verdict.UNDECIDED


def test_a_score_on_its_threshold_is_past_it() -> None:
    good = FusionContext(good_threshold=0.75, poor_threshold=0.01)
    assert WeightedSum().fuse([prediction(0.75, confidence=1.0)], good).verdict is Verdict.GOOD
    assert WeightedSum().fuse([prediction(0.749, confidence=1.0)], good).verdict is Verdict.UNDECIDED
    poor = FusionContext(good_threshold=0.99, poor_threshold=0.25)
    assert WeightedSum().fuse([prediction(0.25, confidence=1.0)], poor).verdict is Verdict.POOR
    assert WeightedSum().fuse([prediction(0.251, confidence=1.0)], poor).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("satisfaction", "verdict"),
    [(0.95, Verdict.GOOD), (0.62, Verdict.UNDECIDED), (0.5, Verdict.UNDECIDED), (0.05, Verdict.POOR)],
)
def test_one_confident_picture_decides_only_where_it_is_clear(satisfaction: float, verdict: Verdict) -> None:
    fused = WeightedSum().fuse([prediction(satisfaction, confidence=0.9)], FusionContext())
    assert fused.verdict is verdict


def test_much_evidence_decides_what_little_leaves_open() -> None:
    predictions = [prediction(0.66, at=30.0 * i) for i in range(60)]
    assert WeightedSum().fuse(predictions, FusionContext(half_life_seconds=math.inf)).verdict is Verdict.GOOD


SMILING_COMPLAINT = [prediction(0.9), prediction(0.05, modality="voice")]


@pytest.mark.parametrize(
    ("policy", "score"),
    [
        (MismatchPolicy.BLEND, 0.475),
        (MismatchPolicy.TRUST_WORDS, 0.05),
        (MismatchPolicy.TRUST_FACE, 0.9),
        (MismatchPolicy.ABSTAIN, 0.475),
    ],
)
def test_mismatch_policy_decides_whom_to_believe(policy: MismatchPolicy, score: float) -> None:
    fused = WeightedSum().fuse(SMILING_COMPLAINT, replace(BOTH, mismatch_policy=policy))
    assert fused.mismatch
    assert fused.score == pytest.approx(score)
    assert set(fused.contributions) == {"face", "voice"}


def test_abstaining_on_a_mismatch_is_undecided_whatever_the_score() -> None:
    context = FusionContext(
        weights={"face": 10.0, "voice": 0.1}, mismatch_policy=MismatchPolicy.ABSTAIN, poor_threshold=0.1
    )
    assert WeightedSum().fuse(SMILING_COMPLAINT, replace(context, mismatch_policy=MismatchPolicy.BLEND)).score > 0.8
    assert WeightedSum().fuse(SMILING_COMPLAINT, context).verdict is Verdict.UNDECIDED


def test_trusting_words_needs_words_with_weight() -> None:
    context = FusionContext(weights={"voice": 0.0}, mismatch_policy=MismatchPolicy.TRUST_WORDS)
    assert WeightedSum().fuse(SMILING_COMPLAINT, context).score == pytest.approx(0.9)


def test_calibration_maps_score_and_interval_and_keeps_their_order() -> None:
    for calibration in (
        PlattCalibration(slope=8.0, intercept=-5.0),
        IsotonicCalibration(scores=(0.2, 0.6, 0.8), probabilities=(0.1, 0.3, 0.95)),
    ):
        fuser = WeightedSum(FusionPluginSettings(calibration=calibration))
        scores = [fuser.fuse([prediction(s / 20)], FusionContext()) for s in range(21)]
        assert all(low.score <= high.score for low, high in pairwise(scores))
        assert all(each.interval.low <= each.score <= each.interval.high for each in scores)
    assert scores[12].score == pytest.approx(0.3)


def test_an_accumulator_refuses_to_grow_without_bound() -> None:
    running = WeightedSum().accumulator(FusionContext())
    for i in range(MAX_MODALITIES):
        running.add(prediction(0.5, modality=f"m{i}"))
    with pytest.raises(ValueError, match="one_too_many"):
        running.add(prediction(0.5, modality="one_too_many"))
