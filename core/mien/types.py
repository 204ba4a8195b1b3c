"""The values that cross the seams: samples in, predictions and satisfaction out.

Frozen dataclasses over numpy and builtins, nothing else: no protobuf, no OpenCV, no JAX. Units stand beside each field.
Constructors check what a caller can get wrong and raise ``ValueError`` naming the offending value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

PROBABILITY_TOLERANCE: Final = 1e-3
"""How far a distribution's sum may stray from 1 before it is refused."""


class Modality(StrEnum):
    """The modalities mien itself speaks of; a plugin may bring another name, so fields are typed ``str``."""

    FACE = "face"
    VOICE = "voice"
    TEXT = "text"


class SampleKind(StrEnum):
    """What an analyzer takes in."""

    IMAGE = "image"
    AUDIO = "audio"
    TEXT = "text"


class Verdict(StrEnum):
    """What a score is taken to mean. UNDECIDED is an answer: too little evidence, or evidence against itself."""

    GOOD = "good"
    POOR = "poor"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, eq=False)
class ImageFrame:
    """One picture.

    Attributes:
        pixels: uint8 RGB, ``[height, width, 3]``, upright.
        captured_at: Seconds on the caller's clock (any origin, the same for one session).

    Raises:
        ValueError: The array is not uint8 ``[H, W, 3]`` with both sides at least 1.
    """

    pixels: npt.NDArray[np.uint8]
    captured_at: float = 0.0

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or min(shape[:2]) < 1:
            raise ValueError(f"pixels must be uint8 [height, width, 3], got {self.pixels.dtype} {list(shape)}")
        _check_finite("captured_at", self.captured_at)


