"""What goes into a session and what comes out.

Field names are those of the wire contract; times are seconds on the caller's clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from mien.session.config import SessionConfig
from mien.types import FaceRegion, Modality, Prediction, Reason, SampleKind, Satisfaction, TimeInterval

MAX_MARKER_NAME: Final = 64
"""Characters of a marker's name."""

START: Final = "start"
END: Final = "end"


def mismatch_message(satisfaction: Satisfaction) -> str:
    """What a mismatch is, for a person: between face and words, unless modalities beside mien's own spoke too."""
    sides = "face and words" if set(satisfaction.contributions) <= set(Modality) else "modalities"
    return f"{sides} point opposite ways"


class SessionEnd(StrEnum):
    """Why a session ended."""

    MAX_SNAPSHOTS = "max_snapshots"
    MARKER = "marker"
    IDLE = "idle"
    NEXT_CUSTOMER = "next_customer"
    CLOSED = "closed"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the analyzers said of one sample: of one picture, or of one utterance. Empty where nobody was there.

    Attributes:
        kind: What the sample was; an IMAGE is a snapshot.
        at: When it was captured, seconds on the caller's clock.
        predictions: Of all analyzers that were asked about this sample.
        frame_size: Width and height of the picture in pixels, where there is one; needed to tell a central face from
            one at the edge, and to leave regions out.
    """

    kind: SampleKind
    at: float
    predictions: tuple[Prediction, ...] = ()
    frame_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.at):
            raise ValueError(f"at must be finite, got {self.at}")
        if self.frame_size is not None and min(self.frame_size) < 1:
            raise ValueError(f"frame_size must be at least 1 x 1, got {self.frame_size}")

    @classmethod
    def of(cls, prediction: Prediction) -> Observation:
        """A single prediction as an observation, captured at its end."""
        is_face = isinstance(prediction.evidence, FaceRegion) or prediction.modality == Modality.FACE
        kind = SampleKind.IMAGE if is_face else SampleKind.TEXT
        return cls(kind=kind, at=prediction.interval.end, predictions=(prediction,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Something that happened in the interaction.

    Attributes:
        name: ``start``, ``pay``, ``end`` (ends the session), or a name of the caller's own, 1 to 64 characters.
        at: When, seconds on the caller's clock.
        rating: A tap rating, 1 to 5; 0 if there was none.
    """

    name: str
    at: float
    rating: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= MAX_MARKER_NAME:
            raise ValueError(f"a marker's name must have 1 to {MAX_MARKER_NAME} characters, got {len(self.name)}")
        if not math.isfinite(self.at):
            raise ValueError(f"at must be finite, got {self.at}")
        if not 0 <= self.rating <= 5:
            raise ValueError(f"a rating must be 1 to 5, or 0 for none, got {self.rating}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What a session's summary rests on: all that came in, in order. No picture and no sound.

    Attributes:
        config: The session's options.
        items: What the analyzers said of each sample, and markers. Words were taken out where they are redacted.
        end: Why it ended.
        frames_dropped: Pictures that were left out.
    """

    config: SessionConfig
    items: tuple[Observation | Marker, ...]
    end: SessionEnd
    frames_dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """Where a session stands.

    Attributes:
        at: Time of the newest evidence, seconds.
        snapshots: Pictures analysed so far.
        utterances: Pieces of speech or text that said something.
        satisfaction: The running score: evidence decays with its age.
        emotion_percentages: Emotion -> 100 x (times classified) / (classifications so far), over the customer's face.
        subject_id: The customer whose satisfaction it is; empty before one was seen, and where everybody's counts.
        subjects: Subject -> their own, as of when they were last seen, where everybody's counts.
        mismatches: How often modalities began to point opposite ways.
        modality_percentages: Modality -> the same of its predictions, for every modality that has said something.
        end: Why the session ended; None while it goes on.
    """

    at: float
    snapshots: int
    utterances: int
    satisfaction: Satisfaction
    emotion_percentages: Mapping[str, float] = field(default_factory=dict)
    subject_id: str = ""
    subjects: Mapping[str, Satisfaction] = field(default_factory=dict)
    mismatches: int = 0
    modality_percentages: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    end: SessionEnd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The time between two markers.

    Attributes:
        name: The marker that began it; ``start`` for the first.
        interval: Seconds on the caller's clock.
        satisfaction: Over the phase, undecayed.
    """

    name: str
    interval: TimeInterval
    satisfaction: Satisfaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """The whole of one interaction.

    Attributes:
        session_id: The caller's name for it.
        end: Why it ended.
        interval: From the first to the last evidence or marker, seconds; time in which nobody was seen or heard
            before or after is no part of it.
        overall: Over the whole interaction, undecayed.
        peak_score: The score of the most extreme moment by itself: where its interval is furthest clear of 0.5.
        end_score: The running score at the last evidence.
        peak_end_score: Mean of peak and end, which is what people remember (Kahneman et al. 1993).
        emotion_percentages: As in ``SessionState``.
        snapshots: Pictures analysed.
        utterances: Pieces of speech or text that said something.
        frames_dropped: Pictures left out because newer ones had arrived.
        mismatches: As in ``SessionState``.
        rating: Tap rating, 1 to 5; 0 if there was none.
        phases: Between markers, in order of time.
        subjects: Subject -> their own, undecayed, where everybody's counts.
        site: The caller's name for the place.
        late: Observations that came too late to count.
        duplicates: Observations and markers that came again.
        modality_percentages: As in ``SessionState``.
        conditions: What the customer was seen under, means over the pictures that counted: ``quality``, ``brightness``
            (where the analyzer tells it), ``face_height`` (share of the picture's) and ``confidence``, each in [0, 1].
        ledger: What it rests on, where ``keep_ledger`` asked for it; for records, not on the wire.
        reasons: The moments that moved the overall score, the strongest first, where the fuser can tell them.
    """

    session_id: str
    end: SessionEnd
    interval: TimeInterval
    overall: Satisfaction
    peak_score: float
    end_score: float
    peak_end_score: float
    emotion_percentages: Mapping[str, float]
    snapshots: int
    utterances: int
    frames_dropped: int = 0
    mismatches: int = 0
    rating: int = 0
    phases: tuple[Phase, ...] = ()
    subjects: Mapping[str, Satisfaction] = field(default_factory=dict)
    site: str = ""
    late: int = 0
    duplicates: int = 0
    modality_percentages: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    conditions: Mapping[str, float] = field(default_factory=dict)
    ledger: Annotated[Ledger | None, Field(exclude=True)] = None
    reasons: tuple[Reason, ...] = ()
