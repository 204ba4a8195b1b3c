"""A session from start to end: percentages, verdicts, markers, peak and end, and every kind of end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from mien import InputError, MismatchPolicy, SampleKind, SessionError, TimeInterval, Transcript, Verdict
from mien.config import Settings, parse_settings
from mien.session import Consent, CustomerPolicy, Marker, Observation, Session, SessionConfig, SessionEnd
from mien.testing import FakeFuser, make_prediction
from mien_fusion.fitted import Fitted
from mien_fusion.happy_share import HappyShare
from mien_fusion.visitmodel import shipped_model

Make: TypeAlias = Callable[..., Any]


def test_percentages_are_the_reference_rule_after_every_snapshot(session: Make, snapshot: Make, face: Make) -> None:
    followed = session()
    seen = []
    for at, emotion in enumerate(["happy", "happy", "sad", "neutral"]):
        state = followed.push(snapshot(face(emotion=emotion, at=at), at=at))
        seen.append(state.emotion_percentages)
    assert seen[0] == {"happy": 100.0, "neutral": 0.0, "sad": 0.0}
    assert seen[2] == pytest.approx({"happy": 200 / 3, "neutral": 0.0, "sad": 100 / 3})
    assert seen[3] == {"happy": 50.0, "neutral": 25.0, "sad": 25.0}


def test_a_picture_without_a_face_is_a_snapshot_but_no_classification(
    session: Make, snapshot: Make, face: Make
) -> None:
    followed = session()
    followed.push(snapshot(face(), at=0.0))
    state = followed.push(snapshot(at=1.0))
    assert state.snapshots == 2
    assert state.emotion_percentages["happy"] == 100.0


def test_state_before_anything_is_unknown(session: Make) -> None:
    state = session().state()
    assert state.satisfaction.verdict is Verdict.UNDECIDED
    assert state.satisfaction.confidence == 0.0
    assert state.emotion_percentages == {}
    assert state.end is None


def test_recent_evidence_outweighs_old(session: Make, snapshot: Make, face: Make) -> None:
    followed = session(half_life_seconds=5.0)
    for at in range(20):
        followed.push(snapshot(face(0.1, at=at), at=at))
    for at in range(20, 40):
        state = followed.push(snapshot(face(0.9, at=at), at=at))
    assert state.satisfaction.score > 0.8
    assert followed.close().overall.score == pytest.approx(0.5)


def test_the_schema_is_the_same_with_and_without_words(session: Make, snapshot: Make, face: Make, words: Make) -> None:
    both = {"expected_modalities": frozenset({"face", "voice"})}
    face_only, with_words = session(**both), session(**both)
    face_only.push(snapshot(face()))
    with_words.push(snapshot(face()))
    one = face_only.state()
    two = with_words.push(words(0.9))
    assert type(one) is type(two)
    assert one.satisfaction.coverage == 0.5
    assert two.satisfaction.coverage > 0.9
    assert (two.snapshots, two.utterances) == (1, 1)


class TestVerdict:
    def test_hysteresis_keeps_a_verdict_near_its_threshold(self, session: Make, snapshot: Make, face: Make) -> None:
        verdicts = {}
        for hysteresis in (0.0, 0.05):
            followed = session(half_life_seconds=1e-3, verdict_hysteresis=hysteresis, poor_threshold=0.01)
            scores = [0.61, 0.59, 0.61, 0.58, 0.6, 0.5]
            verdicts[hysteresis] = [
                followed.push(snapshot(face(score, at=at), at=at)).satisfaction.verdict
                for at, score in enumerate(scores)
            ]
        good, open_ = Verdict.GOOD, Verdict.UNDECIDED
        assert verdicts[0.0] == [good, open_, good, open_, good, open_]
        assert verdicts[0.05] == [good, good, good, good, good, open_]

    def test_hysteresis_keeps_poor_near_its_threshold_too(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session(half_life_seconds=1e-3, verdict_hysteresis=0.05, good_threshold=0.99)
        verdicts = [
            followed.push(snapshot(face(score, at=at), at=at)).satisfaction.verdict
            for at, score in enumerate([0.39, 0.41, 0.39, 0.42, 0.4, 0.5])
        ]
        poor, open_ = Verdict.POOR, Verdict.UNDECIDED
        assert verdicts == [poor, poor, poor, poor, poor, open_]

    @pytest.mark.parametrize(("first", "then"), [(0.75, 0.5), (0.25, 0.5)])
    def test_a_verdict_is_given_up_where_the_score_has_moved_by_the_whole_hysteresis(
        self, session: Make, snapshot: Make, face: Make, first: float, then: float
    ) -> None:
        followed = session(
            half_life_seconds=1e-3,
            verdict_hysteresis=0.25,
            good_threshold=0.75 if first > 0.5 else 0.99,
            poor_threshold=0.01 if first > 0.5 else 0.25,
        )
        decided = followed.push(snapshot(face(first, at=0, confidence=1.0), at=0)).satisfaction
        assert decided.verdict is (Verdict.GOOD if first > 0.5 else Verdict.POOR)
        nearly = followed.push(snapshot(face((first + then) / 2, at=1, confidence=1.0), at=1)).satisfaction
        assert nearly.verdict is decided.verdict
        moved = followed.push(snapshot(face(then, at=2, confidence=1.0), at=2)).satisfaction
        assert moved.score == then
        assert moved.verdict is Verdict.UNDECIDED

    def test_low_confidence_is_not_held_back(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session(half_life_seconds=1.0, verdict_hysteresis=0.5)
        assert followed.push(snapshot(face(0.95))).satisfaction.verdict is Verdict.GOOD
        faded = followed.push(snapshot(at=10.0)).satisfaction
        assert faded.score == pytest.approx(0.95)
        assert faded.confidence < 0.2
        assert faded.verdict is Verdict.UNDECIDED

    def test_a_clear_change_shows_at_once(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session(half_life_seconds=1e-3)
        assert followed.push(snapshot(face(0.95, at=0), at=0)).satisfaction.verdict is Verdict.GOOD
        assert followed.push(snapshot(face(0.05, at=1), at=1)).satisfaction.verdict is Verdict.POOR

    def test_abstaining_is_not_held_back(self, session: Make, snapshot: Make, face: Make, words: Make) -> None:
        followed = session(mismatch_policy=MismatchPolicy.ABSTAIN, weights={"voice": 0.01}, verdict_hysteresis=0.5)
        assert followed.push(snapshot(face(0.95))).satisfaction.verdict is Verdict.GOOD
        state = followed.push(words(0.05, duration=0.0))
        assert state.satisfaction.mismatch
        assert state.satisfaction.verdict is Verdict.UNDECIDED

    def test_happy_share_runs_in_a_session(self, snapshot: Make, face: Make) -> None:
        followed = Session(SessionConfig(max_snapshots=10, verdict_hysteresis=0.0), HappyShare())
        for at in range(10):
            state = followed.push(snapshot(face(emotion="happy" if at < 4 else "sad", at=at), at=at))
        assert state.satisfaction.verdict is Verdict.POOR
        assert state.end is SessionEnd.MAX_SNAPSHOTS


class TestEnds:
    def test_max_snapshots(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session(max_snapshots=3)
        ends = [followed.push(snapshot(face(at=at), at=at)).end for at in range(3)]
        assert ends == [None, None, SessionEnd.MAX_SNAPSHOTS]
        assert followed.summary().snapshots == 3
        with pytest.raises(SessionError, match="max_snapshots"):
            followed.push(snapshot(face(at=9), at=9))

    def test_marker(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session()
        followed.push(snapshot(face()))
        assert followed.push(Marker(name="end", at=4.0, rating=5)).end is SessionEnd.MARKER
        summary = followed.summary()
        assert (summary.end, summary.rating, summary.interval) == (SessionEnd.MARKER, 5, TimeInterval(0.0, 4.0))

    def test_idle_by_tick_or_by_the_next_push(self, session: Make, snapshot: Make, face: Make) -> None:
        ticked, pushed = session(idle_timeout_seconds=30.0), session(idle_timeout_seconds=30.0)
        for followed in (ticked, pushed):
            followed.push(snapshot(face()), now=100.0)
            assert followed.tick(130.0) is None
        assert ticked.tick(130.1) is SessionEnd.IDLE
        with pytest.raises(SessionError, match="idle"):
            pushed.push(snapshot(face(at=60), at=60), now=160.0)
        assert ticked.summary() == pushed.summary()

    def test_waiting_begins_with_the_first_tick(self, session: Make) -> None:
        followed = session(idle_timeout_seconds=5.0)
        assert followed.tick(1000.0) is None
        assert followed.tick(1006.0) is SessionEnd.IDLE

    @pytest.mark.parametrize("end", [SessionEnd.CLOSED, SessionEnd.DRAINING, SessionEnd.IDLE])
    def test_close_gives_the_summary(self, session: Make, snapshot: Make, face: Make, end: SessionEnd) -> None:
        followed = session(session_id="till-3", site="Main St")
        followed.push(snapshot(face()))
        summary = followed.close(end)
        assert (summary.end, summary.session_id, summary.site) == (end, "till-3", "Main St")
        assert followed.close(SessionEnd.DRAINING) == summary, "the first end stands"

    def test_an_empty_session_has_a_summary(self, session: Make) -> None:
        summary = session().close()
        assert summary.overall.verdict is Verdict.UNDECIDED
        assert (summary.peak_score, summary.end_score, summary.snapshots) == (0.5, 0.5, 0)

    def test_no_summary_before_the_end(self, session: Make) -> None:
        with pytest.raises(SessionError, match="close it"):
            session().summary()

    def test_words_recognised_after_the_last_snapshot_still_count(
        self, session: Make, snapshot: Make, face: Make, words: Make
    ) -> None:
        followed = session(max_snapshots=1)
        followed.push(snapshot(face(at=5), at=5))
        state = followed.push(words(0.2, at=1.0))
        assert state.utterances == 1
        assert set(followed.summary().overall.contributions) == {"face", "voice"}


class TestMarkers:
    def test_phases_hold_their_own_evidence(self, session: Make, snapshot: Make, face: Make, words: Make) -> None:
        followed = session()
        for at in range(10):
            followed.push(snapshot(face(0.2 if at < 5 else 0.9, at=at), at=at))
            if at == 4:
                followed.push(Marker(name="pay", at=4.5))
        followed.push(words(0.2, at=1.0))  # recognised late: said before paying
        start, pay = followed.close().phases
        assert (start.name, start.interval, start.satisfaction.contributions["face"].samples) == (
            "start",
            TimeInterval(0.0, 4.5),
            5,
        )
        assert set(start.satisfaction.contributions) == {"face", "voice"}
        assert (pay.name, pay.interval) == ("pay", TimeInterval(4.5, 9.0))
        assert pay.satisfaction.score == pytest.approx(0.9)

    def test_a_start_marker_before_any_evidence_opens_the_first_phase(
        self, session: Make, snapshot: Make, face: Make
    ) -> None:
        followed = session()
        followed.push(Marker(name="start", at=2.0))
        followed.push(snapshot(face(at=3), at=3))
        (phase,) = followed.close().phases
        assert (phase.name, phase.interval) == ("start", TimeInterval(2.0, 3.0))

    def test_the_last_rating_stands_and_a_marker_without_one_leaves_it(self, session: Make) -> None:
        followed = session()
        followed.push(Marker(name="tap", at=1.0, rating=2))
        followed.push(Marker(name="tap", at=2.0, rating=4))
        followed.push(Marker(name="pay", at=3.0))
        assert followed.close().rating == 4

    def test_a_repeated_marker_is_taken_once(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session()
        followed.push(snapshot(face()))
        for _ in range(2):
            followed.push(Marker(name="pay", at=1.0))
        summary = followed.close()
        assert [phase.name for phase in summary.phases] == ["start", "pay"]
        assert summary.duplicates == 1

    def test_too_many_markers_are_refused(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session()
        followed.push(snapshot(face()))
        for i in range(31):
            followed.push(Marker(name=f"m{i}", at=float(i)))
        with pytest.raises(InputError, match="at most 32"):
            followed.push(Marker(name="m31", at=31.0))

    @pytest.mark.parametrize("values", [{"name": ""}, {"name": "x" * 65}, {"rating": 6}, {"rating": -1}])
    def test_a_marker_is_checked(self, values: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"name|rating"):
            Marker(**{"name": "pay", "at": 0.0, **values})


class TestPeakAndEnd:
    def test_peak_is_the_most_extreme_moment_of_either_sign(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session(half_life_seconds=2.0)
        for at in range(30):
            followed.push(snapshot(face(0.02 if 10 <= at < 20 else 0.7, at=at), at=at))
        summary = followed.close()
        assert summary.peak_score < 0.1
        assert summary.end_score == pytest.approx(0.7, abs=0.03)
        assert summary.peak_end_score == pytest.approx((summary.peak_score + summary.end_score) / 2)

    def test_a_single_doubtful_moment_is_no_peak(self, session: Make, snapshot: Make, face: Make) -> None:
        followed = session()
        followed.push(snapshot(face(0.0, confidence=0.05)))
        for at in range(1, 20):
            followed.push(snapshot(face(0.9, at=at), at=at))
        assert followed.close().peak_score > 0.85

    def test_the_peak_is_the_same_whenever_it_was(self, session: Make, snapshot: Make, face: Make) -> None:
        peaks = set()
        for great in (0, 9, 19):
            followed = session()
            for at in range(20):
                followed.push(snapshot(face(0.95 if at == great else 0.5, at=at), at=at))
            peaks.add(followed.close().peak_score)
        assert len(peaks) == 1


@pytest.mark.parametrize(("redact", "words"), [(False, "never again"), (True, "")])
def test_a_summary_says_what_moved_the_score_and_words_only_where_they_may_be(
    snapshot: Make, face: Make, redact: bool, words: str
) -> None:
    followed = Session(SessionConfig(redact_transcript=redact), Fitted(shipped_model()))
    for at in range(10):
        followed.push(snapshot(face(0.5, at=at, emotion="neutral"), at=at))
    complaint = make_prediction("voice", satisfaction=0.05, confidence=0.8, at=5.0)
    said = replace(complaint, evidence=Transcript("never again"))
    followed.push(Observation(kind=SampleKind.AUDIO, at=5.0, predictions=(said,)))
    (reason,) = followed.close().reasons
    assert (reason.modality, reason.words) == ("voice", words)
    assert reason.effect < -0.1


def test_mismatch_episodes_are_counted_once_each(session: Make, snapshot: Make, face: Make, words: Make) -> None:
    followed = session(half_life_seconds=5.0)
    for start in (0, 100):
        for at in range(start, start + 5):
            followed.push(snapshot(face(0.95, at=at), at=at))
        followed.push(words(0.05, at=start + 3.0, duration=1.0))
        followed.push(snapshot(face(0.95, at=start + 5), at=start + 5))
        for at in range(start + 10, start + 60, 10):
            followed.push(snapshot(face(0.95, at=at), at=at))
    assert followed.close().mismatches == 2


def test_a_session_that_needs_a_consent_refuses_to_open_without() -> None:
    with pytest.raises(SessionError, match="consent"):
        Session(SessionConfig(require_consent=True), HappyShare())
    Session(SessionConfig(require_consent=True, consent=Consent.NOTICE_SHOWN), HappyShare())


class TestConfig:
    def test_settings_and_overrides_meet(self) -> None:
        settings = parse_settings(
            {
                "fusion": {"weights": {"face": 2.0, "voice": 1.0}, "half_life_seconds": 4.0},
                "session": {"customer_policy": "all", "max_snapshots": 7},
            }
        )
        config = SessionConfig.from_settings(settings, weights={"voice": 3.0}, max_snapshots=None, site="A")
        assert config.weights == {"face": 2.0, "voice": 3.0}
        assert (config.half_life_seconds, config.max_snapshots, config.site) == (4.0, 7, "A")
        assert config.customer_policy is CustomerPolicy.ALL

    def test_defaults_are_the_settings_defaults(self) -> None:
        assert SessionConfig.from_settings(Settings()) == SessionConfig()

    @pytest.mark.parametrize(
        "values",
        [
            {"half_life_seconds": 0.0},
            {"half_life_seconds": float("nan")},
            {"max_snapshots": 0},
            {"weights": {"face": -1.0}},
            {"weights": {"face": float("nan")}},
            {"exclude_regions": ((0.0, 0.0, 2.0, 1.0),)},
            {"poor_threshold": 0.7},
            {"site": "x" * 129},
            {"mismatch_pairs": ((("face",), ()),)},
            {"mismatch_pairs": ((("face",), ("voice", "face")),)},
            {"consent": "nobody"},
        ],
    )
    def test_a_wrong_option_is_refused_by_name(self, values: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(values))):
            SessionConfig(**values)


def test_an_observation_is_checked() -> None:
    with pytest.raises(ValueError, match="frame_size"):
        Observation(kind=SampleKind.IMAGE, at=0.0, frame_size=(0, 480))
    with pytest.raises(ValueError, match="finite"):
        Observation(kind=SampleKind.IMAGE, at=float("nan"))


def test_what_is_provisional_changes_nothing() -> None:
    session = Session(SessionConfig(), FakeFuser())
    before = session.push(make_prediction("voice", satisfaction=0.9, at=1.0))
    words = Transcript("terrible", is_final=False, stability=0.5, revision=1)
    provisional = replace(make_prediction("voice", satisfaction=0.0, at=2.0), evidence=words)
    assert session.push(provisional) == before
    observation = Observation(kind=SampleKind.AUDIO, at=2.0, predictions=(provisional,))
    assert session.push(observation) == before
    summary = session.close()
    assert (summary.overall.score, summary.utterances, summary.late, summary.duplicates) == (0.9, 1, 0, 0)
    assert summary.modality_percentages["voice"]["happy"] == 100.0
