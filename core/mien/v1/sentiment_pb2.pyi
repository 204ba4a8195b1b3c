from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PixelFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PIXEL_FORMAT_UNSPECIFIED: _ClassVar[PixelFormat]
    PIXEL_FORMAT_RGB: _ClassVar[PixelFormat]
    PIXEL_FORMAT_BGR: _ClassVar[PixelFormat]
    PIXEL_FORMAT_RGBA: _ClassVar[PixelFormat]
    PIXEL_FORMAT_GRAY: _ClassVar[PixelFormat]

class SampleFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SAMPLE_FORMAT_UNSPECIFIED: _ClassVar[SampleFormat]
    SAMPLE_FORMAT_PCM16: _ClassVar[SampleFormat]
    SAMPLE_FORMAT_FLOAT32: _ClassVar[SampleFormat]

class Consent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_UNSPECIFIED: _ClassVar[Consent]
    CONSENT_NOTICE_SHOWN: _ClassVar[Consent]
    CONSENT_GIVEN: _ClassVar[Consent]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_GOOD: _ClassVar[Verdict]
    VERDICT_POOR: _ClassVar[Verdict]
    VERDICT_UNDECIDED: _ClassVar[Verdict]

class StreamState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_STATE_UNSPECIFIED: _ClassVar[StreamState]
    STREAM_STATE_OK: _ClassVar[StreamState]
    STREAM_STATE_FAILED: _ClassVar[StreamState]
    STREAM_STATE_TIMED_OUT: _ClassVar[StreamState]
    STREAM_STATE_INVALID: _ClassVar[StreamState]
    STREAM_STATE_UNAVAILABLE: _ClassVar[StreamState]

class NewCustomer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEW_CUSTOMER_UNSPECIFIED: _ClassVar[NewCustomer]
    NEW_CUSTOMER_END: _ClassVar[NewCustomer]
    NEW_CUSTOMER_RESTART: _ClassVar[NewCustomer]

class CustomerPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CUSTOMER_POLICY_UNSPECIFIED: _ClassVar[CustomerPolicy]
    CUSTOMER_POLICY_PRIMARY: _ClassVar[CustomerPolicy]
    CUSTOMER_POLICY_ALL: _ClassVar[CustomerPolicy]

class MismatchPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MISMATCH_POLICY_UNSPECIFIED: _ClassVar[MismatchPolicy]
    MISMATCH_POLICY_BLEND: _ClassVar[MismatchPolicy]
    MISMATCH_POLICY_TRUST_WORDS: _ClassVar[MismatchPolicy]
    MISMATCH_POLICY_TRUST_FACE: _ClassVar[MismatchPolicy]
    MISMATCH_POLICY_ABSTAIN: _ClassVar[MismatchPolicy]

class NoticeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTICE_KIND_UNSPECIFIED: _ClassVar[NoticeKind]
    NOTICE_KIND_MISMATCH: _ClassVar[NoticeKind]
    NOTICE_KIND_STREAM: _ClassVar[NoticeKind]
    NOTICE_KIND_FRAME_DROPPED: _ClassVar[NoticeKind]
    NOTICE_KIND_BAD_INPUT: _ClassVar[NoticeKind]
    NOTICE_KIND_DRAINING: _ClassVar[NoticeKind]
    NOTICE_KIND_RESUMED: _ClassVar[NoticeKind]

class SessionEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SESSION_END_UNSPECIFIED: _ClassVar[SessionEnd]
    SESSION_END_MAX_SNAPSHOTS: _ClassVar[SessionEnd]
    SESSION_END_MARKER: _ClassVar[SessionEnd]
    SESSION_END_IDLE: _ClassVar[SessionEnd]
    SESSION_END_CLOSED: _ClassVar[SessionEnd]
    SESSION_END_DRAINING: _ClassVar[SessionEnd]
    SESSION_END_NEXT_CUSTOMER: _ClassVar[SessionEnd]
