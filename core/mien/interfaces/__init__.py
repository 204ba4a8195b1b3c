"""The abstract classes that a plugin implements. They know the types and nothing of hosts, servers or networks."""

from typing import Final

from mien.interfaces.analyzers import (
    Analyzer,
    AnalyzerInfo,
    AnalyzerRuntime,
    Findings,
    PassThroughStream,
    Stream,
    StreamSettings,
)
from mien.interfaces.customers import CustomerChoice, CustomerPolicyInfo, NewCustomer
from mien.interfaces.execution import BackendInfo, ExecutableNetwork, ExecutionBackend, Precision
from mien.interfaces.faces import Detection, Detections, DetectorInfo, DetectorSettings, FaceDetector
from mien.interfaces.fusers import (
    MISMATCH_PAIRS,
    Accumulator,
    Fuser,
    FuserInfo,
    FusionContext,
    MismatchPair,
    MismatchPolicy,
    WindowAccumulator,
    check_mismatch_pairs,
)
from mien.interfaces.sinks import Provenance, Sink, SinkInfo
from mien.interfaces.stability import LocalAgreement
from mien.interfaces.transcribers import (
    Transcriber,
    TranscriberInfo,
    TranscriberStream,
    TranscriberStreamSettings,
)
from mien.interfaces.views import KioskView, ViewInfo, ViewPlace

API_VERSION: Final = 1
"""The version of this contract. A plugin module may say ``MIEN_API_VERSION = 1``; the host leaves out one that asks
for another."""

__all__ = [
    "API_VERSION",
    "MISMATCH_PAIRS",
    "Accumulator",
    "Analyzer",
    "AnalyzerInfo",
    "AnalyzerRuntime",
    "BackendInfo",
    "CustomerChoice",
    "CustomerPolicyInfo",
    "Detection",
    "Detections",
    "DetectorInfo",
    "DetectorSettings",
    "ExecutableNetwork",
    "ExecutionBackend",
    "FaceDetector",
    "Findings",
    "Fuser",
    "FuserInfo",
    "FusionContext",
    "KioskView",
    "LocalAgreement",
    "MismatchPair",
    "MismatchPolicy",
    "NewCustomer",
    "PassThroughStream",
    "Precision",
    "Provenance",
    "Sink",
    "SinkInfo",
    "Stream",
    "StreamSettings",
    "Transcriber",
    "TranscriberInfo",
    "TranscriberStream",
    "TranscriberStreamSettings",
    "ViewInfo",
    "ViewPlace",
    "WindowAccumulator",
    "check_mismatch_pairs",
]
