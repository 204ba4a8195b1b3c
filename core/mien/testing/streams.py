"""What an analyzer's stream must do, as tests to subclass. ``AnalyzerConformance`` has them all.

The contract of a stream, which ``docs/plugin-streams.md`` words for readers: one object for one session, used by one
thread at a time; what it gives back lies within what was pushed, on the caller's clock; it holds no more than it needs.
"""

from __future__ import annotations

from collections.abc import Sequence

from mien.engine.requests import kind_of
from mien.interfaces import Analyzer, AnalyzerInfo, StreamSettings
from mien.plugins.checking import SPAN_TOLERANCE_SECONDS, span_of
from mien.testing.memory import require_no_growth
from mien.testing.predictions import flatten
from mien.testing.rules import Conformance, Grade, require, rule, within
from mien.testing.samples import fresh, same_sample
from mien.types import Prediction, Sample, Transcript

_LATER = 5000.0  # seconds; another clock than that of whoever begins at 0
_EVERY = StreamSettings(snapshot_interval_seconds=0.0)


class StreamConformance(Conformance):
    """The contract of ``mien.Stream``. Subclass it, name the subclass ``Test...`` and define three fixtures.

    Fixtures:
        analyzer: The analyzer, loaded, whose ``open_stream`` is tested.
        info: The ``AnalyzerInfo`` it is registered with.
        samples: Samples that it accepts, in the order of time where that matters.
    """

    @rule(Grade.BRONZE)
    def test_a_stream_gives_samples_that_can_be_analysed(
        self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]
    ) -> None:
        """Push, analyse, observe and flush fit together, and ``observe`` loses no prediction."""
        stream = analyzer.open_stream(_EVERY)
        ready = [item for sample in fresh(samples) for item in stream.push(sample)] + stream.flush()
        for sample in ready:
            require(kind_of(sample) in info.accepts, f"the stream gave a sample of kind {kind_of(sample).value}")
            predictions = analyzer.analyze([sample])[0]
            observed = stream.observe(sample, predictions)
            require(isinstance(observed, list), f"observe must answer a list, got {type(observed).__name__}")
            require(len(observed) == len(predictions), "observe must give back one prediction for each")

    @rule(Grade.BRONZE)
    def test_what_a_stream_tells_is_provisional(
        self, analyzer: Analyzer, info: AnalyzerInfo, samples: Sequence[Sample]
    ) -> None:
        """What goes to ``StreamSettings.tell`` rests on partial transcripts, whose revisions grow; closing ends it."""
        told: list[Prediction] = []
        stream = analyzer.open_stream(StreamSettings(snapshot_interval_seconds=0.0, tell=told.append))
        for sample in fresh(samples):
            stream.push(sample)
        stream.close()
        stream.close()
        revisions: dict[float, int] = {}
        for prediction in tuple(told):
            words = prediction.evidence
            require(prediction.modality == info.modality, f"modality {prediction.modality!r}, not {info.modality!r}")
            require(isinstance(words, Transcript) and not words.is_final, "told a prediction that is not provisional")
            revision = words.revision if isinstance(words, Transcript) else 0
            last = revisions.get(prediction.interval.start, 0)
            require(revision > last, f"told revision {revision} of an utterance after revision {last}")
            revisions[prediction.interval.start] = revision

    @rule(Grade.BRONZE)
    def test_every_session_gets_a_stream_of_its_own(self, analyzer: Analyzer) -> None:
        """Two sessions are never given the same object."""
        require(analyzer.open_stream(_EVERY) is not analyzer.open_stream(_EVERY), "two sessions share one stream")

    @rule(Grade.BRONZE)
    def test_streams_do_not_share_state(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """What one session pushed, and what was said of it, does not show in another."""
        expected = _session(analyzer, samples, beside=False)
        require(
            _session(analyzer, samples, beside=True) == expected, "a stream said something else beside another stream"
        )

    @rule(Grade.BRONZE)
    def test_a_stream_keeps_the_callers_clock(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """What it gives back was captured when what was pushed was, whatever clock that is."""
        stream = analyzer.open_stream(_EVERY)
        pushed = fresh(samples, shift=_LATER)
        ready = [item for sample in pushed for item in stream.push(sample)] + stream.flush()
        spans = [span_of(sample) for sample in pushed]
        early = min(span.start for span in spans) - SPAN_TOLERANCE_SECONDS
        late = max(span.end for span in spans) + SPAN_TOLERANCE_SECONDS
        for sample in ready:
            span = span_of(sample)
            inside = early <= span.start and span.end <= late
            require(inside, f"it gave a sample of {span.start:g} s, and what was pushed is of {early:g} to {late:g} s")

    @rule(Grade.BRONZE)
    def test_a_stream_leaves_what_is_pushed_as_it_was(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Other analyzers are given the same pictures and the same sound."""
        stream, pushed = analyzer.open_stream(_EVERY), fresh(samples)
        for sample, given in zip(pushed, fresh(samples), strict=True):
            stream.push(sample)
            require(same_sample(sample, given), f"push changed a sample of kind {kind_of(sample).value}")

    @rule(Grade.SILVER)
    def test_flush_gives_what_is_held_once(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Asked again, there is nothing more; and a stream that was given nothing holds nothing."""
        untouched = analyzer.open_stream(_EVERY)
        require(not untouched.flush(), "a stream that was given nothing gave a sample")
        stream = analyzer.open_stream(_EVERY)
        for sample in fresh(samples):
            stream.push(sample)
        stream.flush()
        require(not stream.flush(), "flush gave a sample again")

    @rule(Grade.SILVER)
    def test_a_stream_can_be_closed_at_any_time(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Before anything was pushed, in the middle, twice, and within the time that the host waits."""
        for count in (0, 1, len(samples)):
            stream = analyzer.open_stream(_EVERY)
            for sample in fresh(samples[:count]):
                stream.push(sample)
            for _ in range(2):
                within(self.close_seconds, stream.close, what="Stream.close")

    @rule(Grade.GOLD)
    def test_a_long_session_needs_no_more_memory(self, analyzer: Analyzer, samples: Sequence[Sample]) -> None:
        """Whatever is pushed for hours, a stream keeps no more than it still needs."""
        stream = analyzer.open_stream(_EVERY)
        steady = [sample for sample in samples if not flatten(analyzer.analyze(fresh([sample])))] or list(samples)

        def push(number: int) -> None:
            (sample,) = fresh(steady[number % len(steady) :][:1], at=float(number))
            for ready in stream.push(sample):
                stream.observe(ready, [])

        require_no_growth(push, calls=400, warm_up=50, budget_seconds=self.memory_seconds, what="Stream.push")
        stream.close()


def _session(analyzer: Analyzer, samples: Sequence[Sample], *, beside: bool) -> list[object]:
    """What a stream gives of a session, perhaps with another session that goes on at the same time."""
    other = analyzer.open_stream(_EVERY) if beside else None
    stream = analyzer.open_stream(_EVERY)
    said: list[object] = []
    for sample in fresh(samples):
        if other is not None:
            for ready in other.push(sample):
                other.observe(ready, analyzer.analyze([ready])[0])
        given = stream.push(sample)
        observed = [stream.observe(ready, analyzer.analyze([ready])[0]) for ready in given]
        said.append((len(given), [[each.subject_id for each in predictions] for predictions in observed]))
    if other is not None:
        other.flush()
    return [*said, len(stream.flush())]
