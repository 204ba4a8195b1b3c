"""Where the server is timed: around what decodes and computes, so that neither knows of metrics."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from mien.config import Settings
from mien.engine import Engine, Outcome
from mien.live import Event, Update
from mien.plugins.host import PluginHost
from mien.service.decoding import Decoder
from mien.service.metrics import Metrics
from mien.session import SessionSummary
from mien.types import Modality, Sample, Transcript

MAX_PIECES: Final = 2_048
"""Pieces of sound of one session whose arrival is remembered: minutes at ten a second."""


class MeasuredEngine(Engine):
    """Times each batch."""

    def __init__(self, host: PluginHost, settings: Settings, *, metrics: Metrics) -> None:
        """See ``Engine``."""
        super().__init__(host, settings)
        self._metrics = metrics

    async def outcomes_async(self, analyzer: str, samples: Sequence[Sample]) -> list[Outcome]:
        """See ``Engine``."""
        started = time.perf_counter()
        try:
            return await super().outcomes_async(analyzer, samples)
        finally:
            self._metrics.computed(analyzer, time.perf_counter() - started, batch=len(samples))


class MeasuredDecoder(Decoder):
    """Times what is decoded, with the wait for a thread."""

    def __init__(self, *arguments: Any, metrics: Metrics, **options: Any) -> None:
        """See ``Decoder``."""
        super().__init__(*arguments, **options)
        self._metrics = metrics

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