PIXEL_FORMAT_UNSPECIFIED: PixelFormat
PIXEL_FORMAT_RGB: PixelFormat
PIXEL_FORMAT_BGR: PixelFormat
PIXEL_FORMAT_RGBA: PixelFormat
PIXEL_FORMAT_GRAY: PixelFormat
SAMPLE_FORMAT_UNSPECIFIED: SampleFormat
SAMPLE_FORMAT_PCM16: SampleFormat
SAMPLE_FORMAT_FLOAT32: SampleFormat
CONSENT_UNSPECIFIED: Consent
CONSENT_NOTICE_SHOWN: Consent
CONSENT_GIVEN: Consent
VERDICT_UNSPECIFIED: Verdict
VERDICT_GOOD: Verdict
VERDICT_POOR: Verdict
VERDICT_UNDECIDED: Verdict
STREAM_STATE_UNSPECIFIED: StreamState
STREAM_STATE_OK: StreamState
STREAM_STATE_FAILED: StreamState
STREAM_STATE_TIMED_OUT: StreamState
STREAM_STATE_INVALID: StreamState
STREAM_STATE_UNAVAILABLE: StreamState
NEW_CUSTOMER_UNSPECIFIED: NewCustomer
NEW_CUSTOMER_END: NewCustomer
NEW_CUSTOMER_RESTART: NewCustomer
CUSTOMER_POLICY_UNSPECIFIED: CustomerPolicy
CUSTOMER_POLICY_PRIMARY: CustomerPolicy
CUSTOMER_POLICY_ALL: CustomerPolicy
MISMATCH_POLICY_UNSPECIFIED: MismatchPolicy
MISMATCH_POLICY_BLEND: MismatchPolicy
MISMATCH_POLICY_TRUST_WORDS: MismatchPolicy
MISMATCH_POLICY_TRUST_FACE: MismatchPolicy
MISMATCH_POLICY_ABSTAIN: MismatchPolicy
NOTICE_KIND_UNSPECIFIED: NoticeKind
NOTICE_KIND_MISMATCH: NoticeKind
NOTICE_KIND_STREAM: NoticeKind
NOTICE_KIND_FRAME_DROPPED: NoticeKind
NOTICE_KIND_BAD_INPUT: NoticeKind
NOTICE_KIND_DRAINING: NoticeKind
NOTICE_KIND_RESUMED: NoticeKind
SESSION_END_UNSPECIFIED: SessionEnd
SESSION_END_MAX_SNAPSHOTS: SessionEnd
SESSION_END_MARKER: SessionEnd
SESSION_END_IDLE: SessionEnd
SESSION_END_CLOSED: SessionEnd
SESSION_END_DRAINING: SessionEnd
SESSION_END_NEXT_CUSTOMER: SessionEnd

class Image(_message.Message):
    __slots__ = ("encoded", "raw", "captured_at_seconds")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    raw: RawImage
    captured_at_seconds: float
    def __init__(self, encoded: _Optional[bytes] = ..., raw: _Optional[_Union[RawImage, _Mapping]] = ..., captured_at_seconds: _Optional[float] = ...) -> None: ...

class RawImage(_message.Message):
    __slots__ = ("data", "width", "height", "format")
    DATA_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    width: int
    height: int
    format: PixelFormat
    def __init__(self, data: _Optional[bytes] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., format: _Optional[_Union[PixelFormat, str]] = ...) -> None: ...

class Audio(_message.Message):
    __slots__ = ("encoded", "raw", "captured_at_seconds")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    raw: RawAudio
    captured_at_seconds: float
    def __init__(self, encoded: _Optional[bytes] = ..., raw: _Optional[_Union[RawAudio, _Mapping]] = ..., captured_at_seconds: _Optional[float] = ...) -> None: ...

class RawAudio(_message.Message):
    __slots__ = ("data", "format", "sample_rate_hz", "channels")
    DATA_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    format: SampleFormat
    sample_rate_hz: int
    channels: int
    def __init__(self, data: _Optional[bytes] = ..., format: _Optional[_Union[SampleFormat, str]] = ..., sample_rate_hz: _Optional[int] = ..., channels: _Optional[int] = ...) -> None: ...

class Text(_message.Message):
    __slots__ = ("content", "language", "captured_at_seconds", "duration_seconds")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DURATION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    content: str
    language: str
    captured_at_seconds: float
    duration_seconds: float
    def __init__(self, content: _Optional[str] = ..., language: _Optional[str] = ..., captured_at_seconds: _Optional[float] = ..., duration_seconds: _Optional[float] = ...) -> None: ...

