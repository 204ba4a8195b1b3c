"""What a session is told and what it tells, as protobuf messages, and back. The server and the client both use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mien.interfaces import MismatchPolicy, NewCustomer
from mien.live import Event, Notice, NoticeKind, Partial, Started, Update
from mien.session import Consent, CustomerPolicy, Marker, Phase, SessionEnd, SessionState, SessionSummary
from mien.types import Reason, Satisfaction
from mien.v1 import sentiment_pb2 as pb
from mien.wire.values import (
    WireError,
    prediction_from_wire,
    prediction_to_wire,
    satisfaction_from_wire,
    satisfaction_to_wire,
    stream_status_from_wire,
    stream_status_to_wire,
    time_interval_from_wire,
    time_interval_to_wire,
)

CONSENTS: Final = {
    Consent.UNSPECIFIED: pb.CONSENT_UNSPECIFIED,
    Consent.NOTICE_SHOWN: pb.CONSENT_NOTICE_SHOWN,
    Consent.GIVEN: pb.CONSENT_GIVEN,
}
CUSTOMER_POLICIES: Final = {
    CustomerPolicy.PRIMARY: pb.CUSTOMER_POLICY_PRIMARY,
    CustomerPolicy.ALL: pb.CUSTOMER_POLICY_ALL,
}
MISMATCH_POLICIES: Final = {
    MismatchPolicy.BLEND: pb.MISMATCH_POLICY_BLEND,
    MismatchPolicy.TRUST_WORDS: pb.MISMATCH_POLICY_TRUST_WORDS,
    MismatchPolicy.TRUST_FACE: pb.MISMATCH_POLICY_TRUST_FACE,
    MismatchPolicy.ABSTAIN: pb.MISMATCH_POLICY_ABSTAIN,
}
NEW_CUSTOMERS: Final = {
    NewCustomer.END: pb.NEW_CUSTOMER_END,
    NewCustomer.RESTART: pb.NEW_CUSTOMER_RESTART,
}
NOTICE_KINDS: Final = {
    NoticeKind.MISMATCH: pb.NOTICE_KIND_MISMATCH,
    NoticeKind.STREAM: pb.NOTICE_KIND_STREAM,
    NoticeKind.FRAME_DROPPED: pb.NOTICE_KIND_FRAME_DROPPED,
    NoticeKind.BAD_INPUT: pb.NOTICE_KIND_BAD_INPUT,
    NoticeKind.DRAINING: pb.NOTICE_KIND_DRAINING,
    NoticeKind.RESUMED: pb.NOTICE_KIND_RESUMED,
}
SESSION_ENDS: Final = {
    SessionEnd.MAX_SNAPSHOTS: pb.SESSION_END_MAX_SNAPSHOTS,
    SessionEnd.MARKER: pb.SESSION_END_MARKER,
    SessionEnd.IDLE: pb.SESSION_END_IDLE,
    SessionEnd.CLOSED: pb.SESSION_END_CLOSED,
    SessionEnd.DRAINING: pb.SESSION_END_DRAINING,
    SessionEnd.NEXT_CUSTOMER: pb.SESSION_END_NEXT_CUSTOMER,
}
_NOTICE_KIND_OF: Final = {number: kind for kind, number in NOTICE_KINDS.items()}
_SESSION_END_OF: Final = {number: end for end, number in SESSION_ENDS.items()}
_ENUM_NUMBERS: Final[Mapping[str, Mapping[Any, int]]] = {
    "consent": CONSENTS,
    "customer_policy": CUSTOMER_POLICIES,
    "mismatch_policy": MISMATCH_POLICIES,
    "new_customer": NEW_CUSTOMERS,
}
"""Option of a session -> the numbers of its words."""


def marker_to_wire(marker: Marker) -> pb.Marker:
    """Something that happened."""
    return pb.Marker(name=marker.name, at_seconds=marker.at, rating=marker.rating)


def config_overrides(message: pb.SessionConfig) -> dict[str, Any]:
    """What a caller set, by the names of ``mien.session.SessionConfig``; not yet checked.

    A field has the name of its option. What was left unset is left out, and so is a word that is not known here.
    """
    given = {field.name: _option_from_wire(field.name, value) for field, value in message.ListFields()}
    return {name: value for name, value in given.items() if value is not None}


def config_to_wire(options: Mapping[str, Any]) -> pb.SessionConfig:
    """What a caller sets, by the names of ``mien.session.SessionConfig``; None is the server's."""
    given = {name: value for name, value in options.items() if value is not None}
    for name, numbers in _ENUM_NUMBERS.items():
        if name in given:
            given[name] = numbers[given[name]]
    given["exclude_regions"] = [
        pb.Region(x=x, y=y, width=width, height=height) for x, y, width, height in given.get("exclude_regions", ())
    ]
    return pb.SessionConfig(**given)


