"""The reference rule: the share of happy faces against 40 %."""

from __future__ import annotations

import pytest

from mien import UNKNOWN_SATISFACTION, FusionContext, Prediction, TimeInterval, Verdict
from mien_fusion.happy_share import HappyShare
from mien_fusion.settings import FusionPluginSettings


def faces(happy: int, other: int, *, label: str = "happy") -> list[Prediction]:
    emotions = [label] * happy + ["sad"] * other
    return [
        Prediction(
            modality="face",
            emotions={emotion: 0.6, "neutral": 0.4},
            valence=0.0,
            satisfaction=0.5,
            confidence=0.7,
            interval=TimeInterval(float(i), float(i)),
        )
        for i, emotion in enumerate(emotions)
    ]


@pytest.mark.parametrize(
    ("happy", "verdict"), [(100, Verdict.GOOD), (41, Verdict.GOOD), (40, Verdict.POOR), (0, Verdict.POOR)]
)
def test_more_than_forty_percent_happy_is_good_service(happy: int, verdict: Verdict) -> None:
    assert HappyShare().fuse(faces(happy, 100 - happy), FusionContext()).verdict is verdict


@pytest.mark.parametrize(("happy", "score"), [(0, 0.0), (20, 0.25), (40, 0.5), (70, 0.75), (100, 1.0)])
def test_the_threshold_is_the_neutral_score(happy: int, score: float) -> None:
    fused = HappyShare().fuse(faces(happy, 100 - happy), FusionContext())
    assert fused.score == pytest.approx(score)
    assert fused.interval.low <= fused.score <= fused.interval.high


def test_words_play_no_part() -> None:
    words = Prediction(
        modality="voice",
        emotions={"happy": 1.0},
        valence=1.0,
        satisfaction=1.0,
        confidence=1.0,
        interval=TimeInterval(0.0, 1.0),
    )
    assert HappyShare().fuse([words], FusionContext()) == UNKNOWN_SATISFACTION
    context = FusionContext(expected=frozenset({"face", "voice"}))
    fused = HappyShare().fuse([words, *faces(1, 3)], context)
    assert fused.contributions["face"].samples == 4
    assert fused.coverage == 0.5


def test_label_and_threshold_come_from_the_settings() -> None:
    settings = FusionPluginSettings(happy_label="joy", happy_threshold=0.8)
    assert HappyShare(settings).fuse(faces(7, 3, label="joy"), FusionContext()).verdict is Verdict.POOR


def test_running_counts_equal_fusing_at_once() -> None:
    predictions = faces(3, 4)
    running = HappyShare().accumulator(FusionContext())
    for each in predictions:
        running.add(each)
    assert running.satisfaction() == HappyShare().fuse(predictions, FusionContext())