class AnalyzeRequest(_message.Message):
    __slots__ = ("image", "audio", "text", "analyzers", "fuser", "weights", "consent", "redact_transcript")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ANALYZERS_FIELD_NUMBER: _ClassVar[int]
    FUSER_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    REDACT_TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    image: Image
    audio: Audio
    text: Text
    analyzers: _containers.RepeatedScalarFieldContainer[str]
    fuser: str
    weights: _containers.ScalarMap[str, float]
    consent: Consent
    redact_transcript: bool
    def __init__(self, image: _Optional[_Union[Image, _Mapping]] = ..., audio: _Optional[_Union[Audio, _Mapping]] = ..., text: _Optional[_Union[Text, _Mapping]] = ..., analyzers: _Optional[_Iterable[str]] = ..., fuser: _Optional[str] = ..., weights: _Optional[_Mapping[str, float]] = ..., consent: _Optional[_Union[Consent, str]] = ..., redact_transcript: bool = ...) -> None: ...

class AnalyzeResponse(_message.Message):
    __slots__ = ("predictions", "satisfaction", "streams", "image_width", "image_height")
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    SATISFACTION_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    predictions: _containers.RepeatedCompositeFieldContainer[Prediction]
    satisfaction: Satisfaction
    streams: _containers.RepeatedCompositeFieldContainer[StreamStatus]
    image_width: int
    image_height: int
    def __init__(self, predictions: _Optional[_Iterable[_Union[Prediction, _Mapping]]] = ..., satisfaction: _Optional[_Union[Satisfaction, _Mapping]] = ..., streams: _Optional[_Iterable[_Union[StreamStatus, _Mapping]]] = ..., image_width: _Optional[int] = ..., image_height: _Optional[int] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("modality", "analyzer", "subject_id", "emotions", "valence", "satisfaction", "confidence", "interval", "face", "transcript", "sentiment")
    class EmotionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class SentimentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    ANALYZER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    EMOTIONS_FIELD_NUMBER: _ClassVar[int]
    VALENCE_FIELD_NUMBER: _ClassVar[int]
    SATISFACTION_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    FACE_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    SENTIMENT_FIELD_NUMBER: _ClassVar[int]
    modality: str
    analyzer: str
    subject_id: str
    emotions: _containers.ScalarMap[str, float]
    valence: float
    satisfaction: float
    confidence: float
    interval: TimeInterval
    face: FaceRegion
    transcript: Transcript
    sentiment: _containers.ScalarMap[str, float]
    def __init__(self, modality: _Optional[str] = ..., analyzer: _Optional[str] = ..., subject_id: _Optional[str] = ..., emotions: _Optional[_Mapping[str, float]] = ..., valence: _Optional[float] = ..., satisfaction: _Optional[float] = ..., confidence: _Optional[float] = ..., interval: _Optional[_Union[TimeInterval, _Mapping]] = ..., face: _Optional[_Union[FaceRegion, _Mapping]] = ..., transcript: _Optional[_Union[Transcript, _Mapping]] = ..., sentiment: _Optional[_Mapping[str, float]] = ...) -> None: ...

class TimeInterval(_message.Message):
    __slots__ = ("start_seconds", "end_seconds")
    START_SECONDS_FIELD_NUMBER: _ClassVar[int]
    END_SECONDS_FIELD_NUMBER: _ClassVar[int]
    start_seconds: float
    end_seconds: float
    def __init__(self, start_seconds: _Optional[float] = ..., end_seconds: _Optional[float] = ...) -> None: ...

class ScoreInterval(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("x", "y", "width", "height")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    width: float
    height: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., width: _Optional[float] = ..., height: _Optional[float] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("x", "y")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class FaceRegion(_message.Message):
    __slots__ = ("box", "quality", "detection_score", "track_id", "landmarks", "issues", "brightness")
    BOX_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    BRIGHTNESS_FIELD_NUMBER: _ClassVar[int]
    box: Box
    quality: float
    detection_score: float
    track_id: str
    landmarks: _containers.RepeatedCompositeFieldContainer[Point]
    issues: _containers.RepeatedScalarFieldContainer[str]
    brightness: float
    def __init__(self, box: _Optional[_Union[Box, _Mapping]] = ..., quality: _Optional[float] = ..., detection_score: _Optional[float] = ..., track_id: _Optional[str] = ..., landmarks: _Optional[_Iterable[_Union[Point, _Mapping]]] = ..., issues: _Optional[_Iterable[str]] = ..., brightness: _Optional[float] = ...) -> None: ...

class Transcript(_message.Message):
    __slots__ = ("text", "words", "language", "engine", "confidence", "redacted", "is_final", "stability", "revision")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    REDACTED_FIELD_NUMBER: _ClassVar[int]
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    text: str
    words: _containers.RepeatedCompositeFieldContainer[Word]
    language: str
    engine: str
    confidence: float
    redacted: bool
    is_final: bool
    stability: float
    revision: int
    def __init__(self, text: _Optional[str] = ..., words: _Optional[_Iterable[_Union[Word, _Mapping]]] = ..., language: _Optional[str] = ..., engine: _Optional[str] = ..., confidence: _Optional[float] = ..., redacted: bool = ..., is_final: bool = ..., stability: _Optional[float] = ..., revision: _Optional[int] = ...) -> None: ...

class Word(_message.Message):
    __slots__ = ("text", "interval", "confidence")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    text: str
    interval: TimeInterval
    confidence: float
    def __init__(self, text: _Optional[str] = ..., interval: _Optional[_Union[TimeInterval, _Mapping]] = ..., confidence: _Optional[float] = ...) -> None: ...

class Satisfaction(_message.Message):
    __slots__ = ("score", "interval", "confidence", "verdict", "contributions", "agreement", "mismatch", "coverage")
    class ContributionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Contribution
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Contribution, _Mapping]] = ...) -> None: ...
    SCORE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    MISMATCH_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    score: float
    interval: ScoreInterval
    confidence: float
    verdict: Verdict
    contributions: _containers.MessageMap[str, Contribution]
    agreement: float
    mismatch: bool
    coverage: float
    def __init__(self, score: _Optional[float] = ..., interval: _Optional[_Union[ScoreInterval, _Mapping]] = ..., confidence: _Optional[float] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., contributions: _Optional[_Mapping[str, Contribution]] = ..., agreement: _Optional[float] = ..., mismatch: bool = ..., coverage: _Optional[float] = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("weight", "score", "confidence", "samples")
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    weight: float
    score: float
    confidence: float
    samples: int
    def __init__(self, weight: _Optional[float] = ..., score: _Optional[float] = ..., confidence: _Optional[float] = ..., samples: _Optional[int] = ...) -> None: ...

class StreamStatus(_message.Message):
    __slots__ = ("analyzer", "modality", "state", "reason", "seconds", "remark")
    ANALYZER_FIELD_NUMBER: _ClassVar[int]
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    REMARK_FIELD_NUMBER: _ClassVar[int]
    analyzer: str
    modality: str
    state: StreamState
    reason: str
    seconds: float
    remark: str
    def __init__(self, analyzer: _Optional[str] = ..., modality: _Optional[str] = ..., state: _Optional[_Union[StreamState, str]] = ..., reason: _Optional[str] = ..., seconds: _Optional[float] = ..., remark: _Optional[str] = ...) -> None: ...

class AnalyzeStreamRequest(_message.Message):
    __slots__ = ("request_id", "request")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    request: AnalyzeRequest
    def __init__(self, request_id: _Optional[str] = ..., request: _Optional[_Union[AnalyzeRequest, _Mapping]] = ...) -> None: ...

class AnalyzeStreamResponse(_message.Message):
    __slots__ = ("request_id", "response", "error")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    response: AnalyzeResponse
    error: ItemError
    def __init__(self, request_id: _Optional[str] = ..., response: _Optional[_Union[AnalyzeResponse, _Mapping]] = ..., error: _Optional[_Union[ItemError, _Mapping]] = ...) -> None: ...

class ItemError(_message.Message):
    __slots__ = ("code", "message", "reason")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    reason: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class StreamSessionRequest(_message.Message):
    __slots__ = ("config", "frame", "audio", "text", "marker", "sequence")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MARKER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    config: SessionConfig
    frame: Image
    audio: Audio
    text: Text
    marker: Marker
    sequence: int
    def __init__(self, config: _Optional[_Union[SessionConfig, _Mapping]] = ..., frame: _Optional[_Union[Image, _Mapping]] = ..., audio: _Optional[_Union[Audio, _Mapping]] = ..., text: _Optional[_Union[Text, _Mapping]] = ..., marker: _Optional[_Union[Marker, _Mapping]] = ..., sequence: _Optional[int] = ...) -> None: ...

class SessionConfig(_message.Message):
    __slots__ = ("session_id", "analyzers", "fuser", "weights", "consent", "snapshot_interval_seconds", "max_snapshots", "half_life_seconds", "idle_timeout_seconds", "customer_policy", "exclude_regions", "redact_transcript", "mismatch_policy", "expected_modalities", "site", "partials", "new_customer", "resume_token")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ANALYZERS_FIELD_NUMBER: _ClassVar[int]
    FUSER_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_INTERVAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    HALF_LIFE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_POLICY_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_REGIONS_FIELD_NUMBER: _ClassVar[int]
    REDACT_TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    MISMATCH_POLICY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    PARTIALS_FIELD_NUMBER: _ClassVar[int]
    NEW_CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    analyzers: _containers.RepeatedScalarFieldContainer[str]
    fuser: str
    weights: _containers.ScalarMap[str, float]
    consent: Consent
    snapshot_interval_seconds: float
    max_snapshots: int
    half_life_seconds: float
    idle_timeout_seconds: float
    customer_policy: CustomerPolicy
    exclude_regions: _containers.RepeatedCompositeFieldContainer[Region]
    redact_transcript: bool
    mismatch_policy: MismatchPolicy
    expected_modalities: _containers.RepeatedScalarFieldContainer[str]
    site: str
    partials: bool
    new_customer: NewCustomer
    resume_token: str
    def __init__(self, session_id: _Optional[str] = ..., analyzers: _Optional[_Iterable[str]] = ..., fuser: _Optional[str] = ..., weights: _Optional[_Mapping[str, float]] = ..., consent: _Optional[_Union[Consent, str]] = ..., snapshot_interval_seconds: _Optional[float] = ..., max_snapshots: _Optional[int] = ..., half_life_seconds: _Optional[float] = ..., idle_timeout_seconds: _Optional[float] = ..., customer_policy: _Optional[_Union[CustomerPolicy, str]] = ..., exclude_regions: _Optional[_Iterable[_Union[Region, _Mapping]]] = ..., redact_transcript: bool = ..., mismatch_policy: _Optional[_Union[MismatchPolicy, str]] = ..., expected_modalities: _Optional[_Iterable[str]] = ..., site: _Optional[str] = ..., partials: bool = ..., new_customer: _Optional[_Union[NewCustomer, str]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class Region(_message.Message):
    __slots__ = ("x", "y", "width", "height")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    width: float
    height: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., width: _Optional[float] = ..., height: _Optional[float] = ...) -> None: ...

class Marker(_message.Message):
    __slots__ = ("name", "at_seconds", "rating")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    name: str
    at_seconds: float
    rating: int
    def __init__(self, name: _Optional[str] = ..., at_seconds: _Optional[float] = ..., rating: _Optional[int] = ...) -> None: ...

class StreamSessionResponse(_message.Message):
    __slots__ = ("started", "update", "notice", "summary", "partial")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    started: SessionStarted
    update: SessionUpdate
    notice: Notice
    summary: SessionSummary
    partial: SessionPartial
    def __init__(self, started: _Optional[_Union[SessionStarted, _Mapping]] = ..., update: _Optional[_Union[SessionUpdate, _Mapping]] = ..., notice: _Optional[_Union[Notice, _Mapping]] = ..., summary: _Optional[_Union[SessionSummary, _Mapping]] = ..., partial: _Optional[_Union[SessionPartial, _Mapping]] = ...) -> None: ...

class SessionStarted(_message.Message):
    __slots__ = ("session_id", "analyzers", "expected_modalities", "resume_token")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ANALYZERS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    analyzers: _containers.RepeatedScalarFieldContainer[str]
    expected_modalities: _containers.RepeatedScalarFieldContainer[str]
    resume_token: str
    def __init__(self, session_id: _Optional[str] = ..., analyzers: _Optional[_Iterable[str]] = ..., expected_modalities: _Optional[_Iterable[str]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class SessionUpdate(_message.Message):
    __slots__ = ("predictions", "state", "streams", "sequence")
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    predictions: _containers.RepeatedCompositeFieldContainer[Prediction]
    state: SessionState
    streams: _containers.RepeatedCompositeFieldContainer[StreamStatus]
    sequence: int
    def __init__(self, predictions: _Optional[_Iterable[_Union[Prediction, _Mapping]]] = ..., state: _Optional[_Union[SessionState, _Mapping]] = ..., streams: _Optional[_Iterable[_Union[StreamStatus, _Mapping]]] = ..., sequence: _Optional[int] = ...) -> None: ...

class SessionPartial(_message.Message):
    __slots__ = ("prediction",)
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    prediction: Prediction
    def __init__(self, prediction: _Optional[_Union[Prediction, _Mapping]] = ...) -> None: ...

class SessionState(_message.Message):
    __slots__ = ("at_seconds", "snapshots", "utterances", "satisfaction", "emotion_percentages", "subject_id", "subjects", "mismatches", "modality_percentages")
    class EmotionPercentagesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class SubjectsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Satisfaction
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Satisfaction, _Mapping]] = ...) -> None: ...
    class ModalityPercentagesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: EmotionPercentages
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[EmotionPercentages, _Mapping]] = ...) -> None: ...
    AT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    UTTERANCES_FIELD_NUMBER: _ClassVar[int]
    SATISFACTION_FIELD_NUMBER: _ClassVar[int]
    EMOTION_PERCENTAGES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    MISMATCHES_FIELD_NUMBER: _ClassVar[int]
    MODALITY_PERCENTAGES_FIELD_NUMBER: _ClassVar[int]
    at_seconds: float
    snapshots: int
    utterances: int
    satisfaction: Satisfaction
    emotion_percentages: _containers.ScalarMap[str, float]
    subject_id: str
    subjects: _containers.MessageMap[str, Satisfaction]
    mismatches: int
    modality_percentages: _containers.MessageMap[str, EmotionPercentages]
    def __init__(self, at_seconds: _Optional[float] = ..., snapshots: _Optional[int] = ..., utterances: _Optional[int] = ..., satisfaction: _Optional[_Union[Satisfaction, _Mapping]] = ..., emotion_percentages: _Optional[_Mapping[str, float]] = ..., subject_id: _Optional[str] = ..., subjects: _Optional[_Mapping[str, Satisfaction]] = ..., mismatches: _Optional[int] = ..., modality_percentages: _Optional[_Mapping[str, EmotionPercentages]] = ...) -> None: ...