def event_to_wire(event: Event) -> pb.StreamSessionResponse:
    """Anything a session tells."""
    if isinstance(event, Started):
        started = pb.SessionStarted(
            session_id=event.session_id,
            analyzers=event.analyzers,
            expected_modalities=event.expected_modalities,
            resume_token=event.resume_token,
        )
        return pb.StreamSessionResponse(started=started)
    if isinstance(event, Update):
        update = pb.SessionUpdate(
            predictions=[prediction_to_wire(prediction) for prediction in event.predictions],
            state=_state_to_wire(event.state),
            streams=[stream_status_to_wire(status) for status in event.streams],
            sequence=event.sequence,
        )
        return pb.StreamSessionResponse(update=update)
    if isinstance(event, Notice):
        notice = pb.Notice(
            kind=NOTICE_KINDS[event.kind], message=event.message, at_seconds=event.at, sequence=event.sequence
        )
        return pb.StreamSessionResponse(notice=notice)
    if isinstance(event, Partial):
        return pb.StreamSessionResponse(partial=pb.SessionPartial(prediction=prediction_to_wire(event.prediction)))
    return pb.StreamSessionResponse(summary=_summary_to_wire(event))


def event_from_wire(message: pb.StreamSessionResponse) -> Event | None:
    """Anything a session tells; None for what a newer server may have added.

    Raises:
        WireError: A number is outside its range.
    """
    kind = message.WhichOneof("payload")
    if kind == "started":
        started = message.started
        return Started(
            session_id=started.session_id,
            analyzers=tuple(started.analyzers),
            expected_modalities=tuple(started.expected_modalities),
            resume_token=started.resume_token,
        )
    if kind == "update":
        return Update(
            predictions=tuple(prediction_from_wire(each) for each in message.update.predictions),
            state=_state_from_wire(message.update.state),
            streams=tuple(stream_status_from_wire(each) for each in message.update.streams),
            sequence=message.update.sequence,
        )
    if kind == "notice":
        notice = message.notice
        if notice.kind not in _NOTICE_KIND_OF:
            return None
        kind_of = _NOTICE_KIND_OF[notice.kind]
        return Notice(kind=kind_of, message=notice.message, at=notice.at_seconds, sequence=notice.sequence)
    if kind == "partial":
        return Partial(prediction=prediction_from_wire(message.partial.prediction))
    return _summary_from_wire(message.summary) if kind == "summary" else None


def _option_from_wire(name: str, value: Any) -> Any:
    """The option as ``SessionConfig`` takes it; None for an enum's member that is not known here."""
    if name in _ENUM_NUMBERS:
        return _key_of(_ENUM_NUMBERS[name], value)
    return _CONVERSIONS[name](value) if name in _CONVERSIONS else value


def _regions(regions: Sequence[pb.Region]) -> tuple[tuple[float, float, float, float], ...]:
    return tuple((region.x, region.y, region.width, region.height) for region in regions)


_CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "analyzers": lambda names: tuple(dict.fromkeys(names)),
    "weights": dict,
    "exclude_regions": _regions,
    "expected_modalities": frozenset,
}
"""Option of a session -> from protobuf's containers to plain ones."""


def _state_to_wire(state: SessionState) -> pb.SessionState:
    return pb.SessionState(
        at_seconds=state.at,
        snapshots=state.snapshots,
        utterances=state.utterances,
        satisfaction=satisfaction_to_wire(state.satisfaction),
        emotion_percentages=state.emotion_percentages,
        modality_percentages=_modalities_to_wire(state.modality_percentages),
        subject_id=state.subject_id,
        subjects=_subjects_to_wire(state.subjects),
        mismatches=state.mismatches,
    )


def _state_from_wire(message: pb.SessionState) -> SessionState:
    return SessionState(
        at=message.at_seconds,
        snapshots=message.snapshots,
        utterances=message.utterances,
        satisfaction=satisfaction_from_wire(message.satisfaction),
        emotion_percentages=_by_share(message.emotion_percentages),
        modality_percentages=_modalities_from_wire(message.modality_percentages),
        subject_id=message.subject_id,
        subjects=_subjects_from_wire(message.subjects),
        mismatches=message.mismatches,
    )


