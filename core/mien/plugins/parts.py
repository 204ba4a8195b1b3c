"""What a plugin can register, kind by kind, and what is told of a registered part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from mien.interfaces import (
    Analyzer,
    AnalyzerInfo,
    BackendInfo,
    CustomerChoice,
    CustomerPolicyInfo,
    DetectorInfo,
    ExecutionBackend,
    FaceDetector,
    Fuser,
    FuserInfo,
    KioskView,
    Sink,
    SinkInfo,
    Transcriber,
    TranscriberInfo,
    ViewInfo,
)

Info = TypeVar("Info")


class PartKind(StrEnum):
    """What a plugin can register; the value is what a message calls it."""

    ANALYZER = "analyzer"
    FUSER = "fuser"
    TRANSCRIBER = "transcriber"
    SINK = "sink"
    DETECTOR = "detector"
    BACKEND = "backend"
    CUSTOMER_POLICY = "customer policy"
    VIEW = "view"


@dataclass(frozen=True, slots=True)
class PartType:
    """How parts of one kind are registered.

    Attributes:
        plural: Their name in ``Registrations`` and ``PluginDescription``; with ``mien_register_`` before it, the hook.
        info: What is known of one.
        part: What its factory makes.
        is_shared: One is made and kept for all; others are made anew, to order, each time.
    """

    plural: str
    info: type[Any]
    part: type[Any]
    is_shared: bool

    @property
    def hook(self) -> str:
        """The hook that registers them."""
        return f"mien_register_{self.plural}"


PART_TYPES: Final[Mapping[PartKind, PartType]] = {
    PartKind.ANALYZER: PartType("analyzers", AnalyzerInfo, Analyzer, True),
    PartKind.FUSER: PartType("fusers", FuserInfo, Fuser, True),
    PartKind.TRANSCRIBER: PartType("transcribers", TranscriberInfo, Transcriber, True),
    PartKind.SINK: PartType("sinks", SinkInfo, Sink, True),
    PartKind.DETECTOR: PartType("detectors", DetectorInfo, FaceDetector, False),
    PartKind.BACKEND: PartType("backends", BackendInfo, ExecutionBackend, False),
    PartKind.CUSTOMER_POLICY: PartType("customer_policies", CustomerPolicyInfo, CustomerChoice, False),
    PartKind.VIEW: PartType("views", ViewInfo, KioskView, False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Generic[Info]):
    """Something a plugin registered.

    Attributes:
        name: Unique among its kind.
        info: What the plugin says of it.
        plugin: Name of the plugin.
        enabled: It takes part in requests that name nothing; a disabled analyzer cannot be used at all.
    """

    name: str
    info: Info
    plugin: str
    enabled: bool = True


RegisteredAnalyzer = Registered[AnalyzerInfo]
RegisteredFuser = Registered[FuserInfo]
RegisteredTranscriber = Registered[TranscriberInfo]
RegisteredSink = Registered[SinkInfo]
RegisteredDetector = Registered[DetectorInfo]
RegisteredBackend = Registered[BackendInfo]
RegisteredCustomerPolicy = Registered[CustomerPolicyInfo]
RegisteredView = Registered[ViewInfo]
