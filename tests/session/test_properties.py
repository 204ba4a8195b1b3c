"""What holds for every session and every set of predictions, whatever they are."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien import (
    Fuser,
    FusionContext,
    MismatchPolicy,
    NewCustomer,
    Prediction,
    SampleKind,
    Satisfaction,
    SessionError,
    TimeInterval,
    WindowAccumulator,
)
from mien.session import (
    CustomerPolicy,
    Marker,
    Observation,
    Session,
    SessionConfig,
    SessionEnd,
    SessionState,
    SessionSummary,
)
from mien_fusion.fitted import Fitted
from mien_fusion.happy_share import HappyShare
from mien_fusion.settings import FusionPluginSettings, PlattCalibration
from mien_fusion.visitmodel import shipped_model
from mien_fusion.weighted_sum import WeightedSum

searching = settings(deadline=None, derandomize=True, max_examples=60)

FUSERS = [
    WeightedSum(),
    WeightedSum(FusionPluginSettings(calibration=PlattCalibration(slope=6.0, intercept=-2.0))),
    Fitted(shipped_model()),
    HappyShare(),
]
RISING = FUSERS[:3]
"""Those whose score never falls where evidence rises; ``happy_share`` asks for emotions."""

MODALITIES = ["face", "voice", "text", "gait"]
unit = st.floats(0.0, 1.0)
times = st.floats(-1e6, 1e6)


@st.composite
def predictions(draw: st.DrawFn, at: st.SearchStrategy[float] = times) -> Prediction:
    begin = draw(at)
    return Prediction(
        modality=draw(st.sampled_from(MODALITIES)),
        emotions=draw(st.sampled_from([{"happy": 1.0}, {"happy": 0.3, "sad": 0.7}, {"neutral": 1.0}])),
        valence=0.0,
        satisfaction=draw(unit),
        confidence=draw(unit),
        interval=TimeInterval(begin, begin + draw(st.floats(0.0, 30.0))),
        subject_id=draw(st.sampled_from(["", "a", "b"])),
    )


@st.composite
def contexts(draw: st.DrawFn) -> FusionContext:
    return FusionContext(
        expected=frozenset(draw(st.sets(st.sampled_from(MODALITIES)))),
        weights=draw(st.dictionaries(st.sampled_from(MODALITIES), st.floats(0.0, 1e6))),
        half_life_seconds=draw(st.one_of(st.floats(1e-3, 1e4), st.just(math.inf))),
        mismatch_policy=draw(st.sampled_from(MismatchPolicy)),
    )


@st.composite
def items(draw: st.DrawFn) -> Observation | Marker:
    at = draw(st.one_of(st.floats(0.0, 60.0), times))
    if draw(st.integers(0, 9)) == 0:
        return Marker(name=draw(st.sampled_from(["start", "pay", "tap"])), at=at, rating=draw(st.integers(0, 5)))
    kind = draw(st.sampled_from(SampleKind))
    return Observation(kind=kind, at=at, predictions=tuple(draw(st.lists(predictions(st.just(at)), max_size=3))))


def assert_sound(satisfaction: Satisfaction) -> None:
    """Constructors refuse what lies outside [0, 1]; what remains is how the parts fit each other."""
    assert satisfaction.interval.low <= satisfaction.score <= satisfaction.interval.high
    if satisfaction.contributions:
        assert sum(part.weight for part in satisfaction.contributions.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("fuser", FUSERS)
@searching
@given(st.lists(predictions(), max_size=12), contexts())
def test_every_answer_is_bounded_and_of_one_schema(
    fuser: Fuser, given_: list[Prediction], context: FusionContext
) -> None:
    fused = fuser.fuse(given_, context)
    assert_sound(fused)
    assert {field.name for field in fields(fused)} == {field.name for field in fields(fuser.fuse([], context))}


@searching
@given(st.lists(predictions(), min_size=1, max_size=8), contexts(), st.data())
def test_score_never_falls_where_evidence_rises(
    given_: list[Prediction], context: FusionContext, data: st.DataObject
) -> None:
    policy = data.draw(st.sampled_from([MismatchPolicy.BLEND, MismatchPolicy.ABSTAIN]))
    context = replace(context, mismatch_policy=policy)
    index = data.draw(st.integers(0, len(given_) - 1))
    higher = data.draw(st.floats(given_[index].satisfaction, 1.0))
    raised = [*given_[:index], replace(given_[index], satisfaction=higher), *given_[index + 1 :]]
    for fuser in RISING:
        assert fuser.fuse(raised, context).score >= fuser.fuse(given_, context).score - 1e-9


@searching
@given(st.lists(predictions(), max_size=8), contexts(), st.sampled_from(MODALITIES), unit)
def test_a_stream_without_confidence_changes_nothing(
    given_: list[Prediction], context: FusionContext, modality: str, satisfaction: float
) -> None:
    at = max((each.interval.end for each in given_), default=0.0)
    empty = Prediction(
        modality=modality,
        emotions={"sad": 1.0},
        valence=0.0,
        satisfaction=satisfaction,
        confidence=0.0,
        interval=TimeInterval(at, at),
    )
    for fuser in (WeightedSum(), Fitted(shipped_model())):
        assert fuser.fuse([*given_, empty], context) == fuser.fuse(given_, context)


@pytest.mark.parametrize("fuser", FUSERS)
@searching
@given(st.lists(predictions(), max_size=8), contexts(), st.randoms(use_true_random=False))
def test_the_order_of_predictions_does_not_matter(
    fuser: Fuser, given_: list[Prediction], context: FusionContext, random: object
) -> None:
    shuffled = list(given_)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_close(fuser.fuse(shuffled, context), fuser.fuse(given_, context))


@searching
@given(st.lists(predictions(), max_size=8), contexts(), st.sampled_from(MODALITIES))
def test_removing_a_stream_never_raises_coverage(
    given_: list[Prediction], context: FusionContext, modality: str
) -> None:
    # At one moment, and with what is expected said: without it, what came is what was expected.
    context = replace(context, now=max((each.interval.end for each in given_), default=0.0))
    expecting = replace(context, expected=context.expected | {"face"})
    kept = [each for each in given_ if each.modality != modality]
    for fuser in FUSERS:
        assert fuser.fuse(kept, expecting).coverage <= fuser.fuse(given_, expecting).coverage + 1e-12


@searching
@given(unit, st.lists(st.tuples(st.sampled_from(MODALITIES), st.floats(0.01, 1.0), times), min_size=1), contexts())
def test_equal_streams_fuse_to_themselves(
    satisfaction: float, streams: list[tuple[str, float, float]], context: FusionContext
) -> None:
    context = replace(context, weights={name: weight + 0.1 for name, weight in context.weights.items()})
    given_ = [
        Prediction(
            modality=modality,
            emotions={"happy": 1.0},
            valence=0.0,
            satisfaction=satisfaction,
            confidence=confidence,
            interval=TimeInterval(at, at),
        )
        for modality, confidence, at in streams
    ]
    fused = WeightedSum().fuse(given_, context)
    assert fused.score == pytest.approx(satisfaction, abs=1e-9)
    assert fused.agreement == pytest.approx(1.0)
    assert not fused.mismatch


@searching
@given(st.lists(predictions(st.floats(0.0, 100.0)), max_size=20), contexts())
def test_running_sums_agree_with_fusing_the_kept_predictions(given_: list[Prediction], context: FusionContext) -> None:
    ordered = sorted(given_, key=lambda each: each.interval.end)
    for fuser in (WeightedSum(), Fitted(shipped_model())):
        running, window = fuser.accumulator(context), WindowAccumulator(fuser, context)
        for each in ordered:
            running.add(each)
            window.add(each)
        assert_close(running.satisfaction(now=200.0), window.satisfaction(now=200.0))


def push(followed: Session, item: Observation | Marker, *, now: float | None = None) -> SessionState | None:
    """What the session says; None where it has ended because the next customer came, which alone may refuse an item."""
    try:
        return followed.push(item, now=now)
    except SessionError:
        assert followed.end is SessionEnd.NEXT_CUSTOMER
        assert followed.config.new_customer is NewCustomer.END
        return None


@pytest.mark.parametrize("policy", list(CustomerPolicy))
@pytest.mark.parametrize("fuser", FUSERS)
@searching
@given(st.lists(items(), max_size=30), st.sampled_from(list(NewCustomer)))
def test_a_session_survives_anything_and_stays_sound(
    fuser: Fuser, policy: CustomerPolicy, given_: list[Observation | Marker], new_customer: NewCustomer
) -> None:
    followed = Session(SessionConfig(customer_policy=policy, new_customer=new_customer), fuser)
    for each in given_:
        state = push(followed, each)
        if state is None:
            continue
        assert_sound(state.satisfaction)
        if state.emotion_percentages:
            assert sum(state.emotion_percentages.values()) == pytest.approx(100.0)
    summary = followed.close()
    assert_sound(summary.overall)
    begins = [phase.interval.start for phase in summary.phases]
    assert begins == sorted(begins)
    for value in (summary.peak_score, summary.end_score, summary.peak_end_score):
        assert 0.0 <= value <= 1.0
    taken = sum(isinstance(each, Observation) for each in given_)
    assert summary.snapshots + summary.utterances <= taken


@searching
@given(st.lists(st.tuples(items(), st.floats(0.0, 5.0)), max_size=30))
def test_replaying_a_session_gives_the_identical_summary(
    recorded: list[tuple[Observation | Marker, float]],
) -> None:
    def play() -> tuple[list[SessionState | None], SessionSummary]:
        followed = Session(SessionConfig(), WeightedSum())
        now, states = 0.0, []
        for item, pause in recorded:
            now += pause
            states.append(push(followed, item, now=now))
        return states, followed.close()

    assert play() == play()


@searching
@given(st.lists(predictions(st.just(3.0)), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_predictions_of_one_tick_may_come_in_any_order(given_: list[Prediction], random: object) -> None:
    shuffled = list(given_)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    states = []
    for order in (given_, shuffled):
        followed = Session(SessionConfig(customer_policy=CustomerPolicy.ALL), WeightedSum())
        states.append(followed.push(Observation(kind=SampleKind.IMAGE, at=3.0, predictions=tuple(order))))
    assert states[0] == states[1]


@searching
@given(st.lists(items(), max_size=15))
def test_pushing_everything_twice_changes_nothing_but_the_count(given_: list[Observation | Marker]) -> None:
    once, twice = (Session(SessionConfig(), WeightedSum()) for _ in range(2))
    for each in given_:
        push(once, each)
        push(twice, each)
        push(twice, each)
    one, other = once.close(), twice.close()
    assert replace(other, duplicates=0, late=0) == replace(one, duplicates=0, late=0)


def assert_close(found: Satisfaction, expected: Satisfaction) -> None:
    assert found.score == pytest.approx(expected.score, abs=1e-9)
    assert found.interval.low == pytest.approx(expected.interval.low, abs=1e-6)
    assert found.interval.high == pytest.approx(expected.interval.high, abs=1e-6)
    assert found.confidence == pytest.approx(expected.confidence, abs=1e-9)
    assert found.coverage == pytest.approx(expected.coverage, abs=1e-9)
    assert found.agreement == pytest.approx(expected.agreement, abs=1e-6)
    assert set(found.contributions) == set(expected.contributions)
