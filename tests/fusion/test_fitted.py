"""The fitted rule: what moves it, what leaves it, its thresholds, and the reasons that it gives."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from mien import (
    ConfigError,
    FaceRegion,
    FusionContext,
    MismatchPolicy,
    Prediction,
    TimeInterval,
    Transcript,
    Verdict,
)
from mien.types import Box
from mien_fusion.fitted import Fitted
from mien_fusion.visitmodel import parse_model, shipped_model

VISIT = FusionContext(expected=frozenset({"face", "voice"}), half_life_seconds=math.inf)
MODEL = shipped_model()
FUSER = Fitted(MODEL)


def face(satisfaction: float, at: float, *, label: str = "neutral", confidence: float = 0.8) -> Prediction:
    return Prediction(
        modality="face",
        emotions={label: 1.0},
        valence=0.0,
        satisfaction=satisfaction,
        confidence=confidence,
        interval=TimeInterval(at, at),
        evidence=FaceRegion(Box(0, 0, 90, 90), quality=1.0),
    )


def words(satisfaction: float, at: float, text: str = "", *, confidence: float = 0.6) -> Prediction:
    return Prediction(
        modality="voice",
        emotions={"annoyance": 1.0},
        valence=0.0,
        satisfaction=satisfaction,
        confidence=confidence,
        interval=TimeInterval(at, at + 2.0),
        evidence=Transcript(text),
    )


def visit(satisfaction: float, *, seconds: int = 16, smile: tuple[int, int] = (0, 0)) -> list[Prediction]:
    """A face that shows one thing, but for a smile."""
    return [
        face(0.92, at, label="happy") if smile[0] <= at < smile[1] else face(satisfaction, at) for at in range(seconds)
    ]


def test_a_visit_is_told_by_what_the_face_shows() -> None:
    verdicts = [FUSER.fuse(visit(evidence), VISIT).verdict for evidence in (0.1, 0.48, 0.93)]
    assert verdicts == [Verdict.POOR, Verdict.UNDECIDED, Verdict.GOOD]


def test_a_brief_smile_counts_whenever_it_is() -> None:
    early, late = (FUSER.fuse(visit(0.47, smile=when), VISIT) for when in ((1, 4), (12, 15)))
    assert early.score == pytest.approx(late.score, abs=1e-9)
    assert early.score > FUSER.fuse(visit(0.47), VISIT).score + 0.1


def test_a_smile_counts_more_on_a_face_that_rests_sternly() -> None:
    """The change against what the face mostly shows counts beside the level."""
    model = MODEL.coefficients("face")
    assert model.rise > 0.0
    level = replace_coefficients(rise=0.0, fall=0.0)
    stern, open_ = visit(0.3, smile=(6, 9)), visit(0.5, smile=(6, 9))
    without = Fitted(level)

    def lost(fuser: Fitted) -> float:
        """What a stern face loses against an open one, as share of what it loses where nobody smiles."""
        quiet = fuser.fuse(visit(0.5), VISIT).score - fuser.fuse(visit(0.3), VISIT).score
        return (fuser.fuse(open_, VISIT).score - fuser.fuse(stern, VISIT).score) / quiet

    assert lost(FUSER) < lost(without)


def replace_coefficients(**values: float) -> type(MODEL):  # type: ignore[valid-type]
    streams = {**MODEL.streams, "face": MODEL.streams["face"].model_copy(update=values)}
    return MODEL.model_copy(update={"streams": streams})


def test_neutral_words_leave_kind_ones_and_faces_as_they_are() -> None:
    kind = [*visit(0.48), words(0.93, 3.0)]
    more = [*kind, words(0.5, 8.0), words(0.5, 12.0)]
    assert FUSER.fuse(more, VISIT).score == pytest.approx(FUSER.fuse(kind, VISIT).score, abs=1e-9)
    assert FUSER.fuse(kind, VISIT).score > FUSER.fuse(visit(0.48), VISIT).score + 0.1


def test_one_picture_says_less_than_many() -> None:
    one, many = FUSER.fuse([face(0.93, 0.0)], VISIT), FUSER.fuse(visit(0.93), VISIT)
    assert 0.5 < one.score < many.score
    assert one.interval.high - one.interval.low > many.interval.high - many.interval.low


def test_a_smiling_complaint_is_flagged_and_a_neutral_face_with_thanks_is_not() -> None:
    complaint = [*visit(0.93), words(0.08, 5.0)]
    assert FUSER.fuse(complaint, VISIT).mismatch
    trusting = replace(VISIT, mismatch_policy=MismatchPolicy.TRUST_WORDS)
    assert FUSER.fuse(complaint, trusting).score < 0.5
    assert FUSER.fuse(complaint, replace(VISIT, mismatch_policy=MismatchPolicy.ABSTAIN)).verdict is Verdict.UNDECIDED
    assert not FUSER.fuse([*visit(0.5), words(0.95, 5.0)], VISIT).mismatch


def test_a_stream_that_was_not_fitted_counts_less_than_a_face() -> None:
    voice_tone = [replace(each, modality="prosody", evidence=None) for each in visit(0.1)]
    assert FUSER.fuse([*visit(0.9), *voice_tone], VISIT).score > 0.6


def test_fewer_wrong_verdicts_and_more_neutral_visitors_ask_for_more_evidence() -> None:
    strict = [MODEL.thresholds(VISIT.prior, share, spoken=False) for share in (0.12, 0.08, 0.04)]
    assert all(a[0] >= b[0] and a[1] <= b[1] for a, b in pairwise(strict))
    even, mostly_neutral = (MODEL.thresholds(prior, 0.08, spoken=False) for prior in ((0.4, 0.2, 0.4), (0.1, 0.8, 0.1)))
    assert mostly_neutral[0] < even[0]
    assert even[1] < mostly_neutral[1]
    assert MODEL.score(0.5, (0.1, 0.8, 0.1)) < MODEL.score(0.5, (0.2, 0.2, 0.6))


def test_reasons_name_moments_words_and_what_they_moved() -> None:
    running = FUSER.accumulator(VISIT)
    for prediction in [*visit(0.47, smile=(10, 13)), words(0.06, 4.0, "I have waited an hour")]:
        running.add(prediction)
    complaint, smile = running.reasons()
    assert (complaint.words, complaint.modality, complaint.interval.start) == ("I have waited an hour", "voice", 4.0)
    assert (smile.label, smile.interval) == ("happy", TimeInterval(10.0, 12.0))
    assert complaint.effect < 0.0 < smile.effect


def test_a_running_score_has_no_reasons_and_long_visits_few() -> None:
    decaying = FUSER.accumulator(FusionContext(half_life_seconds=10.0))
    lasting = FUSER.accumulator(VISIT)
    for at in range(400):
        prediction = face(0.9 if at % 20 < 5 else 0.1 if at % 20 > 14 else 0.5, float(at))
        decaying.add(prediction)
        lasting.add(prediction)
    assert decaying.reasons() == ()
    assert len(lasting.reasons()) <= 6


def test_a_model_that_would_turn_evidence_round_is_refused() -> None:
    numbers = MODEL.model_dump()
    numbers["streams"]["face"]["rise"] = numbers["streams"]["face"]["level"]
    with pytest.raises(ConfigError, match="level must be at least"):
        parse_model(numbers, source="mine.json")