class EmotionPercentages(_message.Message):
    __slots__ = ("emotions",)
    class EmotionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    EMOTIONS_FIELD_NUMBER: _ClassVar[int]
    emotions: _containers.ScalarMap[str, float]
    def __init__(self, emotions: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ("kind", "message", "at_seconds", "sequence")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    AT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    kind: NoticeKind
    message: str
    at_seconds: float
    sequence: int
    def __init__(self, kind: _Optional[_Union[NoticeKind, str]] = ..., message: _Optional[str] = ..., at_seconds: _Optional[float] = ..., sequence: _Optional[int] = ...) -> None: ...

class SessionSummary(_message.Message):
    __slots__ = ("session_id", "end", "interval", "overall", "peak_score", "end_score", "peak_end_score", "emotion_percentages", "snapshots", "utterances", "frames_dropped", "mismatches", "rating", "phases", "subjects", "site", "late", "duplicates", "modality_percentages", "conditions", "reasons")
    class EmotionPercentagesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class SubjectsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Satisfaction
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Satisfaction, _Mapping]] = ...) -> None: ...
    class ModalityPercentagesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: EmotionPercentages
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[EmotionPercentages, _Mapping]] = ...) -> None: ...
    class ConditionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    OVERALL_FIELD_NUMBER: _ClassVar[int]
    PEAK_SCORE_FIELD_NUMBER: _ClassVar[int]
    END_SCORE_FIELD_NUMBER: _ClassVar[int]
    PEAK_END_SCORE_FIELD_NUMBER: _ClassVar[int]
    EMOTION_PERCENTAGES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    UTTERANCES_FIELD_NUMBER: _ClassVar[int]
    FRAMES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    MISMATCHES_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    PHASES_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    MODALITY_PERCENTAGES_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    end: SessionEnd
    interval: TimeInterval
    overall: Satisfaction
    peak_score: float
    end_score: float
    peak_end_score: float
    emotion_percentages: _containers.ScalarMap[str, float]
    snapshots: int
    utterances: int
    frames_dropped: int
    mismatches: int
    rating: int
    phases: _containers.RepeatedCompositeFieldContainer[Phase]
    subjects: _containers.MessageMap[str, Satisfaction]
    site: str
    late: int
    duplicates: int
    modality_percentages: _containers.MessageMap[str, EmotionPercentages]
    conditions: _containers.ScalarMap[str, float]
    reasons: _containers.RepeatedCompositeFieldContainer[Reason]
    def __init__(self, session_id: _Optional[str] = ..., end: _Optional[_Union[SessionEnd, str]] = ..., interval: _Optional[_Union[TimeInterval, _Mapping]] = ..., overall: _Optional[_Union[Satisfaction, _Mapping]] = ..., peak_score: _Optional[float] = ..., end_score: _Optional[float] = ..., peak_end_score: _Optional[float] = ..., emotion_percentages: _Optional[_Mapping[str, float]] = ..., snapshots: _Optional[int] = ..., utterances: _Optional[int] = ..., frames_dropped: _Optional[int] = ..., mismatches: _Optional[int] = ..., rating: _Optional[int] = ..., phases: _Optional[_Iterable[_Union[Phase, _Mapping]]] = ..., subjects: _Optional[_Mapping[str, Satisfaction]] = ..., site: _Optional[str] = ..., late: _Optional[int] = ..., duplicates: _Optional[int] = ..., modality_percentages: _Optional[_Mapping[str, EmotionPercentages]] = ..., conditions: _Optional[_Mapping[str, float]] = ..., reasons: _Optional[_Iterable[_Union[Reason, _Mapping]]] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("modality", "interval", "effect", "label", "words")
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    modality: str
    interval: TimeInterval
    effect: float
    label: str
    words: str
    def __init__(self, modality: _Optional[str] = ..., interval: _Optional[_Union[TimeInterval, _Mapping]] = ..., effect: _Optional[float] = ..., label: _Optional[str] = ..., words: _Optional[str] = ...) -> None: ...

class Phase(_message.Message):
    __slots__ = ("name", "interval", "satisfaction")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SATISFACTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    interval: TimeInterval
    satisfaction: Satisfaction
    def __init__(self, name: _Optional[str] = ..., interval: _Optional[_Union[TimeInterval, _Mapping]] = ..., satisfaction: _Optional[_Union[Satisfaction, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "plugin_api_version", "plugins", "analyzers", "fusers", "default_fuser", "limits", "consent_required", "transcripts_redacted", "transcribers")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_API_VERSION_FIELD_NUMBER: _ClassVar[int]
    PLUGINS_FIELD_NUMBER: _ClassVar[int]
    ANALYZERS_FIELD_NUMBER: _ClassVar[int]
    FUSERS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FUSER_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CONSENT_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPTS_REDACTED_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIBERS_FIELD_NUMBER: _ClassVar[int]
    version: str
    plugin_api_version: int
    plugins: _containers.RepeatedCompositeFieldContainer[PluginInfo]
    analyzers: _containers.RepeatedCompositeFieldContainer[AnalyzerInfo]
    fusers: _containers.RepeatedCompositeFieldContainer[FuserInfo]
    default_fuser: str
    limits: Limits
    consent_required: bool
    transcripts_redacted: bool
    transcribers: _containers.RepeatedCompositeFieldContainer[TranscriberInfo]
    def __init__(self, version: _Optional[str] = ..., plugin_api_version: _Optional[int] = ..., plugins: _Optional[_Iterable[_Union[PluginInfo, _Mapping]]] = ..., analyzers: _Optional[_Iterable[_Union[AnalyzerInfo, _Mapping]]] = ..., fusers: _Optional[_Iterable[_Union[FuserInfo, _Mapping]]] = ..., default_fuser: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., consent_required: bool = ..., transcripts_redacted: bool = ..., transcribers: _Optional[_Iterable[_Union[TranscriberInfo, _Mapping]]] = ...) -> None: ...

class PluginInfo(_message.Message):
    __slots__ = ("name", "version", "distribution", "loaded", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    distribution: str
    loaded: bool
    reason: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., distribution: _Optional[str] = ..., loaded: bool = ..., reason: _Optional[str] = ...) -> None: ...

class AnalyzerInfo(_message.Message):
    __slots__ = ("name", "modality", "accepts", "labels", "version", "weights_license", "description", "enabled", "plugin", "opt_in", "load_cost", "weights_sha256", "backend", "batch_sizes")
    class WeightsSha256Entry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_LICENSE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    OPT_IN_FIELD_NUMBER: _ClassVar[int]
    LOAD_COST_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZES_FIELD_NUMBER: _ClassVar[int]
    name: str
    modality: str
    accepts: _containers.RepeatedScalarFieldContainer[str]
    labels: _containers.RepeatedScalarFieldContainer[str]
    version: str
    weights_license: str
    description: str
    enabled: bool
    plugin: str
    opt_in: bool
    load_cost: str
    weights_sha256: _containers.ScalarMap[str, str]
    backend: str
    batch_sizes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., modality: _Optional[str] = ..., accepts: _Optional[_Iterable[str]] = ..., labels: _Optional[_Iterable[str]] = ..., version: _Optional[str] = ..., weights_license: _Optional[str] = ..., description: _Optional[str] = ..., enabled: bool = ..., plugin: _Optional[str] = ..., opt_in: bool = ..., load_cost: _Optional[str] = ..., weights_sha256: _Optional[_Mapping[str, str]] = ..., backend: _Optional[str] = ..., batch_sizes: _Optional[_Iterable[int]] = ...) -> None: ...

class FuserInfo(_message.Message):
    __slots__ = ("name", "version", "description", "plugin")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    description: str
    plugin: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ..., plugin: _Optional[str] = ...) -> None: ...

class TranscriberInfo(_message.Message):
    __slots__ = ("name", "version", "languages", "offline", "description", "plugin")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    languages: _containers.RepeatedScalarFieldContainer[str]
    offline: bool
    description: str
    plugin: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., languages: _Optional[_Iterable[str]] = ..., offline: bool = ..., description: _Optional[str] = ..., plugin: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_message_bytes", "max_image_bytes", "max_image_pixels", "max_audio_seconds", "max_text_characters", "max_calls_in_flight", "max_calls_queued", "max_sessions", "max_stream_items", "max_session_frames_queued", "idle_seconds", "max_names", "max_name_characters", "max_exclude_regions", "max_time_seconds", "max_duration_seconds", "max_weight", "decode_seconds", "max_message_fields")
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_AUDIO_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_TEXT_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    MAX_CALLS_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_CALLS_QUEUED_FIELD_NUMBER: _ClassVar[int]
    MAX_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAM_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAX_SESSION_FRAMES_QUEUED_FIELD_NUMBER: _ClassVar[int]
    IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_NAMES_FIELD_NUMBER: _ClassVar[int]
    MAX_NAME_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    MAX_EXCLUDE_REGIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_TIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_DURATION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DECODE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_FIELDS_FIELD_NUMBER: _ClassVar[int]
    max_message_bytes: int
    max_image_bytes: int
    max_image_pixels: int
    max_audio_seconds: float
    max_text_characters: int
    max_calls_in_flight: int
    max_calls_queued: int
    max_sessions: int
    max_stream_items: int
    max_session_frames_queued: int
    idle_seconds: float
    max_names: int
    max_name_characters: int
    max_exclude_regions: int
    max_time_seconds: float
    max_duration_seconds: float
    max_weight: float
    decode_seconds: float
    max_message_fields: int
    def __init__(self, max_message_bytes: _Optional[int] = ..., max_image_bytes: _Optional[int] = ..., max_image_pixels: _Optional[int] = ..., max_audio_seconds: _Optional[float] = ..., max_text_characters: _Optional[int] = ..., max_calls_in_flight: _Optional[int] = ..., max_calls_queued: _Optional[int] = ..., max_sessions: _Optional[int] = ..., max_stream_items: _Optional[int] = ..., max_session_frames_queued: _Optional[int] = ..., idle_seconds: _Optional[float] = ..., max_names: _Optional[int] = ..., max_name_characters: _Optional[int] = ..., max_exclude_regions: _Optional[int] = ..., max_time_seconds: _Optional[float] = ..., max_duration_seconds: _Optional[float] = ..., max_weight: _Optional[float] = ..., decode_seconds: _Optional[float] = ..., max_message_fields: _Optional[int] = ...) -> None: ...
