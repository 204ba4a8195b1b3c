"""The types of ``mien.types`` as protobuf messages, and back. The server and the client both use it.

Reading is strict on numbers (a message that breaks the contract's ranges is refused by name) and tolerant of enum
values that a newer peer may have added. Pictures, sound and words are ``mien.service.decoding``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mien.errors import MienError
from mien.types import (
    AnalysisResult,
    Box,
    Contribution,
    FaceRegion,
    Prediction,
    Satisfaction,
    ScoreInterval,
    StreamState,
    StreamStatus,
    TimeInterval,
    Transcript,
    Verdict,
    Word,
)
from mien.v1 import sentiment_pb2 as pb

VERDICTS: Final = {
    Verdict.GOOD: pb.VERDICT_GOOD,
    Verdict.POOR: pb.VERDICT_POOR,
    Verdict.UNDECIDED: pb.VERDICT_UNDECIDED,
}
STREAM_STATES: Final = {
    StreamState.OK: pb.STREAM_STATE_OK,
    StreamState.FAILED: pb.STREAM_STATE_FAILED,
    StreamState.TIMED_OUT: pb.STREAM_STATE_TIMED_OUT,
    StreamState.INVALID: pb.STREAM_STATE_INVALID,
    StreamState.UNAVAILABLE: pb.STREAM_STATE_UNAVAILABLE,
}
_VERDICT_OF: Final = {number: verdict for verdict, number in VERDICTS.items()}
_STREAM_STATE_OF: Final = {number: state for state, number in STREAM_STATES.items()}


class WireError(MienError):
    """A message from the other side breaks the contract; the text names the field."""


# To the wire


def result_to_wire(result: AnalysisResult, *, image_width: int = 0, image_height: int = 0) -> pb.AnalyzeResponse:
    """The answer to one moment, with the size of its picture in pixels."""
    return pb.AnalyzeResponse(
        predictions=[prediction_to_wire(prediction) for prediction in result.predictions],
        satisfaction=satisfaction_to_wire(result.satisfaction),
        streams=[stream_status_to_wire(status) for status in result.streams],
        image_width=image_width,
        image_height=image_height,
    )


def prediction_to_wire(prediction: Prediction) -> pb.Prediction:
    """What one analyzer says of one subject."""
    evidence = prediction.evidence
    return pb.Prediction(
        modality=prediction.modality,
        analyzer=prediction.analyzer,
        subject_id=prediction.subject_id,
        emotions=prediction.emotions,
        valence=prediction.valence,
        satisfaction=prediction.satisfaction,
        confidence=prediction.confidence,
        interval=time_interval_to_wire(prediction.interval),
        face=_face_to_wire(evidence) if isinstance(evidence, FaceRegion) else None,
        transcript=_transcript_to_wire(evidence) if isinstance(evidence, Transcript) else None,
        sentiment=prediction.sentiment,
    )


def satisfaction_to_wire(satisfaction: Satisfaction) -> pb.Satisfaction:
    """The one signal."""
    contributions = {
        modality: pb.Contribution(
            weight=part.weight, score=part.score, confidence=part.confidence, samples=part.samples
        )
        for modality, part in satisfaction.contributions.items()
    }
    return pb.Satisfaction(
        score=satisfaction.score,
        interval=pb.ScoreInterval(low=satisfaction.interval.low, high=satisfaction.interval.high),
        confidence=satisfaction.confidence,
        verdict=VERDICTS[satisfaction.verdict],
        contributions=contributions,
        agreement=satisfaction.agreement,
        mismatch=satisfaction.mismatch,
        coverage=satisfaction.coverage,
    )


def stream_status_to_wire(status: StreamStatus) -> pb.StreamStatus:
    """How one analyzer fared."""
    return pb.StreamStatus(
        analyzer=status.analyzer,
        modality=status.modality,
        state=STREAM_STATES[status.state],
        reason=status.reason,
        seconds=status.seconds,
        remark=status.remark,
    )


def time_interval_to_wire(interval: TimeInterval) -> pb.TimeInterval:
    """A stretch of time."""
    return pb.TimeInterval(start_seconds=interval.start, end_seconds=interval.end)


def _face_to_wire(face: FaceRegion) -> pb.FaceRegion:
    return pb.FaceRegion(
        box=pb.Box(x=face.box.x, y=face.box.y, width=face.box.width, height=face.box.height),
        quality=face.quality,
        detection_score=face.detection_score,
        track_id=face.track_id,
        landmarks=[pb.Point(x=x, y=y) for x, y in face.landmarks],
        issues=face.issues,
        brightness=face.brightness,
    )


def _transcript_to_wire(transcript: Transcript) -> pb.Transcript:
    return pb.Transcript(
        text=transcript.text,
        words=[
            pb.Word(text=word.text, interval=time_interval_to_wire(word.interval), confidence=word.confidence)
            for word in transcript.words
        ],
        language=transcript.language,
        engine=transcript.engine,
        confidence=transcript.confidence,
        redacted=transcript.redacted,
        is_final=transcript.is_final,
        stability=transcript.stability,
        revision=transcript.revision,
    )


# From the wire


def result_from_wire(message: pb.AnalyzeResponse) -> AnalysisResult:
    """The answer to one moment.

    Raises:
        WireError: A number is outside its range.
    """
    return AnalysisResult(
        predictions=tuple(prediction_from_wire(prediction) for prediction in message.predictions),
        satisfaction=satisfaction_from_wire(message.satisfaction),
        streams=tuple(stream_status_from_wire(status) for status in message.streams),
    )


def prediction_from_wire(message: pb.Prediction) -> Prediction:
    """What one analyzer says of one subject; the likeliest emotion first. Raises as ``result_from_wire`` does."""
    with _Checked("prediction"):
        return Prediction(
            modality=message.modality,
            analyzer=message.analyzer,
            subject_id=message.subject_id,
            emotions=_ranked(message.emotions),
            valence=message.valence,
            satisfaction=message.satisfaction,
            confidence=message.confidence,
            interval=time_interval_from_wire(message.interval),
            evidence=_evidence_from_wire(message),
            sentiment=_ranked(message.sentiment),
        )


def satisfaction_from_wire(message: pb.Satisfaction) -> Satisfaction:
    """The one signal; a verdict that is not known here is UNDECIDED. Raises as ``result_from_wire`` does."""
    with _Checked("satisfaction"):
        return Satisfaction(
            score=message.score,
            interval=ScoreInterval(message.interval.low, message.interval.high),
            confidence=message.confidence,
            verdict=_VERDICT_OF.get(message.verdict, Verdict.UNDECIDED),
            contributions={
                modality: Contribution(part.weight, part.score, part.confidence, part.samples)
                for modality, part in sorted(message.contributions.items())
            },
            agreement=message.agreement,
            mismatch=message.mismatch,
            coverage=message.coverage,
        )


def stream_status_from_wire(message: pb.StreamStatus) -> StreamStatus:
    """How one analyzer fared; a state that is not known here is FAILED, because it is not OK."""
    return StreamStatus(
        analyzer=message.analyzer,
        modality=message.modality,
        state=_STREAM_STATE_OF.get(message.state, StreamState.FAILED),
        reason=message.reason,
        seconds=message.seconds,
        remark=message.remark,
    )


def time_interval_from_wire(message: pb.TimeInterval) -> TimeInterval:
    """A stretch of time. Raises as ``result_from_wire`` does."""
    with _Checked("interval"):
        return TimeInterval(message.start_seconds, message.end_seconds)


def _evidence_from_wire(message: pb.Prediction) -> FaceRegion | Transcript | None:
    kind = message.WhichOneof("evidence")
    if kind == "face":
        return _face_from_wire(message.face)
    return _transcript_from_wire(message.transcript) if kind == "transcript" else None


def _face_from_wire(message: pb.FaceRegion) -> FaceRegion:
    box = message.box
    return FaceRegion(
        box=Box(box.x, box.y, box.width, box.height),
        quality=message.quality,
        detection_score=message.detection_score,
        track_id=message.track_id,
        landmarks=tuple((point.x, point.y) for point in message.landmarks),
        issues=tuple(message.issues),
        brightness=message.brightness if message.HasField("brightness") else None,
    )


def _transcript_from_wire(message: pb.Transcript) -> Transcript:
    return Transcript(
        text=message.text,
        words=tuple(Word(word.text, time_interval_from_wire(word.interval), word.confidence) for word in message.words),
        language=message.language,
        engine=message.engine,
        confidence=message.confidence,
        redacted=message.redacted,
        # A peer from before there were partial transcripts sends final ones alone.
        is_final=message.is_final if message.HasField("is_final") else True,
        stability=message.stability if message.HasField("stability") else 1.0,
        revision=message.revision,
    )


def _ranked(distribution: Mapping[str, float]) -> dict[str, float]:
    """A protobuf map has no order: the likeliest first, equals by name."""
    return dict(sorted(distribution.items(), key=lambda entry: (-entry[1], entry[0])))


class _Checked:
    """Turns the ``ValueError`` of a type's constructor into a ``WireError`` that says which message it was."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, ValueError):
            raise WireError(f"the message's {self._what} is not valid: {error}") from error