def _summary_to_wire(summary: SessionSummary) -> pb.SessionSummary:
    return pb.SessionSummary(
        session_id=summary.session_id,
        end=SESSION_ENDS[summary.end],
        interval=time_interval_to_wire(summary.interval),
        overall=satisfaction_to_wire(summary.overall),
        peak_score=summary.peak_score,
        end_score=summary.end_score,
        peak_end_score=summary.peak_end_score,
        emotion_percentages=summary.emotion_percentages,
        modality_percentages=_modalities_to_wire(summary.modality_percentages),
        snapshots=summary.snapshots,
        utterances=summary.utterances,
        frames_dropped=summary.frames_dropped,
        mismatches=summary.mismatches,
        rating=summary.rating,
        phases=[
            pb.Phase(
                name=phase.name,
                interval=time_interval_to_wire(phase.interval),
                satisfaction=satisfaction_to_wire(phase.satisfaction),
            )
            for phase in summary.phases
        ],
        subjects=_subjects_to_wire(summary.subjects),
        site=summary.site,
        late=summary.late,
        duplicates=summary.duplicates,
        conditions=summary.conditions,
        reasons=[
            pb.Reason(
                modality=reason.modality,
                interval=time_interval_to_wire(reason.interval),
                effect=reason.effect,
                label=reason.label,
                words=reason.words,
            )
            for reason in summary.reasons
        ],
    )


def _summary_from_wire(message: pb.SessionSummary) -> SessionSummary:
    if message.end not in _SESSION_END_OF:
        raise WireError(f"the message's summary is not valid: there is no end of a session with number {message.end}")
    return SessionSummary(
        session_id=message.session_id,
        end=_SESSION_END_OF[message.end],
        interval=time_interval_from_wire(message.interval),
        overall=satisfaction_from_wire(message.overall),
        peak_score=message.peak_score,
        end_score=message.end_score,
        peak_end_score=message.peak_end_score,
        emotion_percentages=_by_share(message.emotion_percentages),
        modality_percentages=_modalities_from_wire(message.modality_percentages),
        snapshots=message.snapshots,
        utterances=message.utterances,
        frames_dropped=message.frames_dropped,
        mismatches=message.mismatches,
        rating=message.rating,
        phases=tuple(
            Phase(
                name=phase.name,
                interval=time_interval_from_wire(phase.interval),
                satisfaction=satisfaction_from_wire(phase.satisfaction),
            )
            for phase in message.phases
        ),
        subjects=_subjects_from_wire(message.subjects),
        site=message.site,
        late=message.late,
        duplicates=message.duplicates,
        conditions=dict(sorted(message.conditions.items())),
        reasons=tuple(
            Reason(
                modality=reason.modality,
                interval=time_interval_from_wire(reason.interval),
                effect=reason.effect,
                label=reason.label,
                words=reason.words,
            )
            for reason in message.reasons
        ),
    )


def _subjects_to_wire(subjects: Mapping[str, Satisfaction]) -> dict[str, pb.Satisfaction]:
    return {name: satisfaction_to_wire(satisfaction) for name, satisfaction in subjects.items()}


def _subjects_from_wire(subjects: Mapping[str, pb.Satisfaction]) -> dict[str, Satisfaction]:
    return {name: satisfaction_from_wire(satisfaction) for name, satisfaction in sorted(subjects.items())}


def _modalities_to_wire(percentages: Mapping[str, Mapping[str, float]]) -> dict[str, pb.EmotionPercentages]:
    return {modality: pb.EmotionPercentages(emotions=emotions) for modality, emotions in percentages.items()}


def _modalities_from_wire(percentages: Mapping[str, pb.EmotionPercentages]) -> dict[str, dict[str, float]]:
    return {modality: _by_share(each.emotions) for modality, each in sorted(percentages.items())}


def _by_share(percentages: Mapping[str, float]) -> dict[str, float]:
    """A protobuf map has no order: the largest first, equals by name."""
    return dict(sorted(percentages.items(), key=lambda entry: (-entry[1], entry[0])))


def _key_of(numbers: Mapping[Any, int], number: int) -> Any:
    """The enum's member of a number; None for one that is unspecified or not known here."""
    return next((key for key, known in numbers.items() if known == number), None)
