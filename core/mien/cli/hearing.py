"""Sound through the analyzers' streams: what was said, utterance by utterance, as predictions.

For files and microphones alike. Each utterance is analysed by itself, so that a long recording meets the deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mien.engine import Engine
from mien.errors import AnalysisError
from mien.interfaces import Stream, StreamSettings
from mien.plugins.host import PluginHost
from mien.plugins.registry import explain
from mien.types import AudioClip, Prediction, Sample, SampleKind, StreamState, StreamStatus


@dataclass(frozen=True, slots=True)
class Heard:
    """What one analyzer says of one utterance; no predictions where it found no words, or failed.

    Attributes:
        status: How it fared.
        predictions: Of the utterance.
        end: When the utterance had ended, seconds on the clips' clock.
    """

    status: StreamStatus
    predictions: tuple[Prediction, ...]
    end: float


class Hearing:
    """Follows one stream of sound with every enabled analyzer that takes sound; not for use by several threads."""

    def __init__(self, engine: Engine, host: PluginHost) -> None:
        """Load the analyzers and open their streams; one that cannot be loaded is told by ``listen``.

        Raises:
            AnalysisError: No enabled analyzer takes sound.
        """
        names = engine.enabled_for({SampleKind.AUDIO})
        if not names:
            raise AnalysisError(
                "no enabled analyzer takes sound; say --analyzer voice, or name it in [engine] analyzers of the "
                "configuration ('mien plugins list' shows what is installed)"
            )
        self._engine = engine
        self._modalities = {name: host.analyzers[name].info.modality for name in names}
        self._streams: dict[str, Stream] = {}
        self._unavailable: list[StreamStatus] = []
        for name, modality in self._modalities.items():
            try:
                self._streams[name] = host.analyzer(name).open_stream(StreamSettings())
            except Exception as error:  # a plugin's own code: it costs its stream, never the run
                self._unavailable.append(StreamStatus(name, modality, StreamState.UNAVAILABLE, explain(error)))

    @property
    def modalities(self) -> Mapping[str, str]:
        """Analyzer -> what its predictions carry."""
        return self._modalities

    def listen(self, clips: Iterable[AudioClip]) -> Iterator[Heard]:
        """Give out each utterance when it has ended, and at the end of the sound the one that was open.

        An analyzer that could not be loaded gives one answer, with the reason.
        """
        yield from (Heard(status, (), 0.0) for status in self._unavailable)
        for clip in clips:
            for name, stream in self._streams.items():
                yield from self._analyze(name, stream.push(clip))
        yield from self.finish()

    def finish(self) -> Iterator[Heard]:
        """Give out the utterance that is still open; ``listen`` does it where it comes to its end."""
        for name, stream in self._streams.items():
            yield from self._analyze(name, stream.flush())

    def _analyze(self, name: str, samples: Iterable[Sample]) -> Iterator[Heard]:
        for sample in samples:
            answer = self._engine.predict(name, [sample])[0]
            end = sample.captured_at + (sample.duration_seconds if isinstance(sample, AudioClip) else 0.0)
            if isinstance(answer, StreamStatus):
                yield Heard(answer, (), end)
            else:
                predictions = tuple(self._streams[name].observe(sample, answer))
                yield Heard(StreamStatus(name, self._modalities[name], StreamState.OK), predictions, end)
