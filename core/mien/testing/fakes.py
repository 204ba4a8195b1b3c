"""Stand-ins for plugins and their parts, and makers of valid values, for unit tests. Nothing here is a model."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from mien.config import Settings
from mien.hookspecs import (
    Model,
    PluginContext,
    RegisterAnalyzer,
    RegisterFuser,
    RegisterSink,
    RegisterTranscriber,
    hookimpl,
)
from mien.interfaces import (
    Analyzer,
    AnalyzerInfo,
    Fuser,
    FuserInfo,
    FusionContext,
    Provenance,
    Sink,
    SinkInfo,
    Transcriber,
    TranscriberInfo,
)
from mien.plugins.context import plugin_settings
from mien.session import SessionSummary
from mien.types import (
    UNKNOWN_SATISFACTION,
    AnalysisResult,
    AudioClip,
    Contribution,
    ImageFrame,
    Prediction,
    Sample,
    SampleKind,
    Satisfaction,
    ScoreInterval,
    TimeInterval,
    Transcript,
    Verdict,
)

_LABELS: Final = ("happy", "neutral", "sad")
_CLIP_RATE: Final = 16_000


def make_prediction(
    modality: str = "face",
    *,
    satisfaction: float = 0.5,
    confidence: float = 1.0,
    at: float = 0.0,
    subject_id: str = "",
    analyzer: str = "",
) -> Prediction:
    """A valid prediction whose emotions (happy, neutral, sad) and valence follow from the satisfaction.

    Args:
        modality: Of the prediction.
        satisfaction: [0, 1].
        confidence: [0, 1].
        at: Start and end of its interval, seconds.
        subject_id: Who it is about.
        analyzer: Who made it.
    """
    valence = 2.0 * satisfaction - 1.0
    emotions = {"happy": max(valence, 0.0), "neutral": 1.0 - abs(valence), "sad": max(-valence, 0.0)}
    return Prediction(
        modality=modality,
        emotions=emotions,
        valence=valence,
        satisfaction=satisfaction,
        confidence=confidence,
        interval=TimeInterval(at, at),
        subject_id=subject_id,
        analyzer=analyzer,
    )


def make_image(brightness: int = 128, *, height: int = 48, width: int = 64, captured_at: float = 0.0) -> ImageFrame:
    """A picture of one grey, 0 to 255, with nobody in it."""
    return ImageFrame(np.full((height, width, 3), brightness, np.uint8), captured_at)


def make_clip(*, seconds: float = 1.0, frequency: float = 0.0, captured_at: float = 0.0) -> AudioClip:
    """Sound at 16 kHz without speech: silence, or a tone of ``frequency`` Hz at half the full scale."""
    times = np.arange(round(seconds * _CLIP_RATE)) / _CLIP_RATE  # [time]
    samples = 0.5 * np.sin(2.0 * math.pi * frequency * times)
    return AudioClip(samples.astype(np.float32), _CLIP_RATE, captured_at)


def analyzer_info(
    modality: str = "face", *kinds: SampleKind, opt_in: bool = False, labels: tuple[str, ...] = _LABELS
) -> AnalyzerInfo:
    """An info for ``FakeAnalyzer``; without kinds it takes pictures."""
    return AnalyzerInfo(
        modality=modality,
        accepts=frozenset(kinds or (SampleKind.IMAGE,)),
        labels=labels,
        version="0",
        weights_license="none",
        description="a fake",
        opt_in=opt_in,
    )


def read_settings(model: type[Model], table: Mapping[str, Any], *, section: str = "plugin") -> Model:
    """A table of settings as a plugin gets it from ``context.settings``.

    Args:
        model: The plugin's own.
        table: Key -> value, as from a TOML file.
        section: Its name: ``[plugins.<section>]``.

    Raises:
        ConfigError: The table does not fit the model.
    """
    return plugin_settings(Settings(plugins={section: dict(table)}), section, model)


class FakeAnalyzer(Analyzer):
    """Says of each sample what ``answer`` says, and keeps count.

    Attributes:
        batches: The size of each batch, in the order of calls.
        warmed_up: How often ``warm_up`` was called.
        closed: How often ``close`` was called.
    """

    def __init__(self, modality: str = "face", *, answer: Callable[[Sample], list[Prediction]] | None = None) -> None:
        """Without ``answer`` each sample gets one neutral prediction."""
        self._answer = answer or (lambda sample: [make_prediction(modality, at=sample.captured_at)])
        self._lock = threading.Lock()
        self.batches: list[int] = []
        self.warmed_up = 0
        self.closed = 0

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        """Ask ``answer`` about each sample."""
        with self._lock:
            self.batches.append(len(samples))
        return [self._answer(sample) for sample in samples]

    def warm_up(self) -> None:
        """Count."""
        self.warmed_up += 1

    def close(self) -> None:
        """Count."""
        self.closed += 1


class FakeFuser(Fuser):
    """The mean evidence, weighted by confidence and prior weight; no decay, no calibration. Passes the suite.

    Attributes:
        ignores: What its ``FuserInfo`` says that it leaves aside.
    """

    ignores: ClassVar[frozenset[str]] = frozenset({"half_life_seconds", "min_confidence"})

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        """Fuse; see the class."""
        parts: dict[str, list[tuple[float, float]]] = {}
        for prediction in predictions:
            weight = context.weights.get(prediction.modality, 1.0) * prediction.confidence
            parts.setdefault(prediction.modality, []).append((weight, prediction.satisfaction))
        masses = {modality: math.fsum(weight for weight, _ in pairs) for modality, pairs in parts.items()}
        total = math.fsum(masses.values())
        if total <= 0.0:
            return UNKNOWN_SATISFACTION
        scores = {
            modality: math.fsum(weight * score for weight, score in parts[modality]) / mass
            for modality, mass in masses.items()
            if mass > 0.0
        }
        score = min(1.0, math.fsum(masses[modality] / total * scores[modality] for modality in scores))
        expected = context.expected | scores.keys()
        return Satisfaction(
            score=score,
            interval=ScoreInterval(0.0, 1.0),
            confidence=max(prediction.confidence for prediction in predictions),
            verdict=_verdict(score, context),
            contributions={
                modality: Contribution(masses[modality] / total, min(1.0, value), samples=len(parts[modality]))
                for modality, value in sorted(scores.items())
            },
            coverage=len(scores) / len(expected),
        )


def _verdict(score: float, context: FusionContext) -> Verdict:
    if score >= context.good_threshold:
        return Verdict.GOOD
    return Verdict.POOR if score <= context.poor_threshold else Verdict.UNDECIDED


class FakeTranscriber(Transcriber):
    """Hears the same words in every clip that is not silent."""

    def __init__(self, text: str = "thank you") -> None:
        """Set the words."""
        self.text = text
        self.closed = 0

    def transcribe(self, clip: AudioClip) -> Transcript:
        """The words, or an empty text for silence."""
        return Transcript(self.text if bool(np.any(clip.samples)) else "", engine="fake")

    def close(self) -> None:
        """Count."""
        self.closed += 1


class FakeSink(Sink):
    """Keeps what it is shown, or raises.

    Attributes:
        written: The results with their provenance, in order.
        flushed: How often ``flush`` was called.
        closed: How often ``close`` was called.
    """

    def __init__(self, *, error: BaseException | None = None) -> None:
        """Without ``error`` every result is kept; with it, ``write`` raises."""
        self._error = error
        self.written: list[tuple[AnalysisResult | SessionSummary, Provenance]] = []
        self.flushed = 0
        self.closed = 0

    def write(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> None:
        """Keep it."""
        if self._error is not None:
            raise self._error
        self.written.append((result, provenance))

    def flush(self) -> None:
        """Count."""
        self.flushed += 1

    def close(self) -> None:
        """Count."""
        self.closed += 1


class FakePlugin:
    """A plugin object for ``PluginHost.from_plugins``: registers what it is given."""

    def __init__(
        self,
        *,
        analyzers: Mapping[str, tuple[AnalyzerInfo, Callable[[], Analyzer]]] | None = None,
        fusers: Mapping[str, Callable[[], Fuser]] | None = None,
        transcribers: Mapping[str, Callable[[], Transcriber]] | None = None,
        sinks: Mapping[str, Callable[[], Sink]] | None = None,
    ) -> None:
        """Set what is registered."""
        self._analyzers = dict(analyzers or {})
        self._fusers = dict(fusers or {})
        self._transcribers = dict(transcribers or {})
        self._sinks = dict(sinks or {})

    @hookimpl
    def mien_register_analyzers(self, register: RegisterAnalyzer, context: PluginContext) -> None:
        """Register the analyzers."""
        for name, (info, factory) in self._analyzers.items():
            register(name, info, factory)

    @hookimpl
    def mien_register_fusers(self, register: RegisterFuser, context: PluginContext) -> None:
        """Register the fusers."""
        for name, factory in self._fusers.items():
            register(name, FuserInfo(version="0", description="a fake", ignores=FakeFuser.ignores), factory)

    @hookimpl
    def mien_register_transcribers(self, register: RegisterTranscriber, context: PluginContext) -> None:
        """Register the transcribers."""
        for name, factory in self._transcribers.items():
            register(name, TranscriberInfo(version="0", description="a fake"), factory)

    @hookimpl
    def mien_register_sinks(self, register: RegisterSink, context: PluginContext) -> None:
        """Register the sinks."""
        for name, factory in self._sinks.items():
            register(name, SinkInfo(version="0", description="a fake"), factory)
