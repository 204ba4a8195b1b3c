"""A plugin for version 1 of the contract, with every kind of part. Kept as it was written; do not mend it."""

from __future__ import annotations

from mien import (
    UNKNOWN_SATISFACTION,
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
    Prediction,
    SampleKind,
    Sink,
    SinkInfo,
    TimeInterval,
    Transcriber,
    TranscriberInfo,
    Transcript,
    ViewInfo,
    hookimpl,
)

MIEN_API_VERSION = 1


class Lengths(Analyzer):
    def analyze(self, samples):
        return [
            [
                Prediction(
                    modality="text",
                    emotions={"long": min(len(sample.text), 10) / 10, "short": 1 - min(len(sample.text), 10) / 10},
                    valence=0.0,
                    satisfaction=0.5,
                    confidence=0.5,
                    interval=TimeInterval(sample.captured_at, sample.captured_at),
                )
            ]
            for sample in samples
        ]


class Nothing(Fuser):
    def fuse(self, predictions, context):
        return UNKNOWN_SATISFACTION


class Deaf(Transcriber):
    def transcribe(self, clip):
        return Transcript("", engine="deaf")


class Hole(Sink):
    def write(self, result, provenance):
        pass


class Blind(FaceDetector):
    margin = 0.0
    threshold = 0.5

    def __init__(self, settings):
        self.settings = settings

    def detect(self, pictures):
        return [[] for _ in pictures]


class Zero(ExecutionBackend):
    precision = "float32"

    def __init__(self, network, precision):
        self.network = network

    def run(self, inputs):
        return inputs


class Nobody(CustomerChoice):
    subject_id = ""

    def choose(self, faces, *, frame_size, at):
        return frozenset()


class Dark(KioskView):
    def __init__(self, place):
        self.place = place

    def waiting(self, now):
        pass

    def show(self, event, now):
        pass


@hookimpl
def mien_register_analyzers(register, context):
    context.settings("old")
    info = AnalyzerInfo(
        modality="text",
        accepts=frozenset({SampleKind.TEXT}),
        labels=("long", "short"),
        version="1",
        weights_license="none",
        opt_in=False,
    )
    register("old-analyzer", info, Lengths)


@hookimpl
def mien_register_fusers(register):
    register("old-fuser", FuserInfo(version="1", description="says nothing"), Nothing)


@hookimpl
def mien_register_transcribers(register):
    register("old-ear", TranscriberInfo(version="1", languages=("en",)), Deaf)


@hookimpl
def mien_register_sinks(register):
    register("old-sink", SinkInfo(version="1"), Hole)


@hookimpl
def mien_register_detectors(register):
    register("old-eye", DetectorInfo(version="1"), Blind)


@hookimpl
def mien_register_backends(register):
    register("old-backend", BackendInfo(version="1"), Zero)


@hookimpl
def mien_register_customer_policies(register):
    register("old-policy", CustomerPolicyInfo(version="1"), Nobody)


@hookimpl
def mien_register_views(register):
    register("old-view", ViewInfo(version="1"), Dark)


@hookimpl
def mien_register_commands(app, context):
    @app.command("old")
    def old() -> None:
        """Say that it is old."""
