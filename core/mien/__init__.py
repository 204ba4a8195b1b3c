"""mien: a plugin-based, multimodal sentiment SDK.

``__all__`` lists the public names, all that a plugin or an application needs to import, and ``PUBLIC_MODULES`` the
modules that are as public. Everything else may change without notice. Importing this package loads numpy and pydantic,
never JAX, OpenCV or gRPC. What costs more than its name is loaded when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Final

from mien import metrics, plots, records
from mien.config import Settings, load_settings, parse_settings
from mien.errors import (
    AnalysisError,
    AnalyzerNotFoundError,
    ConfigError,
    InputError,
    InputTooLargeError,
    MienError,
    MissingDependencyError,
    PluginError,
    SessionError,
    WeightsError,
)
from mien.hookspecs import (
    BackendFactory,
    DetectorFactory,
    PluginContext,
    RegisterAnalyzer,
    RegisterBackend,
    RegisterCustomerPolicy,
    RegisterDetector,
    RegisterFuser,
    RegisterSink,
    RegisterTranscriber,
    RegisterView,
    ViewFactory,
    hookimpl,
)
from mien.interfaces import (
    API_VERSION,
    Accumulator,
    Analyzer,
    AnalyzerInfo,
    BackendInfo,
    CustomerChoice,
    CustomerPolicyInfo,
    Detection,
    DetectorInfo,
    DetectorSettings,
    ExecutableNetwork,
    ExecutionBackend,
    FaceDetector,
    Fuser,
    FuserInfo,
    FusionContext,
    KioskView,
    MismatchPair,
    MismatchPolicy,
    PassThroughStream,
    Precision,
    Provenance,
    Sink,
    SinkInfo,
    Stream,
    StreamSettings,
    Transcriber,
    TranscriberInfo,
    ViewInfo,
    ViewPlace,
    WindowAccumulator,
)
from mien.jaxplatform import start_jax
from mien.records import (
    AnalysisRecord,
    BadLine,
    Failure,
    FailureRecord,
    Record,
    SummaryRecord,
)
from mien.session import SessionEnd, SessionSummary
from mien.types import (
    UNKNOWN_SATISFACTION,
    AnalysisResult,
    AudioClip,
    Box,
    Contribution,
    FaceRegion,
    ImageFrame,
    Modality,
    Prediction,
    Reason,
    Sample,
    SampleKind,
    Satisfaction,
    ScoreInterval,
    StreamState,
    StreamStatus,
    TimeInterval,
    Transcript,
    Utterance,
    Verdict,
    Word,
)
from mien.weights import Manifest, load_weights, read_manifest, save_weights, write_atomically

if TYPE_CHECKING:
    from mien.engine import AnalysisRequest, Engine
    from mien.live import Event, Notice, NoticeKind, Started, Update
    from mien.media.audio import read_sound_track
    from mien.media.images import decode_image
    from mien.media.video import read_video
    from mien.plugins.host import PluginDescription, PluginHost, PluginState

__version__ = "0.1.0"

PUBLIC_MODULES: Final = (
    "mien",
    "mien.annotate",
    "mien.client",
    "mien.metrics",
    "mien.plots",
    "mien.records",
    "mien.testing",
    "mien.training",
)
"""What may be imported: names of these modules, and only those in ``__all__`` where a module has one."""

_LAZY: Final = {
    "AnalysisRequest": "mien.engine",
    "Engine": "mien.engine",
    "Event": "mien.live",
    "Notice": "mien.live",
    "NoticeKind": "mien.live",
    "PluginDescription": "mien.plugins.host",
    "PluginHost": "mien.plugins.host",
    "PluginState": "mien.plugins.host",
    "Started": "mien.live",
    "Update": "mien.live",
    "decode_image": "mien.media.images",
    "read_sound_track": "mien.media.audio",
    "read_video": "mien.media.video",
}
"""Public name -> the module that it is loaded from when it is first asked for."""

__all__ = [
    "API_VERSION",
    "PUBLIC_MODULES",
    "UNKNOWN_SATISFACTION",
    "Accumulator",
    "AnalysisError",
    "AnalysisRecord",
    "AnalysisRequest",
    "AnalysisResult",
    "Analyzer",
    "AnalyzerInfo",
    "AnalyzerNotFoundError",
    "AudioClip",
    "BackendFactory",
    "BackendInfo",
    "BadLine",
    "Box",
    "ConfigError",
    "Contribution",
    "CustomerChoice",
    "CustomerPolicyInfo",
    "Detection",
    "DetectorFactory",
    "DetectorInfo",
    "DetectorSettings",
    "Engine",
    "Event",
    "ExecutableNetwork",
    "ExecutionBackend",
    "FaceDetector",
    "FaceRegion",
    "Failure",
    "FailureRecord",
    "Fuser",
    "FuserInfo",
    "FusionContext",
    "ImageFrame",
    "InputError",
    "InputTooLargeError",
    "KioskView",
    "Manifest",
    "MienError",
    "MismatchPair",
    "MismatchPolicy",
    "MissingDependencyError",
    "Modality",
    "Notice",
    "NoticeKind",
    "PassThroughStream",
    "PluginContext",
    "PluginDescription",
    "PluginError",
    "PluginHost",
    "PluginState",
    "Precision",
    "Prediction",
    "Provenance",
    "Reason",
    "Record",
    "RegisterAnalyzer",
    "RegisterBackend",
    "RegisterCustomerPolicy",
    "RegisterDetector",
    "RegisterFuser",
    "RegisterSink",
    "RegisterTranscriber",
    "RegisterView",
    "Sample",
    "SampleKind",
    "Satisfaction",
    "ScoreInterval",
    "SessionEnd",
    "SessionError",
    "SessionSummary",
    "Settings",
    "Sink",
    "SinkInfo",
    "Started",
    "Stream",
    "StreamSettings",
    "StreamState",
    "StreamStatus",
    "SummaryRecord",
    "TimeInterval",
    "Transcriber",
    "TranscriberInfo",
    "Transcript",
    "Update",
    "Utterance",
    "Verdict",
    "ViewFactory",
    "ViewInfo",
    "ViewPlace",
    "WeightsError",
    "WindowAccumulator",
    "Word",
    "__version__",
    "decode_image",
    "hookimpl",
    "load_settings",
    "load_weights",
    "metrics",
    "parse_settings",
    "plots",
    "read_manifest",
    "read_sound_track",
    "read_video",
    "records",
    "save_weights",
    "start_jax",
    "write_atomically",
]


def __getattr__(name: str) -> object:
    """Load what costs more than its name when it is asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
