"""The wire of sessions: events come back as they went, and every enum has numbers of its own."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service.test_wire import FINITE, INTERVAL, NAME, PREDICTION, SATISFACTION, STATUS, UNIT

from mien import MismatchPolicy, Reason
from mien.client import SessionOptions
from mien.client.requests import session_config
from mien.config import Settings
from mien.errors import InputError
from mien.live import Event, Notice, NoticeKind, Partial, Started, Update
from mien.session import Consent, CustomerPolicy, Phase, SessionConfig, SessionEnd, SessionState, SessionSummary
from mien.v1 import sentiment_pb2 as pb
from mien.wire import sessions as wire_session
from mien.wire.values import WireError

COUNT = st.integers(0, 2**32 - 1)
SHARES = st.dictionaries(NAME, st.floats(0, 100), max_size=4)
SUBJECTS = st.dictionaries(NAME, SATISFACTION, max_size=2)
STATE = st.builds(
    SessionState,
    at=FINITE,
    snapshots=COUNT,
    utterances=COUNT,
    satisfaction=SATISFACTION,
    emotion_percentages=SHARES,
    modality_percentages=st.dictionaries(NAME, SHARES, max_size=2),
    subject_id=NAME,
    subjects=SUBJECTS,
    mismatches=COUNT,
)
SUMMARY = st.builds(
    SessionSummary,
    session_id=NAME,
    end=st.sampled_from(SessionEnd),
    interval=INTERVAL,
    overall=SATISFACTION,
    peak_score=UNIT,
    end_score=UNIT,
    peak_end_score=UNIT,
    emotion_percentages=SHARES,
    modality_percentages=st.dictionaries(NAME, SHARES, max_size=2),
    snapshots=COUNT,
    utterances=COUNT,
    frames_dropped=COUNT,
    mismatches=COUNT,
    rating=st.integers(0, 5),
    phases=st.lists(st.builds(Phase, name=NAME, interval=INTERVAL, satisfaction=SATISFACTION), max_size=2).map(tuple),
    subjects=SUBJECTS,
    site=NAME,
    late=COUNT,
    duplicates=COUNT,
    reasons=st.lists(
        st.builds(Reason, modality=NAME, interval=INTERVAL, effect=st.floats(-1, 1), label=NAME, words=NAME),
        max_size=2,
    ).map(tuple),
)
NAMES = st.lists(NAME, max_size=3).map(tuple)
EVENT = st.one_of(
    st.builds(Started, session_id=NAME, analyzers=NAMES, expected_modalities=NAMES),
    st.builds(
        Update,
        state=STATE,
        predictions=st.lists(PREDICTION, max_size=2).map(tuple),
        streams=st.lists(STATUS, max_size=2).map(tuple),
    ),
    st.builds(Partial, prediction=PREDICTION),
    st.builds(Notice, kind=st.sampled_from(NoticeKind), message=NAME, at=FINITE),
    SUMMARY,
)


@given(event=EVENT)
def test_an_event_comes_back_as_it_went(event: Event) -> None:
    sent = wire_session.event_to_wire(event).SerializeToString()
    assert wire_session.event_from_wire(pb.StreamSessionResponse.FromString(sent)) == event


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        (wire_session.CONSENTS, Consent),
        (wire_session.CUSTOMER_POLICIES, CustomerPolicy),
        (wire_session.MISMATCH_POLICIES, MismatchPolicy),
        (wire_session.NOTICE_KINDS, NoticeKind),
        (wire_session.SESSION_ENDS, SessionEnd),
    ],
)
def test_every_member_has_a_number_of_its_own(numbers: dict[StrEnum, int], kind: type[StrEnum]) -> None:
    assert set(numbers) == set(kind)
    assert len(set(numbers.values())) == len(numbers)


def test_what_a_newer_server_adds_is_passed_over_and_a_broken_summary_is_not() -> None:
    assert wire_session.event_from_wire(pb.StreamSessionResponse()) is None
    assert wire_session.event_from_wire(pb.StreamSessionResponse(notice=pb.Notice(kind=77))) is None
    with pytest.raises(WireError, match="number 77"):
        wire_session.event_from_wire(pb.StreamSessionResponse(summary=pb.SessionSummary(end=77)))


def test_every_option_of_a_caller_reaches_the_session() -> None:
    options = SessionOptions(
        session_id="visit",
        site="till",
        analyzers=("face",),
        fuser="happy_share",
        weights={"face": 2.0},
        consent="given",
        snapshot_interval_seconds=0.0,
        max_snapshots=7,
        half_life_seconds=3.0,
        idle_timeout_seconds=9.0,
        customer_policy="all",
        mismatch_policy=MismatchPolicy.TRUST_WORDS,
        exclude_regions=[(0.0, 0.0, 0.5, 1.0)],
        redact_transcript=True,
        partials=True,
        expected_modalities=("face", "voice"),
    )
    given = wire_session.config_overrides(session_config(options).config)
    assert SessionConfig.from_settings(Settings(), **given) == SessionConfig(
        session_id="visit",
        site="till",
        analyzers=("face",),
        fuser="happy_share",
        weights={"face": 2.0},
        consent=Consent.GIVEN,
        snapshot_interval_seconds=0.0,
        max_snapshots=7,
        half_life_seconds=3.0,
        idle_timeout_seconds=9.0,
        customer_policy=CustomerPolicy.ALL,
        mismatch_policy=MismatchPolicy.TRUST_WORDS,
        exclude_regions=((0.0, 0.0, 0.5, 1.0),),
        redact_transcript=True,
        partials=True,
        expected_modalities=frozenset({"face", "voice"}),
    )


def test_options_that_a_caller_leaves_are_the_servers() -> None:
    given = wire_session.config_overrides(session_config(SessionOptions()).config)
    assert SessionConfig.from_settings(Settings(), **given) == SessionConfig.from_settings(Settings())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (SessionOptions(consent="maybe"), "consent must be one of"),
        (SessionOptions(customer_policy="nobody"), "customer_policy must be one of primary, all"),
        (SessionOptions(max_snapshots=-1), "wrong type or size"),
        (SessionOptions(analyzers="face"), "must be a sequence of names"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_sent(options: SessionOptions, words: str) -> None:
    with pytest.raises(InputError, match=words):
        session_config(options)
