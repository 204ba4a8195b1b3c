"""Where the server is timed: around what decodes, schedules and computes, so that none of it knows of metrics."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from mien.config import LimitSettings, Settings
from mien.engine import AnalysisRequest, Engine
from mien.errors import MienError
from mien.live import Event, Update
from mien.plugins.host import PluginHost
from mien.service.batching import Scheduler
from mien.service.decoding import Decoder
from mien.service.metrics import Metrics
from mien.session import SessionSummary
from mien.types import AnalysisResult, Modality, Prediction, Sample, StreamStatus, Transcript

MAX_PIECES: Final = 2_048
"""Pieces of sound of one session whose arrival is remembered: minutes at ten a second."""


class Waits:
    """When work was handed over, until it is taken into a batch. For one event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._since: dict[int, float] = {}

    @contextmanager
    def waiting(self, work: object) -> Iterator[None]:
        """Around the wait for an answer."""
        self._since[id(work)] = time.perf_counter()
        try:
            yield
        finally:
            self._since.pop(id(work), None)

    def taken(self, work: object) -> None:
        """It is computed from now on."""
        since = self._since.pop(id(work), None)
        if since is not None:
            self._metrics.waited(time.perf_counter() - since)


class MeasuredEngine(Engine):
    """Times each batch, and the wait of what is in it."""

    def __init__(self, host: PluginHost, settings: Settings, *, metrics: Metrics, waits: Waits) -> None:
        """See ``Engine``."""
        super().__init__(host, settings)
        self._metrics = metrics
        self._waits = waits

    async def analyze_batch_async(self, batch: Sequence[AnalysisRequest]) -> list[AnalysisResult | MienError]:
        """See ``Engine``."""
        with self._computing("", batch):
            return await super().analyze_batch_async(batch)

    async def predict_async(self, analyzer: str, samples: Sequence[Sample]) -> list[list[Prediction] | StreamStatus]:
        """See ``Engine``."""
        with self._computing(analyzer, samples):
            return await super().predict_async(analyzer, samples)

    @contextmanager
    def _computing(self, analyzer: str, batch: Sequence[object]) -> Iterator[None]:
        for work in batch:
            self._waits.taken(work)
        started = time.perf_counter()
        try:
            yield
        finally:
            self._metrics.computed(analyzer, time.perf_counter() - started, batch=len(batch))


class MeasuredScheduler(Scheduler):
    """Notes when work comes in."""

    def __init__(self, engine: Engine, limits: LimitSettings, *, waits: Waits) -> None:
        """See ``Scheduler``."""
        super().__init__(engine, limits)
        self._waits = waits

    async def analyze(self, request: AnalysisRequest, *arguments: Any, **options: Any) -> AnalysisResult:
        """See ``Scheduler``."""
        with self._waits.waiting(request):
            return await super().analyze(request, *arguments, **options)

    async def predict(
        self, analyzer: str, sample: Sample, *arguments: Any, **options: Any
    ) -> list[Prediction] | StreamStatus:
        """See ``Scheduler``."""
        with self._waits.waiting(sample):
            return await super().predict(analyzer, sample, *arguments, **options)


class MeasuredDecoder(Decoder):
    """Times what is decoded, with the wait for a thread."""

    def __init__(self, limits: LimitSettings, *, metrics: Metrics) -> None:
        """See ``Decoder``."""
        super().__init__(limits)
        self._metrics = metrics

    async def request(self, *arguments: Any, **options: Any) -> Any:
        """See ``Decoder``."""
        with self._decoding("request"):
            return await super().request(*arguments, **options)

    async def image(self, *arguments: Any, **options: Any) -> Any:
        """See ``Decoder``."""
        with self._decoding("image"):
            return await super().image(*arguments, **options)

    async def audio(self, *arguments: Any, **options: Any) -> Any:
        """See ``Decoder``."""
        with self._decoding("audio"):
            return await super().audio(*arguments, **options)

    @contextmanager
    def _decoding(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._metrics.decoded(what, time.perf_counter() - started)


class SessionMeter:
    """What one session tells of pictures left out, and of how far recognition lags behind. For one event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._arrived: deque[tuple[float, float]] = deque(maxlen=MAX_PIECES)

    def heard(self, captured_at: float) -> None:
        """A piece of sound arrived, which begins at this moment of the caller's clock."""
        self._arrived.append((captured_at, time.perf_counter()))

    def told(self, event: Event) -> None:
        """The session told its caller something."""
        if isinstance(event, SessionSummary) and event.frames_dropped:
            self._metrics.frames_dropped(event.frames_dropped)
        elif isinstance(event, Update):
            for prediction in event.predictions:
                if prediction.modality == Modality.VOICE and isinstance(prediction.evidence, Transcript):
                    self._lag(prediction.interval.end)

    def _lag(self, ended_at: float) -> None:
        """From the arrival of the piece in which the utterance ended to now."""
        arrival = next((arrived for begins, arrived in reversed(self._arrived) if begins <= ended_at), None)
        if arrival is not None:
            self._metrics.speech_lagged(time.perf_counter() - arrival)
