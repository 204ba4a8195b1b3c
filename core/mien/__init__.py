"""mien: a plugin-based, multimodal sentiment SDK.

These are the public names, all that a plugin or an application needs to import. Importing this package loads numpy and
pydantic, never JAX, OpenCV or gRPC. Pillow comes with the first use of ``decode_image``, and ``training`` when it is
imported.
"""

from typing import TYPE_CHECKING

from mien import metrics, plots, records
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
from mien.hookspecs import PluginContext, RegisterAnalyzer, RegisterFuser, RegisterTranscriber, hookimpl
from mien.interfaces import (
    API_VERSION,
    Accumulator,
    Analyzer,
    AnalyzerInfo,
    Fuser,
    FuserInfo,
    FusionContext,
    MismatchPolicy,
    PassThroughStream,
    Stream,
    StreamSettings,
    Transcriber,
    TranscriberInfo,
    WindowAccumulator,
)
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
    from mien import training
    from mien.media.images import decode_image

__version__ = "0.1.0"

__all__ = [
    "API_VERSION",
    "UNKNOWN_SATISFACTION",
    "Accumulator",
    "AnalysisError",
    "AnalysisRecord",
    "AnalysisResult",
    "Analyzer",
    "AnalyzerInfo",
    "AnalyzerNotFoundError",
    "AudioClip",
    "BadLine",
    "Box",
    "ConfigError",
    "Contribution",
    "FaceRegion",
    "Failure",
    "FailureRecord",
    "Fuser",
    "FuserInfo",
    "FusionContext",
    "ImageFrame",
    "InputError",
    "InputTooLargeError",
    "Manifest",
    "MienError",
    "MismatchPolicy",
    "MissingDependencyError",
    "Modality",
    "PassThroughStream",
    "PluginContext",
    "PluginError",
    "Prediction",
    "Record",
    "RegisterAnalyzer",
    "RegisterFuser",
    "RegisterTranscriber",
    "Sample",
    "SampleKind",
    "Satisfaction",
    "ScoreInterval",
    "SessionEnd",
    "SessionError",
    "SessionSummary",
    "Stream",
    "StreamSettings",
    "StreamState",
    "StreamStatus",
    "SummaryRecord",
    "TimeInterval",
    "Transcriber",
    "TranscriberInfo",
    "Transcript",
    "Utterance",
    "Verdict",
    "WeightsError",
    "WindowAccumulator",
    "Word",
    "__version__",
    "decode_image",
    "hookimpl",
    "load_weights",
    "metrics",
    "plots",
    "read_manifest",
    "records",
    "save_weights",
    "training",
    "write_atomically",
]


def __getattr__(name: str) -> object:
    """Load what costs more than its name when it is asked for."""
    if name == "decode_image":
        from mien.media.images import decode_image

        return decode_image
    if name == "training":
        from importlib import import_module

        return import_module("mien.training")
    raise AttributeError(f"module 'mien' has no attribute {name!r}")