@dataclass(frozen=True, slots=True, eq=False)
class AudioClip:
    """A piece of sound.

    Attributes:
        samples: float32 mono, ``[time]``, in [-1, 1].
        sample_rate: Samples a second, Hz.
        captured_at: When the first sample was heard, seconds on the caller's clock.

    Raises:
        ValueError: The array is not float32 ``[T]``, holds NaN or infinity, or the rate is not positive.
    """

    samples: npt.NDArray[np.float32]
    sample_rate: int
    captured_at: float = 0.0

    def __post_init__(self) -> None:
        if self.samples.dtype != np.float32 or self.samples.ndim != 1:
            raise ValueError(f"samples must be float32 [time], got {self.samples.dtype} {list(self.samples.shape)}")
        if self.sample_rate <= 0:
            raise ValueError(f"sample_rate must be positive, got {self.sample_rate}")
        if not bool(np.isfinite(self.samples).all()):
            raise ValueError("samples must be finite, found NaN or infinity")
        _check_finite("captured_at", self.captured_at)

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words somebody said, from a caller who brings their own transcript.

    Attributes:
        text: The words.
        language: BCP 47 tag; empty if unknown.
        captured_at: When it was said, seconds on the caller's clock.
        duration_seconds: How long it took to say; 0 if unknown.
    """

    text: str
    language: str = ""
    captured_at: float = 0.0
    duration_seconds: float = 0.0

    def __post_init__(self) -> None:
        _check_finite("captured_at", self.captured_at)
        if not (math.isfinite(self.duration_seconds) and self.duration_seconds >= 0):
            raise ValueError(f"duration_seconds must be finite and not negative, got {self.duration_seconds}")


Sample: TypeAlias = ImageFrame | AudioClip | Utterance
"""Anything an analyzer can be given."""


def kind_of(sample: Sample) -> SampleKind:
    """The kind that an analyzer's ``accepts`` would name for this sample."""
    if isinstance(sample, ImageFrame):
        return SampleKind.IMAGE
    return SampleKind.AUDIO if isinstance(sample, AudioClip) else SampleKind.TEXT


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A closed stretch of time, seconds on the caller's clock: ``start <= end``, both finite."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start <= self.end):
            raise ValueError(f"an interval needs finite start <= end, got [{self.start}, {self.end}]")


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """A closed stretch of a scale, such as that of a score: ``low <= high``, both finite."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(f"an interval needs finite low <= high, got [{self.low}, {self.high}]")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the picture it belongs to: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        for name in ("x", "y", "width", "height"):
            _check_finite(name, getattr(self, name))
        if self.width < 0 or self.height < 0:
            raise ValueError(f"a box cannot have negative size, got {self.width} x {self.height}")

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, in [0, 1]; 0 where both are empty."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def intersection(self, other: Box) -> float:
        """Area that lies in both boxes, square pixels."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(across, 0.0) * max(down, 0.0)


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """The part of a picture that a face prediction rests on.

    Attributes:
        box: The face, pixels of the analysed picture.
        quality: [0, 1]; 1 is large, sharp and well lit.
        detection_score: The detector's own confidence, [0, 1].
        track_id: Stable within a session, made from geometry alone; empty outside a session.
        landmarks: Points (x, y) in pixels, where the detector has them: right eye, left eye, nose, right and left
            mouth corner.
        issues: What lowered the quality, such as ``small``, ``blurred``, ``dark``, ``bright``.
        brightness: Mean of the face's grey levels, [0, 1]; None where it was not measured.
    """

    box: Box
    quality: float
    detection_score: float = 1.0
    track_id: str = ""
    landmarks: tuple[tuple[float, float], ...] = ()
    issues: tuple[str, ...] = ()
    brightness: float | None = None

    def __post_init__(self) -> None:
        _check_unit("quality", self.quality)
        _check_unit("detection_score", self.detection_score)
        if self.brightness is not None:
            _check_unit("brightness", self.brightness)


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word: when it was said (seconds on the caller's clock) and how sure the engine is, [0, 1]."""

    text: str
    interval: TimeInterval
    confidence: float = 1.0

    def __post_init__(self) -> None:
        _check_unit("confidence", self.confidence)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words that a voice or text prediction rests on.

    Attributes:
        text: What was said; empty where it was redacted.
        words: The same with times, where the engine has them.
        language: BCP 47 tag; empty if unknown.
        engine: The transcriber's name; ``caller`` where the text came with the request.
        confidence: The engine's, [0, 1].
        redacted: The text was taken out on purpose.
        is_final: The engine will not change it; a partial transcript is what it has heard so far of an utterance that
            goes on.
        stability: How much of the text will stay as it is, [0, 1]; 1 for a final one.
        revision: Grows with each transcript of one utterance, and the final one has the highest; 0 where there was no
            partial one.
    """

    text: str
    words: tuple[Word, ...] = ()
    language: str = ""
    engine: str = "caller"
    confidence: float = 1.0
    redacted: bool = False
    is_final: bool = True
    stability: float = 1.0
    revision: int = 0

    def __post_init__(self) -> None:
        _check_unit("confidence", self.confidence)
        _check_unit("stability", self.stability)
        if self.revision < 0:
            raise ValueError(f"revision must not be negative, got {self.revision}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What one analyzer says of one subject at one moment.

    Attributes:
        modality: ``face``, ``voice``, ``text``, or a plugin's own.
        emotions: Label -> probability; sums to 1.
        valence: [-1, 1]; negative is unpleasant.
        satisfaction: [0, 1]; this modality's evidence, 0.5 says nothing either way.
        confidence: [0, 1]; how far to trust it (calibrated model confidence times the sample's quality).
        interval: The stretch of time it speaks of, seconds on the caller's clock.
        subject_id: Who it is about, unique within a request or session.
        analyzer: The registered name of the analyzer that made it; the engine fills it in.
        evidence: The face or the words it rests on.
        sentiment: Label -> probability over positive, negative, ambiguous and neutral, where the analyzer has it.

    Raises:
        ValueError: A number is NaN or outside its range, or ``emotions`` does not sum to 1.
    """

    modality: str
    emotions: Mapping[str, float]
    valence: float
    satisfaction: float
    confidence: float
    interval: TimeInterval
    subject_id: str = ""
    analyzer: str = ""
    evidence: FaceRegion | Transcript | None = None
    sentiment: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.modality:
            raise ValueError("modality must not be empty")
        object.__setattr__(self, "emotions", _distribution("emotions", self.emotions))
        if self.sentiment:
            object.__setattr__(self, "sentiment", _distribution("sentiment", self.sentiment))
        if not -1.0 <= self.valence <= 1.0:
            raise ValueError(f"valence must lie in [-1, 1], got {self.valence}")
        _check_unit("satisfaction", self.satisfaction)
        _check_unit("confidence", self.confidence)

    @property
    def is_provisional(self) -> bool:
        """Whether it rests on words that are not final: something to show, which counts in no score."""
        return isinstance(self.evidence, Transcript) and not self.evidence.is_final

    @property
    def top_emotion(self) -> str:
        """The most probable label; the first of equals, in the order of ``emotions``."""
        return max(self.emotions, key=self.emotions.__getitem__)


@dataclass(frozen=True, slots=True)
class Contribution:
    """One modality's part in a fused score.

    Attributes:
        weight: Its share of the score, [0, 1]; the shares of all modalities present sum to 1.
        score: Its evidence, [0, 1].
        confidence: Its confidence, [0, 1].
        samples: How many predictions it rests on.
    """

    weight: float
    score: float
    confidence: float = 1.0
    samples: int = 1

    def __post_init__(self) -> None:
        for name in ("weight", "score", "confidence"):
            _check_unit(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A moment that moved a score.

    Attributes:
        modality: Whose it is.
        interval: When it was, seconds on the caller's clock.
        effect: What the score would lose without it, [-1, 1]; negative where the moment spoke against satisfaction.
        label: The emotion that was shown or said most.
        words: What was said, shortened; empty for a face, and where words are not given out.
    """

    modality: str
    interval: TimeInterval
    effect: float
    label: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        if not -1.0 <= self.effect <= 1.0:
            raise ValueError(f"effect must lie in [-1, 1], got {self.effect}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Satisfaction:
    """The one signal. Its fields are the same whichever modalities took part.

    Attributes:
        score: [0, 1]; 0.5 is neutral, and calibrated it is the probability of a satisfied customer.
        interval: Where the score lies with 90 % probability, inside [0, 1].
        confidence: [0, 1]; 0 where nothing was seen or heard.
        verdict: What the score is taken to mean.
        contributions: Modality -> its part; empty where nothing was seen or heard.
        agreement: [0, 1]; 1 where the modalities say the same (or only one spoke).
        mismatch: Modalities that are held against each other (face and words, unless configured) point opposite
            ways, and both are confident.
        coverage: Share of the expected evidence that arrived, [0, 1].
    """

    score: float
    interval: ScoreInterval
    confidence: float
    verdict: Verdict
    contributions: Mapping[str, Contribution] = field(default_factory=dict)
    agreement: float = 1.0
    mismatch: bool = False
    coverage: float = 1.0

    def __post_init__(self) -> None:
        for name in ("score", "confidence", "agreement", "coverage"):
            _check_unit(name, getattr(self, name))
        _check_unit("interval.low", self.interval.low)
        _check_unit("interval.high", self.interval.high)
        object.__setattr__(self, "contributions", dict(self.contributions))


class StreamState(StrEnum):
    """What became of one analyzer's part of a request."""

    OK = "ok"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How one analyzer fared on one request.

    Attributes:
        analyzer: Its registered name.
        modality: Its modality.
        state: OK where it answered, also with "no face" or "no speech".
        reason: One sentence for a person where it is not OK; no traceback.
        seconds: Time from submission to answer.
        remark: One sentence for a person beside an answer, such as what was found and left out; nothing of what was
            said. Empty for nothing to remark.
    """

    analyzer: str
    modality: str
    state: StreamState
    reason: str = ""
    seconds: float = 0.0
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisResult:
    """The answer to one request.

    Attributes:
        predictions: Everything that was seen and heard, by analyzer, then in the analyzer's order.
        satisfaction: The fused signal.
        streams: One entry for each analyzer that was asked.
    """

    predictions: tuple[Prediction, ...]
    satisfaction: Satisfaction
    streams: tuple[StreamStatus, ...] = ()

    @property
    def missing(self) -> tuple[StreamStatus, ...]:
        """The streams that should have answered and did not."""
        return tuple(status for status in self.streams if status.state is not StreamState.OK)


def is_weight(value: float) -> bool:
    """Whether a modality can weigh so much: finite and not negative."""
    return 0.0 <= value < math.inf  # False for NaN too


def _check_unit(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:  # False for NaN too
        raise ValueError(f"{name} must lie in [0, 1], got {value}")


def _check_finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")


def _distribution(name: str, values: Mapping[str, float]) -> Mapping[str, float]:
    """A copy of ``values``, checked to be a distribution; a plain dict, so that results pickle and serialise."""
    copied = {str(label): float(value) for label, value in values.items()}
    for label, value in copied.items():
        _check_unit(f"{name}[{label!r}]", value)
    total = math.fsum(copied.values())
    if abs(total - 1.0) > PROBABILITY_TOLERANCE:
        raise ValueError(f"{name} must sum to 1, got {total:.6f} over {len(copied)} labels")
    return copied


UNKNOWN_SATISFACTION: Final = Satisfaction(
    score=0.5, interval=ScoreInterval(0.0, 1.0), confidence=0.0, verdict=Verdict.UNDECIDED, coverage=0.0
)
"""The answer where there is no evidence at all."""
