"""One video through the analyzers' streams, so that a face keeps its track id from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from mien.config import Settings
from mien.engine import Engine
from mien.errors import AnalysisError, MienError
from mien.interfaces import Stream, StreamSettings
from mien.plugins.host import PluginHost
from mien.plugins.registry import explain
from mien.types import AnalysisResult, ImageFrame, Prediction, SampleKind, StreamState, StreamStatus

_Said: TypeAlias = tuple[StreamStatus, list[Prediction]]
"""What one analyzer says of one frame."""


class Tracker:
    """Follows one video; not for use by several threads."""

    def __init__(
        self,
        engine: Engine,
        host: PluginHost,
        settings: Settings,
        *,
        every: float,
        fuser: str,
        weights: Mapping[str, float],
    ) -> None:
        """Open a stream with every enabled analyzer that takes pictures.

        Args:
            engine: Analyses.
            host: The engine's own.
            settings: The engine's own.
            every: Seconds between the frames that will come, on average.
            fuser: Name; empty takes the configured one.
            weights: Modality -> weight, over the configured ones.

        Raises:
            AnalysisError: There is none.
        """
        self._engine = engine
        self._fuser = fuser
        self._weights = weights
        self._modalities = {name: host.analyzers[name].info.modality for name in engine.enabled_for({SampleKind.IMAGE})}
        if not self._modalities:
            raise AnalysisError("no enabled analyzer takes pictures; see 'mien plugins list'")
        # The reader has picked the frames, and at a constant frame rate no two are closer than half of "every": so the
        # streams take each of them, and still know how long a face may be out of sight.
        wish = StreamSettings(snapshot_interval_seconds=every / 2, exclude_regions=settings.session.exclude_regions)
        self._streams: dict[str, Stream] = {}
        self._unavailable: dict[str, str] = {}
        for name in self._modalities:
            try:
                self._streams[name] = host.analyzer(name).open_stream(wish)
            except Exception as error:  # a plugin's own code: it costs its stream, never the run
                self._unavailable[name] = explain(error)

    def follow(self, frames: Sequence[ImageFrame]) -> list[AnalysisResult | None]:
        """Analyse the next frames, in one batch for each analyzer.

        Returns:
            One result for each frame; None where no stream took it.

        Raises:
            AnalysisError: No stream of a frame could be analysed, or the predictions could not be fused.
        """
        columns = [self._ask(name, frames) for name in self._modalities]
        results = []
        for row in zip(*columns, strict=True):
            parts = [part for part in row if part is not None]
            results.append(self._result(parts) if parts else None)
        return results

    def _ask(self, name: str, frames: Sequence[ImageFrame]) -> list[_Said | None]:
        """What one analyzer says of each frame."""
        modality = self._modalities[name]
        if name in self._unavailable:
            status = StreamStatus(name, modality, StreamState.UNAVAILABLE, self._unavailable[name])
            return [(status, [])] * len(frames)
        try:
            return self._ask_stream(name, modality, self._streams[name], frames)
        except MienError:
            raise
        except Exception as error:  # as above
            status = StreamStatus(name, modality, StreamState.FAILED, explain(error))
            return [(status, [])] * len(frames)

    def _ask_stream(self, name: str, modality: str, stream: Stream, frames: Sequence[ImageFrame]) -> list[_Said | None]:
        ready = [stream.push(frame) for frame in frames]
        answers = iter(self._engine.predict(name, list(chain.from_iterable(ready))))
        said: list[_Said | None] = []
        for samples in ready:
            status = StreamStatus(name, modality, StreamState.OK)
            predictions: list[Prediction] = []
            for sample in samples:
                answer = next(answers)
                if isinstance(answer, StreamStatus):
                    status = answer
                else:
                    predictions += stream.observe(sample, answer)
            said.append((status, predictions) if samples else None)
        return said

    def _result(self, parts: Sequence[_Said]) -> AnalysisResult:
        statuses = tuple(status for status, _ in parts)
        if all(status.state is not StreamState.OK for status in statuses):
            reasons = "; ".join(f"{status.analyzer}: {status.reason}" for status in statuses)
            raise AnalysisError(f"no stream could be analysed: {reasons}")
        predictions = tuple(
            prediction for status, said in parts if status.state is StreamState.OK for prediction in said
        )
        satisfaction = self._engine.fuse(
            predictions,
            expected={status.modality for status in statuses},
            fuser=self._fuser,
            weights=self._weights,
        )
        return AnalysisResult(predictions=predictions, satisfaction=satisfaction, streams=statuses)
